"""X-Request-Id and traceparent: passed on, or given to a request that comes without."""

import json
import re

import pytest

import http2
from balancer import serving, wait_until
from origin import Origin

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
NAMES = ("x-request-id", "traceparent", "tracestate")


@pytest.fixture(scope="module")
def origin():
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f'[group.app]\nservers = [{origin.server}]\nthreads = 50\n[routes]\n"/app" = "app"\n') as balancer:
        yield balancer


def seen(origin):
    """The fields of the three names that the process was sent last, in order."""
    return [(name, value) for name, value in origin.requests[-1][1] if name in NAMES]


def over_http1(balancer, fields):
    balancer.request("/app/x", headers=fields)


def over_http2(balancer, fields):
    with http2.Connection(balancer.address) as connection:
        lines = [(name.lower(), value) for name, value in fields.items()]
        answer = connection.get(http2.request("/app/x", "GET", "a", *lines))
        assert answer.status == 200


@pytest.fixture(params=[over_http1, over_http2], ids=["http1", "http2"])
def ask(request):
    return request.param


def test_a_request_without_an_id_and_a_trace_is_given_both(balancer, origin, ask):
    ids = set()
    for _ in range(3):
        ask(balancer, {})
        given = dict(seen(origin))
        assert re.fullmatch("[0-9a-f]{32}", given["x-request-id"])
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", given["traceparent"])
        assert given["traceparent"].split("-")[1] == given["x-request-id"]
        ids.add(given["x-request-id"])
    assert len(ids) == 3


def test_what_the_client_sends_is_passed_on(balancer, origin, ask):
    ask(balancer, {"X-Request-Id": "client/1", "traceparent": TRACE, "tracestate": "a=1"})
    assert sorted(seen(origin)) == [
        ("traceparent", TRACE), ("tracestate", "a=1"), ("x-request-id", "client/1")]


def test_what_is_of_no_known_form_is_replaced(balancer, origin, ask):
    ask(balancer, {"X-Request-Id": "<b>", "traceparent": "00-x", "tracestate": "a=1"})
    given = seen(origin)
    assert sorted(name for name, _ in given) == ["traceparent", "x-request-id"]
    assert "<b>" not in dict(given).values() and "00-x" not in dict(given).values()


def test_an_answer_of_moorings_own_tells_the_id(balancer):
    assert balancer.request("/none", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"
    assert re.fullmatch("[0-9a-f]{32}", balancer.request("/none").headers["X-Request-Id"])


def test_a_listener_without_them_adds_and_drops_nothing(origin):
    listen = "request_id = false\ntraceparent = false\n"
    with serving(f"{listen}[group.app]\nservers = [{origin.server}]\n") as balancer:
        balancer.request("/")
        assert seen(origin) == []
        balancer.request("/", headers={"X-Request-Id": "a b", "traceparent": "x"})
        assert sorted(seen(origin)) == [("traceparent", "x"), ("x-request-id", "a b")]
        assert "X-Request-Id" not in balancer.raw(b"GET / HTTP/1.1\r\n\r\n").decode()


def test_the_log_has_the_id_that_the_process_was_given(origin):
    log = '[log]\naccess = "access.log"\naccess_format = "json"\n'
    with serving(f"[group.app]\nservers = [{origin.server}]\n{log}") as balancer:
        balancer.request("/")
        path = balancer.folder / "access.log"
        line = wait_until(lambda: path.exists() and path.read_text())
        assert json.loads(line)["request_id"] == dict(seen(origin))["x-request-id"]
