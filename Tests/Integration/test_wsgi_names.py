"""How an application is named, and the message where a name leads to none."""

import contextlib
import json
import os
import tempfile
import tomllib
from pathlib import Path

import pytest

from wsgi_host import DEADLINE, Host

ANSWER = '''
import json, sys

def answer(**told):
    def application(environ, start_response):
        body = json.dumps({"file": __file__, "name": __name__, **told}).encode()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]
    return application
'''
ASYNCHRONOUS = '''
class App:
    async def __call__(self, scope, receive, send):
        pass

app = App()
async def application(scope, receive, send):
    pass

def wrapped(scope, receive, send):
    return application(scope, receive, send)

def create_app(*_):
    return app
'''


@contextlib.contextmanager
def hosting(app, files, server="wsgiref", **environ):
    with tempfile.TemporaryDirectory(prefix="m-") as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        host = Host(folder, app, server, **environ)
        try:
            yield host
        finally:
            if host.process.poll() is None:
                host.process.kill()
                host.process.wait()


def told(app, files, **options):
    with hosting(app, files, **options) as host:
        return json.loads(host.wait_until_ready().get()[1])


def refusal(app, files, **options):
    """What is printed, in one line, by a host that ends at once."""
    with hosting(app, files, **options) as host:
        assert host.process.wait(DEADLINE) == 1
        assert len(host.log.splitlines()) == 1, host.log
        return host.log


DJANGO = {"mysite/__init__.py": "", "mysite/wsgi.py": ANSWER + "application = answer()\n"}


@pytest.mark.parametrize("name", ["mysite.wsgi", "mysite.wsgi:application", "mysite/wsgi.py"])
def test_a_project_is_named_by_its_module_or_its_file(name):
    found = told(name, DJANGO)
    assert found["name"] == "mysite.wsgi"
    assert found["file"].endswith("mysite/wsgi.py")


def test_a_script_is_preferred_to_a_module_of_that_name():
    files = DJANGO | {"mysite.wsgi": ANSWER + "application = answer(script=True)\n"}
    assert told("mysite.wsgi", files)["script"] is True


def test_a_file_is_the_module_that_others_import():
    files = {
        "app.py": ANSWER + "import sys\nloads = sys.__dict__.setdefault('loads', [])\nloads.append(__name__)\n"
                           "from views import seen\napplication = answer(loads=loads, seen=seen)\n",
        "views.py": "import app\nseen = app.__name__\n"}
    found = told("app.py", files)
    assert (found["loads"], found["seen"], found["name"]) == (["app"], "app", "app")


def test_a_file_that_hides_behind_another_module_is_loaded_all_the_same():
    files = {"argparse.py": "import argparse\n" + ANSWER + "application = answer(mine=True)\n"}
    assert told("argparse.py", files)["mine"]


def test_a_file_whose_name_is_no_identifier_is_loaded():
    assert told("my-app.py", {"my-app.py": ANSWER + "application = answer()\n"})["file"].endswith("my-app.py")


def test_a_file_in_a_folder_comes_before_one_of_that_name_in_the_working_directory():
    files = {"app.py": "raise ImportError('the wrong one')", "shop/app.py": ANSWER + "application = answer()\n"}
    found = told("shop/app.py", files)
    assert (found["name"], found["file"].endswith("shop/app.py")) == ("app", True)


def test_spawned_workers_find_the_functions_of_a_file():
    text = ANSWER + '''
import multiprocessing

def square(number):
    return number * number

def application(environ, start_response):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.map(square, range(4))
    return answer(result=result)(environ, start_response)
'''
    assert told("app.py", {"app.py": text})["result"] == [0, 1, 4, 9]


@pytest.mark.parametrize("call, wanted", [
    ("create_app()", [[], {}]), ("create_app('a:b', 1)", [["a:b", 1], {}]),
    ("create_app({'x': [1, None]}, debug=False)", [[{"x": [1, None]}], {"debug": False}]),
    ("factories.create_app( )", [[], {}]),
])
@pytest.mark.parametrize("place", ["app", "app.py"])
def test_a_factory_is_called_with_literal_arguments(place, call, wanted):
    text = ANSWER + '''
def create_app(*positional, **keywords):
    return answer(arguments=[positional, keywords])

class factories:
    create_app = staticmethod(create_app)
'''
    assert told(f"{place}:{call}", {"app.py": text})["arguments"] == wanted


@pytest.mark.parametrize("place", ["app", "app.py", "app.wsgi"])
def test_app_is_taken_where_there_is_no_application(place):
    name = place if "." in place else place + ".py"
    assert told(place, {name: ANSWER + "app = answer(flask=True)\n"})["flask"]


def test_application_comes_before_app():
    assert told("app", {"app.py": ANSWER + "app = answer(which=1)\napplication = answer(which=2)\n"})["which"] == 2


@pytest.mark.parametrize("name", [
    "app", "app:app", "app:wrapped", "app.py:app", "app:create_app()", 'app:create_app("x")', "app.wsgi:app"])
def test_an_asgi_application_is_refused_with_the_line_to_write(name):
    said = refusal(name, {"app.py": ASYNCHRONOUS, "app.wsgi": ASYNCHRONOUS})
    assert "is an ASGI application; instead of wsgi, set asgi = " in said
    assert tomllib.loads(said[said.index("asgi = "):]) == {"asgi": name}


@pytest.mark.parametrize("name, says", [
    ("app:missing", "app has no callable named 'missing'"), ("app:number", "no callable named 'number'"),
    ("app:missing()", "no callable named 'missing'"), ("app:broken()", "returned NoneType"),
    ("app:broken(open('x'))", "a call with literal arguments"), ("app:a b", "write a name"),
    ("app:broken(*[1])", "a call with literal arguments"), ("app:broken(**{'a': 1})", "a call with literal arguments"),
    ("app", "has no callable named 'application' or 'app'"), ("missing.py", "no such file: missing.py"),
    ("missing.wsgi", "no such file: missing.wsgi"), ("sub/missing", "no such file: sub/missing"),
    ("mysite.wsgi", "and no module of that name"),
])
def test_a_name_that_leads_nowhere_is_told_in_a_line(name, says):
    assert says in refusal(name, {"app.py": "number = 1\ndef broken(*_):\n    pass\n"})


FACTORIES = """
import functools

class Flask:
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [b"made"]

def plain():
    return Flask()

def configured(config, *, debug=False):
    return Flask()

def doubtful(config=None, debug=False):
    return Flask()

def given_a_request(function):
    @functools.wraps(function)
    def application(*arguments):
        return function("request")(*arguments)
    return application

@given_a_request
def decorated(request):
    return Flask()
"""


@pytest.mark.parametrize("place", ["app", "app.py"])
@pytest.mark.parametrize("factory, advice", [
    ("plain", "name the callable: {}:plain()"),
    ("configured", "name the callable with its arguments, as {}:configured(\"production\")"),
])
def test_a_factory_without_its_call_is_refused_with_what_to_write(place, factory, advice):
    said = refusal(f"{place}:{factory}", {"app.py": FACTORIES})
    assert "does not take (environ, start_response)" in said and said.endswith(advice.format(place) + "\n")


def test_a_function_made_by_a_decorator_is_judged_by_what_it_takes_itself():
    with hosting("app:decorated", {"app.py": FACTORIES}) as host:
        assert host.wait_until_ready().get() == (200, b"made")


@pytest.mark.parametrize("server", ["granian", "wsgiref"])
def test_a_factory_that_looks_like_an_application_is_told_by_what_it_returns(server):
    with hosting("app.py:doubtful", {"app.py": FACTORIES}, server=server) as host:
        assert host.wait_until_ready().get()[0] == 500
        assert host.log.splitlines()[-1] == (
            "TypeError: app.py:doubtful returned an application instead of a body (Flask); "
            "name the callable: app.py:doubtful()")


def test_a_module_that_fails_to_import_is_told_by_its_own_traceback():
    files = DJANGO | {"mysite/wsgi.py": "import no_such_library\n"}
    with hosting("mysite.wsgi", files) as host:
        assert host.process.wait(DEADLINE) == 1
        assert host.log.splitlines()[-1] == "ModuleNotFoundError: No module named 'no_such_library'"
        assert "mooring_" not in host.log


PATCHED = "from gevent import monkey\nmonkey.patch_all()\n" + ANSWER + '''
import threading, time

gate = threading.Event()
waiting = []

def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        waiting.append(1)
        gate.wait(10)
    if environ["PATH_INFO"] == "/open":
        gate.set()
    return answer(waiting=len(waiting), uri=environ["REQUEST_URI"])(environ, start_response)
'''


def test_an_application_that_patches_for_gevent_is_served_by_gevent():
    pytest.importorskip("gevent")
    with hosting("app.py", {"app.py": PATCHED}, server="auto", MOORING_THREADS="4") as host:
        host.wait_until_ready()
        idle = [host.get("/%20x") for _ in range(8)]
        assert {status for status, _ in idle} == {200}
        assert json.loads(idle[0][1])["uri"] == "/%20x"
        assert host.get("/", method="HEAD") == (200, b"")
        assert host.get("/", method="POST", body=iter([b"in ", b"chunks"]))[0] == 200
        status, seconds = host.stop()
        assert (status, host.log) == (0, "")
        assert seconds < 2
        assert not os.path.exists(host.socket)


def test_gevent_finishes_what_is_in_flight_when_it_is_stopped():
    import threading

    pytest.importorskip("gevent")
    from wsgi_host import UnixConnection, wait_until

    with hosting("app.py", {"app.py": PATCHED}, server="auto") as host:
        host.wait_until_ready()
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(host.get("/wait")))
        waiting.start()
        wait_until(lambda: json.loads(host.get()[1])["waiting"] == 1)
        opener = UnixConnection(host.socket)
        opener.request("GET", "/open")
        opener.getresponse().read()
        assert host.stop()[0] == 0
        waiting.join()
        assert answers[0][0] == 200


def test_granian_is_refused_under_gevent_with_what_to_set():
    pytest.importorskip("gevent")
    assert 'set server = "auto"' in refusal("app.py", {"app.py": PATCHED}, server="granian")


@pytest.mark.parametrize("server", ["gunicorn", "waitress", "wsgiref"])
def test_other_servers_serve_under_gevent_when_they_are_asked_for(server):
    pytest.importorskip("gevent")
    with hosting("app.py", {"app.py": PATCHED}, server=server) as host:
        assert host.wait_until_ready().get()[0] == 200
        assert host.stop()[0] == 0
