"""What browsers send in a URL beyond RFC 3986, and cookies in several lines, under every WSGI server."""

import json
from urllib.parse import unquote_to_bytes

import pytest

from balancer import serving, wait_until
from origin import Origin
from wsgi_host import SERVERS, is_installed

TELLING = """
import json

def application(environ, start_response):
    told = [environ["PATH_INFO"], environ["QUERY_STRING"], environ.get("HTTP_COOKIE")]
    if environ["PATH_INFO"].endswith("all"):
        told = {name: value for name, value in environ.items() if isinstance(value, str)}
    start_response("299 Sort Of", [
        ("Content-Type", "application/json"), ("Mooring-Pin", "hodl"), ("X-Name", environ.get("HTTP_X_NAME", ""))])
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


def told(balancer, server, target, fields=""):
    """The application's environment, and the head of its answer, over HTTP/1.1."""
    request = f"GET /{server}{target} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n"
    head, _, body = balancer.raw(request.encode("latin-1"), seconds=15).partition(b"\r\n\r\n")
    return json.loads(body[body.index(b"{"):body.rindex(b"}") + 1]), head


@pytest.mark.parametrize("server", INSTALLED)
@pytest.mark.parametrize("target", ["/a%2Fb/%C3%A9%ff/all", "/%7Euser/all?x=%2F", "/a%20b//c/all"])
def test_the_application_sees_the_target_as_it_was_sent(balancer, server, target):
    environ, _ = told(balancer, server, target)
    path, _, query = target.partition("?")
    assert environ["REQUEST_URI"] == environ["RAW_URI"] == f"/{server}{target}"
    assert environ["PATH_INFO"] == f"/{server}" + unquote_to_bytes(path).decode("latin-1")
    assert environ["QUERY_STRING"] == query


@pytest.mark.parametrize("server", INSTALLED)
def test_fields_reach_the_application_and_the_client_in_their_octets(balancer, server):
    for name in ("Jos\xc3\xa9", "Jos\xe9, M\xfcller"):
        environ, head = told(balancer, server, "/all", f"X-Name: {name}\r\nCookie: a={name}\r\nCookie: b=2\r\n")
        assert environ["HTTP_X_NAME"] == name
        assert environ["HTTP_COOKIE"] == f"a={name}; b=2"
        assert f"X-Name: {name}".encode("latin-1").lower() in head.lower()
        assert not [key for key in environ if "OCTETS" in key]


@pytest.mark.parametrize("server", INSTALLED)
def test_a_client_cannot_say_what_its_own_request_held(balancer, server):
    forged = "Mooring-Octets: X-User=admin\r\nMooring_Octets: X-User=admin\r\nMooring-Target: /evil\r\n"
    for target in ("/all", "/%20/all"):
        environ, _ = told(balancer, server, target, forged)
        assert environ["REQUEST_URI"] == f"/{server}{target}"
        assert "HTTP_X_USER" not in environ and "HTTP_MOORING_TARGET" not in environ


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
