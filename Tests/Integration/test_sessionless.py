"""Requests that can have no session take none: no cookie, no session's place, only a slot."""

import threading

import pytest

from balancer import ECHO, serving, wait_until
from http2 import Connection, request

PREFLIGHT = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}

# One process for each session: a session that takes a place without need locks others out.
DEDICATED = """
[group.app]
wsgi = "app.py"
server = "waitress"
processes = {processes}
threads = 4
sessions_per_process = 1
queue_timeout = "2s"
health = {{ path = "/healthz?full=1", interval = "1h" }}
affinity = {{ unconfirmed = "1h" }}
[routes]
"/" = "app"
"/open" = {{ group = "app", affinity = {{ pin = "never" }} }}
"/shop" = {{ group = "app", strip_prefix = true }}
"""


def serve(processes=1):
    return serving(DEDICATED.format(processes=processes), files={"app.py": ECHO})


def confirmed(balancer):
    """A visitor whose session cannot give way, since the cookie has come back."""
    first = balancer.request()
    assert balancer.request(cookie=first.cookie).json()["session"] == first.json()["session"]
    return first


@pytest.fixture(scope="module")
def full():
    """Two processes for one session each, both taken."""
    with serve(2) as balancer:
        balancer.wait_ready("app", 2)
        visitors = [confirmed(balancer), confirmed(balancer)]
        assert balancer.request().status == 503
        yield balancer, visitors


def sessions(balancer):
    return balancer.group("app")["sessions"]["live"]


ASKS = {
    "a preflight": {"method": "OPTIONS", "path": "/x", "headers": PREFLIGHT},
    "a route without sessions": {"path": "/open/x"},
    "a health check": {"path": "/healthz"},
    "a health check with another query": {"path": "/healthz?a=1", "method": "HEAD"},
    "a health check below a stripped prefix": {"path": "/shop/healthz"},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_it_is_served_while_all_session_places_are_taken(full, ask):
    balancer, _ = full
    answer = balancer.request(**ask)
    assert (answer.status, answer.cookie, sessions(balancer)) == (200, None, 2)
    if answer.body:
        assert (answer.json()["session"], answer.json()["affinity"]) == ("", "")


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_a_valid_cookie_leads_it_to_the_own_process_of_the_session(full, ask):
    balancer, visitors = full
    for visitor in visitors:
        for _ in range(3):
            answer = balancer.request(**ask, cookie=visitor.cookie)
            assert (answer.status, answer.cookie) == (200, None)
            if answer.body:
                assert answer.json()["pid"] == visitor.json()["pid"]
                assert answer.json()["session"] == visitor.json()["session"]


@pytest.mark.parametrize("ask", [
    {"method": "OPTIONS", "headers": {"Origin": "https://a.example"}},
    {"method": "OPTIONS", "headers": {"Access-Control-Request-Method": "POST"}},
    {"method": "POST", "headers": PREFLIGHT},
    {"path": "/healthz", "headers": BROWSER},
    {"path": "/healthz", "method": "POST"},
    {"path": "/healthz/x"},
    {"path": "/health"},
], ids=str)
def test_what_only_looks_like_it_is_a_visit(ask):
    with serve() as balancer:
        balancer.wait_ready("app", 1)
        answer = balancer.request(**ask)
        assert answer.status == 200 and answer.cookie and sessions(balancer) == 1


def test_a_stream_of_http_2_takes_no_session_either(full):
    balancer, _ = full
    with Connection(balancer.address) as connection:
        fields = [(name.lower(), value) for name, value in PREFLIGHT.items()]
        for path, method, more in (("/x", "OPTIONS", fields), ("/open/x", "GET", []), ("/healthz", "GET", [])):
            answer = connection.get(request(path, method, "a", *more))
            assert answer.status == 200
            assert "set-cookie" not in answer.fields
    assert sessions(balancer) == 2


def test_a_page_with_preflights_fits_into_one_place():
    with serve() as balancer:
        balancer.wait_ready("app", 1)
        page = confirmed(balancer)
        for number in range(5):
            assert balancer.request(f"/api/{number}", "OPTIONS", headers=PREFLIGHT).status == 200
            assert balancer.request(f"/api/{number}", "POST", cookie=page.cookie).json()["session"] \
                == page.json()["session"]
        assert sessions(balancer) == 1


def test_it_does_not_stand_behind_visitors_who_wait_for_a_place():
    with serve() as balancer:
        balancer.wait_ready("app", 1)
        confirmed(balancer)
        answers = []
        visitor = threading.Thread(target=lambda: answers.append(balancer.request().status))
        visitor.start()
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 1, what="the visitor's wait")
        assert balancer.request("/open/x").status == 200
        assert balancer.request("/x", "OPTIONS", headers=PREFLIGHT).status == 200
        assert not answers
        visitor.join()
        assert answers == [503]


def test_a_lost_session_is_no_matter_to_it():
    more = 'affinity = { on_lost = "refuse" }\nhealth = { path = "/healthz", interval = "1h" }\n'
    configuration = f'[group.app]\nwsgi = "app.py"\nthreads = 2\n{more}' \
        '[routes]\n"/" = "app"\n"/open" = { group = "app", affinity = { pin = "never" } }\n'
    with serving(configuration, files={"app.py": ECHO}) as balancer:
        visitor = balancer.request()
        process = balancer.group("app")["processes"][0]
        assert balancer.admin(f"/processes/{process['id']}/stop", "POST").status < 300
        wait_until(lambda: process["pid"] not in balancer.pids("app"), what="the process's end")
        balancer.wait_ready("app", 1)
        for ask in ASKS["a preflight"], ASKS["a route without sessions"], ASKS["a health check"]:
            answer = balancer.request(**ask, cookie=visitor.cookie)
            assert answer.status == 200 and answer.json()["session"] == ""
        assert balancer.request(cookie=visitor.cookie).status == 503


def test_its_cookie_keeps_the_session_alive():
    configuration = '[group.app]\nwsgi = "app.py"\nthreads = 2\naffinity = { unconfirmed = "30s" }\n' \
        '[routes]\n"/" = "app"\n"/open" = { group = "app", affinity = { pin = "never" } }\n'
    with serving(configuration, files={"app.py": ECHO}) as balancer:
        visitor = balancer.request()
        assert balancer.group("app")["sessions"]["unconfirmed"] == 1
        balancer.request("/open/x", cookie=visitor.cookie)
        assert balancer.group("app")["sessions"]["unconfirmed"] == 0
        assert sessions(balancer) == 1
