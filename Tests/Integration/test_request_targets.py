"""What browsers send in a URL beyond RFC 3986, and cookies in several lines, under every WSGI server."""

import json

import pytest

from balancer import serving, wait_until
from origin import Origin
from wsgi_host import SERVERS, is_installed

TELLING = """
import json

def application(environ, start_response):
    told = [environ["PATH_INFO"], environ["QUERY_STRING"], environ.get("HTTP_COOKIE")]
    start_response("299 Sort Of", [("Content-Type", "application/json"), ("Mooring-Pin", "hodl")])
    return [json.dumps(told).encode()]
"""
INSTALLED = list(filter(is_installed, SERVERS))


@pytest.fixture(scope="module")
def origin():
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    groups = "".join(f'[group.{name}]\nwsgi = "app.py"\nserver = "{name}"\n' for name in INSTALLED)
    routes = "".join(f'"/{name}" = "{name}"\n' for name in INSTALLED)
    with serving(
            f'{groups}[group.plain]\nservers = [{origin.server}]\n[routes]\n"/" = "plain"\n{routes}',
            files={"app.py": TELLING}) as balancer:
        yield balancer


def ask(balancer, target, fields=""):
    whole = balancer.raw(
        f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n".encode(), seconds=15)
    head, _, body = whole.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


@pytest.mark.parametrize("server", INSTALLED)
@pytest.mark.parametrize("path, query", [("<a>`", "x=1"), ("a\"{|}", "x=<b>\"`{|}"), ("plain", "")])
def test_what_browsers_send_in_a_url_reaches_the_application(balancer, server, path, query):
    head, body = ask(balancer, f"/{server}/{path}?{query}")
    assert " 299 " in head.splitlines()[0]
    told = json.loads(body[body.index(b"["):body.index(b"]") + 1])
    said = query.replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
    assert told[0] == f"/{server}/{path}"
    assert told[1] in ((said, ) if server == "granian" else (query, ))


def test_other_programs_get_the_url_as_it_came(balancer, origin):
    ask(balancer, '/<a>`"?x=<b>"`')
    assert origin.requests[-1][0] == 'GET /<a>`"?x=<b>"` HTTP/1.1'


@pytest.mark.parametrize("server", INSTALLED)
def test_cookies_in_several_lines_stay_apart(balancer, server):
    _, body = ask(balancer, f"/{server}/", "Cookie: a=1\r\nX: y\r\nCookie: mooring=z; b=2\r\n")
    assert b'"a=1; b=2"' in body


@pytest.mark.parametrize("server", INSTALLED)
def test_a_status_without_a_known_reason_has_none_that_is_made_up(balancer, server):
    line = ask(balancer, f"/{server}/")[0].splitlines()[0]
    assert line == ("HTTP/1.1 299 " if server == "granian" else "HTTP/1.1 299 Sort Of")


def test_a_misspelt_pin_is_logged(balancer):
    ask(balancer, "/granian/")
    wait_until(lambda: "answers with 'Mooring-Pin: hodl', which is ignored" in balancer.log, what="the line")
