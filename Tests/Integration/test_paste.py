"""Applications that Paste Deploy puts together (`wsgi = "config:production.ini#main"`)."""

import json
import subprocess
import sys

import pytest

from wsgi_host import DEADLINE
from test_wsgi_names import hosting, refusal

PYRAMID = '''
import logging

from pyramid.config import Configurator
from pyramid.response import Response

log = logging.getLogger("shop")

def index(request):
    log.info("the shop is asked for %s", request.path)
    log.debug("not to be seen")
    return Response(json_body={
        "setting": request.registry.settings["shop.setting"], "here": request.registry.settings["shop.here"],
        "link": request.route_path("index"), "filters": request.environ.get("filters", []),
        "global": request.registry.settings["shop.global"]})

def main(global_config, **settings):
    settings["shop.global"] = [global_config["name"], global_config["__file__"].rpartition("/")[2]]
    with Configurator(settings=settings) as config:
        config.add_route("index", "/")
        config.add_view(index, route_name="index")
        return config.make_wsgi_app()

def noting(global_config, word):
    def make(application):
        def noted(environ, start_response):
            environ.setdefault("filters", []).append(word)
            return application(environ, start_response)
        return noted
    return make

def plain(global_config, **settings):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [("plain at " + environ["SCRIPT_NAME"]).encode()]
    return application

def composite(loader, global_config, **paths):
    applications = {path: loader.get_app(name, global_conf=global_config) for path, name in paths.items()}
    def application(environ, start_response):
        path = max((path for path in applications if environ["PATH_INFO"].startswith(path)), key=len)
        if path != "/":
            environ["SCRIPT_NAME"] += path
            environ["PATH_INFO"] = environ["PATH_INFO"][len(path):]
        return applications[path](environ, start_response)
    return application
'''
INI = """
[DEFAULT]
name = shop

[composite:main]
use = call:shop:composite
/ = shop
/plain = plain

[app:shop]
use = call:shop:main
filter-with = first
shop.setting = of the file
shop.here = %(here)s

[pipeline:piped]
pipeline = first second bare

[app:bare]
use = call:shop:main
shop.setting = bare
shop.here = %(here)s

[app:plain]
use = call:shop:plain

[app:other]
use = config:other.ini#far

[filter:first]
use = call:shop:noting
word = first

[filter:second]
use = call:shop:noting
word = second

[server:main]
use = egg:waitress#main
listen = localhost:6543

[loggers]
keys = root, shop

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = WARNING
handlers = console

[logger_shop]
level = INFO
handlers =
qualname = shop

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(levelname)s of %(name)s: %(message)s
"""
FILES = {"shop.py": PYRAMID, "production.ini": INI, "other.ini": "[app:far]\nuse = call:shop:plain\n"}


def told(name, path="/", files=FILES, **options):
    with hosting(name, files, **options) as host:
        status, body = host.wait_until_ready().get(path)
        assert status == 200, host.log
        return body, host.log, host.output.parent


@pytest.mark.parametrize("server", ["granian", "gunicorn", "wsgiref"])
def test_a_pyramid_application_is_served_with_its_filters_and_its_logging(server):
    body, log, folder = told("config:production.ini", server=server)
    assert json.loads(body) == {
        "setting": "of the file", "here": str(folder), "link": "/", "filters": ["first"],
        "global": ["shop", "production.ini"]}
    assert log == "INFO of shop: the shop is asked for /\n"


@pytest.mark.parametrize("name, path, expected", [
    ("config:production.ini#main", "/plain/x", b"plain at /plain"), ("config:production.ini#plain", "/", b"plain at "),
    ("config:production.ini#other", "/", b"plain at "),
])
def test_sections_are_named(name, path, expected):
    assert told(name, path)[0] == expected


def test_a_pipeline_has_its_filters_in_their_order():
    assert json.loads(told("config:production.ini#piped")[0])["filters"] == ["first", "second"]


def test_the_file_may_stand_in_a_folder_with_its_modules_beside_it():
    files = {f"conf dir/{name}": text for name, text in FILES.items()}
    body, _, folder = told("config:conf dir/production.ini", files=files)
    assert json.loads(body)["here"] == f"{folder}/conf dir"


def test_a_file_that_is_not_there_is_told_in_a_line():
    assert "no such file: " in refusal("config:nothing.ini", FILES)


def test_without_paste_deploy_it_is_told_what_to_install(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = f"{tmp_path}/bare/bin/python"
    with hosting("config:production.ini", FILES, python=python) as host:
        assert host.process.wait(DEADLINE) == 1
        assert f"which is not installed for {python}; run '{python} -m pip install PasteDeploy'" in host.log


def test_a_section_that_is_not_there_is_told():
    with hosting("config:production.ini#nothing", FILES) as host:
        assert host.process.wait(DEADLINE) == 1
        assert "LookupError: No section 'nothing'" in host.log and "mooring_" not in host.log
