"""What visitors see where Mooring answers by itself: pages, problems, text, and a page to wait on."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

import http2
from balancer import BINARY, VENV, serving, wait_until
from origin import Origin

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
BROKEN = {"/broken!": b"", "/silent": lambda connection, request: time.sleep(30)}


@pytest.fixture(scope="module")
def origin():
    with Origin(BROKEN) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    text = f"""
[timeouts]
response = "1s"
[limits]
request_body = "1KiB"
[group.secret-name]
servers = [{origin.server}]
threads = 50
retries = 0
[group.nobody-there]
servers = ["127.0.0.1:1"]
[routes]
"/app" = {{ group = "secret-name", strip_prefix = true }}
"/none" = "nobody-there"
"""
    with serving(text) as balancer:
        yield balancer


CASES = [("/missing", 404), ("/app/broken!", 502), ("/app/silent", 504), ("/app/large", 413)]


def answers(balancer, path, accept):
    """The answers over HTTP/1.1 and HTTP/2: status, media type, body."""
    body = b"x" * 2000 if path.endswith("large") else None
    method = "POST" if body else "GET"
    answer = balancer.request(path, method, body, headers={"Accept": accept})
    yield answer.status, answer.headers["Content-Type"], answer.body
    with http2.Connection(balancer.address) as connection:
        fields = http2.request(path, method, "a", ("accept", accept))
        if body:
            fields.append(("content-length", str(len(body))))
        answer = connection.wait(connection.ask(fields, end=not body))
        yield answer.status, answer.fields["content-type"], answer.body


@pytest.mark.parametrize("path, status", CASES)
def test_a_browser_is_shown_a_page_without_names_of_the_inside(balancer, path, status):
    for seen, kind, body in answers(balancer, path, NAVIGATION["Accept"]):
        assert (seen, kind) == (status, "text/html; charset=utf-8")
        assert b"<!doctype html>" in body and b"<title>" in body
        for name in b"secret-name", b"nobody-there", b"127.0.0.1", b"mooring", b"process":
            assert name not in body.lower()


@pytest.mark.parametrize("path, status", CASES)
def test_a_program_is_told_a_problem(balancer, path, status):
    for seen, kind, body in answers(balancer, path, "application/json, text/plain, */*"):
        assert (seen, kind) == (status, "application/problem+json")
        problem = json.loads(body)
        assert problem["status"] == status and re.fullmatch("[0-9a-f]{32}", problem["request_id"])
        assert "secret-name" not in body.decode()


@pytest.mark.parametrize("path, status", CASES)
def test_others_are_told_in_text(balancer, path, status):
    for seen, kind, body in answers(balancer, path, "*/*"):
        assert (seen, kind) == (status, "text/plain; charset=utf-8")
        assert body.startswith(b"%d " % status) and b"<" not in body


def test_a_page_names_the_request_and_proxy_status_no_group(balancer):
    answer = balancer.request("/none", headers={**NAVIGATION, "X-Request-Id": "seen-7"})
    assert b"seen-7" in answer.body and answer.headers["X-Request-Id"] == "seen-7"
    assert answer.headers["Proxy-Status"].startswith("mooring; error=")
    assert "nobody-there" not in str(answer.headers)


PAGES = """
[group.app]
command = ["sleep", "600"]
queue = 0
errors = { 503 = "busy.html" }
[routes]
"/" = "app"
"/own" = { group = "app", errors = { 503 = "own.html" } }
"""


def test_groups_and_routes_have_pages_of_their_own_which_a_reload_reads_anew():
    with serving(PAGES, files={"busy.html": "<p>busy one</p>", "own.html": "<p>own</p>"}) as balancer:
        def page(path):
            answer = balancer.request(path, headers=NAVIGATION)
            assert answer.status == 503 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert int(answer.headers["Retry-After"]) == int(answer.headers["Refresh"])
            return answer.body

        assert page("/") == b"<p>busy one</p>" and page("/own/x") == b"<p>own</p>"
        answer = balancer.request("/")
        assert answer.status == 503 and answer.body.startswith(b"503 ") and "Refresh" not in answer.headers
        # Read at the start, not with each request.
        (balancer.folder / "busy.html").write_text("<p>busy two</p>")
        assert page("/") == b"<p>busy one</p>"
        balancer.process.send_signal(signal.SIGHUP)
        wait_until(lambda: page("/") == b"<p>busy two</p>", what="the new page")
        (balancer.folder / "own.html").unlink()
        balancer.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "own.html" in balancer.log, what="the refusal of the reload")
        assert page("/own/x") == b"<p>own</p>"


SLOW = """
import os, time
while not os.path.exists("go"):
    time.sleep(0.05)

def application(environ, start_response):
    session = environ.get("HTTP_MOORING_SESSION", "")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {session}".encode()]
"""
STARTING = '[group.app]\nwsgi = "app.py"\nprocesses = { min = 0, max = 3 }\nsessions_per_process = 1\n'


def test_a_page_for_refusals_is_not_shown_to_who_waits():
    own = STARTING + 'errors = { 503 = "busy.html" }\n'
    with serving(own, files={"app.py": SLOW, "busy.html": "<p>come back tomorrow</p>"}) as balancer:
        answer = balancer.request("/", headers=NAVIGATION)
        assert answer.status == 503 and answer.cookie and b"tomorrow" not in answer.body
        assert re.search(b'<meta http-equiv="refresh" content="[0-9]+">', answer.body)


def test_a_visitor_waits_on_a_page_and_keeps_the_place():
    with serving(STARTING, files={"app.py": SLOW}) as balancer:
        first = balancer.request("/", headers=NAVIGATION)
        assert first.status == 503 and first.cookie and int(first.headers["Retry-After"]) > 0
        assert re.search(b'<meta http-equiv="refresh" content="[0-9]+">', first.body)
        # Still none: the page again, and the cookie holds.
        second = balancer.request("/", headers=NAVIGATION, cookie=first.cookie)
        assert second.status == 503 and second.cookie is None
        (balancer.folder / "go").touch()
        wait_until(lambda: balancer.group("app")["sessions"]["live"] == 1, what="the place to become a session")
        served = balancer.request("/", headers=NAVIGATION, cookie=first.cookie)
        assert served.status == 200 and served.cookie
        again = balancer.request("/", headers=NAVIGATION, cookie=served.cookie)
        assert again.body == served.body and again.cookie is None
        assert balancer.group("app")["sessions"]["live"] == 1


def test_only_a_browser_that_navigates_is_shown_the_page():
    with serving(STARTING, files={"app.py": SLOW}) as balancer:
        with http2.Connection(balancer.address) as connection:
            fields = [("accept", "text/html"), ("sec-fetch-mode", "cors")]
            waiting = [
                connection.ask(http2.request("/a", "GET", "a", ("accept", "*/*"), ("x-a", "1"))),
                connection.ask(http2.request("/b", "GET", "a", *fields, ("x-a", "2"))),
                connection.ask(http2.request("/c", "GET", "a", ("accept", "text/html"), ("x-a", "3"))),
            ]
            assert connection.wait(waiting[2]).status == 503
            (balancer.folder / "go").touch()
            assert [connection.wait(stream).status for stream in waiting[:2]] == [200, 200]


FRAGILE = """
import http.server, os
if os.path.exists("bad"):
    raise RuntimeError("<b>broken</b> & more")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open("bad", "w").close()
        os._exit(3)

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_under_run_the_page_shows_what_the_process_wrote_last_escaped(tmp_path):
    (tmp_path / "fragile.py").write_text(FRAGILE)
    environment = {
        **os.environ, "PATH": f"{VENV}:{os.environ['PATH']}", "STATE_DIRECTORY": str(tmp_path / "s"),
        "RUNTIME_DIRECTORY": str(tmp_path / "r")}
    command = ["env", "PORT={port}", "python3", "fragile.py"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(
            [BINARY, "run", "--listen", "127.0.0.1:0", "--", *command], cwd=tmp_path,
            env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            host, port = re.search(r"serving on (\S+?):(\d+)", process.stdout.readline()).groups()

            def page():
                connection = http.client.HTTPConnection(host, int(port), timeout=60)
                with contextlib.closing(connection):
                    connection.request("GET", "/", headers=NAVIGATION)
                    response = connection.getresponse()
                    body = response.read()
                    return response.status in (502, 503) and b"RuntimeError" in body and body

            body = wait_until(page, 60, what="a page with the traceback")
            assert b"&lt;b&gt;broken&lt;/b&gt; &amp; more" in body and b"<b>" not in body
        finally:
            process.terminate()
            process.wait(30)
