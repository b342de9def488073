"""What is forgiven in HTTP/1, and of whom: older and newer versions, empty lines, lines without CR."""

import socket

import pytest

import http2
from balancer import serving
from origin import Origin

BARE = b"HTTP/1.1 200 OK\nX-One: 1\nSet-Cookie: a=b\n"
SCRIPTS = {
    "/bare": BARE + b"Content-Length: 2\n\nok",
    "/mixed": b"HTTP/1.1 200 OK\r\nX-One: 1\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\nok",
    "/hints": b"HTTP/1.1 103 Early Hints\nLink: </a>\n\n" + BARE + b"Content-Length: 2\n\nok",
    "/newer": b"HTTP/1.2 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "/older": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
}
KEPT = b"Host: a\r\nConnection: keep-alive\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"[group.app]\nservers = [{origin.server}]\nthreads = 50\n") as balancer:
        yield balancer


def get(path, version="1.1"):
    return f"GET {path} HTTP/{version}\r\nHost: a\r\n\r\n".encode()


@pytest.mark.parametrize("path", ["/bare", "/mixed", "/hints"])
def test_a_head_of_a_process_without_cr_reaches_the_client_with_it(balancer, path):
    out = balancer.raw(get(path) + LAST)
    assert out.count(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nSet-Cookie: a=b\r\n") == 1 and b"\r\n\r\nok" in out
    assert out.count(b"\n") == out.count(b"\r\n") and out.count(b"HTTP/1.1 200") == 2
    assert (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" in out) == (path == "/hints")


def test_a_head_of_a_process_without_cr_reaches_a_client_of_http2(balancer):
    with http2.Connection(balancer.address) as connection:
        answer = connection.get(http2.request("/hints"))
    assert answer.status == 200 and answer.body == b"ok" and answer.fields["x-one"] == "1"


def test_a_head_of_a_client_without_cr_is_still_refused(balancer):
    for data in (b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", b"\n" + LAST):
        assert balancer.raw(data).startswith(b"HTTP/1.1 400 ")


def test_a_later_minor_version_is_taken_for_http_1_1_on_both_sides(balancer, origin):
    out = balancer.raw(get("/chunked", "1.2") + get("/newer", "1.9") + LAST)
    assert out.count(b"HTTP/1.1 200 OK") == 3 and out.count(b"\r\n\r\n2\r\nok\r\n0\r\n\r\n") == 2
    assert [r[0] for r in origin.requests[-3:-1]] == ["GET /chunked HTTP/1.1", "GET /newer HTTP/1.1"]


def test_up_to_eight_empty_lines_come_before_a_request(balancer):
    assert balancer.raw(b"\r\n" * 8 + get("/x") + b"\r\n" * 8 + LAST).count(b"HTTP/1.1 200") == 2
    assert balancer.raw(b"\r\n" * 9 + LAST).startswith(b"HTTP/1.1 400 ")


def test_a_client_of_http_1_0_that_asks_for_it_is_kept(balancer, origin):
    out = balancer.raw(b"GET /x HTTP/1.0\r\n" + KEPT + b"HEAD /y HTTP/1.0\r\n" + KEPT + get("/z", "1.0"))
    assert out.count(b"HTTP/1.1 200") == 3 and out.count(b"\r\nConnection: keep-alive\r\n") == 2
    assert out.count(b"\r\nConnection: close\r\n") == 1


def test_a_client_of_http_1_0_is_not_kept_where_the_end_of_the_body_is_the_connections(balancer):
    out = balancer.raw(b"GET /chunked HTTP/1.0\r\n" + KEPT + LAST)
    assert out.endswith(b"\r\n\r\nok") and out.count(b"HTTP/1.1 200") == 1 and b"keep-alive" not in out


def test_a_client_of_http_1_0_is_told_that_an_error_ends_its_connection(balancer):
    out = balancer.raw(b"GET /../x HTTP/1.0\r\n" + KEPT + LAST)
    assert out.startswith(b"HTTP/1.1 400 ") and b"\r\nConnection: close\r\n" in out and out.count(b"HTTP/1.1 ") == 1


def test_a_process_of_http_1_0_that_keeps_its_connection_is_asked_again_on_it(balancer, origin):
    with socket.create_connection(balancer.address, timeout=5) as connection:
        for _ in range(2):
            connection.sendall(get("/older"))
            assert connection.recv(65536).endswith(b"ok")
        before = len(origin.connections)
        for _ in range(5):
            connection.sendall(get("/older"))
            assert connection.recv(65536).endswith(b"ok")
        assert len(origin.connections) == before


@pytest.mark.parametrize("field", [
    "Transfer_Encoding: chunked", "content_length: 9", "Keep_Alive: 1", "Proxy_Connection: x", "Max_Forwards: 0",
])
def test_no_twin_of_a_framing_field_reaches_a_process(balancer, origin, field):
    head = f"POST /twin HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n{field}\r\nConnection: close\r\n\r\nhi"
    assert balancer.raw(head.encode()).startswith(b"HTTP/1.1 200 ")
    name, _, value = field.lower().partition(": ")
    with http2.Connection(balancer.address) as connection:
        assert connection.get(http2.request("/twin", "GET", "a", (name, value))).status == 200
    for _, fields, _ in origin.requests[-2:]:
        assert not [name for name, _ in fields if "_" in name]
