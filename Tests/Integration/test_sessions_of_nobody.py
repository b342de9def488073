"""A session belongs to a client that has its cookie; what its process is told of it is true."""

import os
import re
import signal

import pytest

from balancer import ECHO, Balancer, serving, wait_until
from origin import Origin
from test_error_pages import NAVIGATION, STARTING

PLACES = '[group.a]\nwsgi = "app.py"\nprocesses = 1\nsessions_per_process = 1\n'
LATE = ECHO + """
echo = application

def application(environ, start_response):
    if environ["PATH_INFO"] == "/late":
        time.sleep(1)
    return echo(environ, start_response)
"""



@pytest.mark.parametrize("places", ["", "sessions_per_process = 1\n"])
def test_a_refused_session_is_over_and_the_next_request_begins_another(places):
    configuration = f'[group.a]\nwsgi = "app.py"\nprocesses = 1\n{places}affinity = {{ on_lost = "refuse" }}\n'
    balancer = Balancer(configuration, files={"app.py": ECHO}, keeps_address=True)
    try:
        cookie = balancer.request().cookie
        [pid] = balancer.wait_ready("a", 1)
        balancer.crash()
        os.kill(pid, signal.SIGKILL)
        balancer.start()
        refused = balancer.request(cookie=cookie, headers=NAVIGATION)
        assert refused.status == 503 and refused.cookie == ""
        assert "Max-Age=0" in refused.headers["Set-Cookie"]
        assert balancer.request().json()["affinity"] == "new"
    finally:
        balancer.stop()


def test_a_session_with_a_place_is_lost_with_its_process_and_the_balancer():
    balancer = Balancer(PLACES, files={"app.py": ECHO}, keeps_address=True)
    try:
        cookie = balancer.request().cookie
        [pid] = balancer.wait_ready("a", 1)
        balancer.crash()
        os.kill(pid, signal.SIGKILL)
        balancer.start()
        assert balancer.request(cookie=cookie).json()["affinity"] == "lost"
        wait_until(lambda: balancer.verdicts()[-1:] == [["gone", "moved"]], what="the log")
    finally:
        balancer.stop()


def test_a_visitor_without_an_answer_leaves_no_session():
    configuration = PLACES + 'threads = 4\ntimeouts = { response = "300ms" }\n'
    with serving(configuration, files={"app.py": "import time\n" + LATE}) as balancer:
        balancer.wait_ready("a", 1)
        failed = balancer.request("/late")
        assert failed.status == 504 and failed.cookie is None
        wait_until(lambda: balancer.verdicts()[-1:] == [["none", "unpinned"]], what="the log")
        wait_until(lambda: balancer.group("a")["sessions"]["live"] == 0, 5, what="the end of the session")
        assert balancer.request().json()["affinity"] == "new"


def test_a_visitor_whom_no_server_can_serve_leaves_no_session():
    with serving('[group.a]\nservers = ["127.0.0.1:9"]\n') as balancer:
        answer = balancer.request()
        assert answer.status in (502, 503) and answer.cookie is None
        assert balancer.group("a")["sessions"]["live"] == 0
        wait_until(lambda: "cannot be reached: Connection refused" in balancer.log, what="the reason")
        # Once the server may be tried again, it has still not answered.
        wait_until(lambda: balancer.group("a")["processes"][0]["state"] == "down", what="the server's state")
        assert balancer.group("a")["state"] == "failing"


def test_the_first_request_after_a_waiting_page_is_new_to_the_application():
    slow = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)\n" + ECHO
    with serving(STARTING, files={"app.py": slow}) as balancer:
        page = balancer.request("/", headers=NAVIGATION)
        assert page.status == 503 and page.cookie
        (balancer.folder / "go").touch()
        wait_until(lambda: balancer.group("app")["sessions"]["live"] == 1, what="the place to become a session")
        assert balancer.group("app")["processes"][0]["requests_total"] == 0
        first = balancer.request("/", cookie=page.cookie)
        assert first.json()["affinity"] == "new"
        assert balancer.request("/", cookie=first.cookie).json()["affinity"] == "kept"


def test_why_a_response_is_no_good_is_in_the_log():
    scripts = {
        "/two": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "/large": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n",
    }
    with Origin(scripts) as origin:
        groups = "".join(f"[group.{name}]\nservers = [{origin.server}]\n" for name in "ab")
        routes = '[routes]\n"/two" = "a"\n"/large" = "b"\n'
        with serving(groups + routes) as balancer:
            for path, group, reason in (("/two", "a", "length"), ("/large", "b", "limits.request_head is 32768 bytes")):
                assert balancer.request(path).status == 502
                line = wait_until(lambda g=group: re.search(rf".*in group {g} is answered with 502 instead.*", balancer.log))
                assert reason in line[0]
