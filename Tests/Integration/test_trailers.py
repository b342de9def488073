"""Fields behind a chunked body (RFC 9110 section 6.5), both ways."""

import socket
import time

import pytest

from balancer import serving
from origin import Origin

CHUNKED = b"HTTP/1.1 200 OK\r\nTrailer: Digest\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"


def late(connection, request):
    """A trailer that comes in pieces."""
    connection.sendall(CHUNKED + b"Dig")
    time.sleep(0.1)
    connection.sendall(b"est: late\r\nX-Forwarded-For: evil\r\n")
    time.sleep(0.1)
    connection.sendall(b"\r\n")




SCRIPTS = {
    "/fields": CHUNKED + b"Digest: abc\r\nSet-Cookie: mooring=evil\r\nContent-Length: 7\r\n\r\n", "/late": late,
    "/cut!": CHUNKED + b"Digest: a",
    "/long": CHUNKED + b"Digest: " + b"a" * 5000 + b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def balancer():
    with Origin(SCRIPTS) as origin, serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        yield balancer


def get(path, *fields):
    lines = [f"GET {path} HTTP/1.1", "Host: a", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("path, value", [("/fields", b"abc"), ("/late", b"late")])
def test_trailers_reach_a_client_that_takes_them_without_those_that_may_not_come_late(balancer, path, value):
    out = balancer.raw(get(path, "TE: trailers", "Connection: TE") + get("/after", "Connection: close"))
    head, body = out.split(b"\r\n\r\n", 1)
    assert b"\r\nTrailer: Digest" in head
    assert body.startswith(b"5\r\nhello\r\n0\r\nDigest: " + value + b"\r\n\r\nHTTP/1.1 200 OK"), body
    assert b"evil" not in out.lower()


def test_a_client_that_does_not_take_them_gets_none(balancer):
    out = balancer.raw(get("/late") + get("/after", "Connection: close"))
    head, body = out.split(b"\r\n\r\n", 1)
    assert body.startswith(b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK") and b"Trailer" not in head


@pytest.mark.parametrize("path", ["/cut!", "/long"])
def test_trailers_that_break_off_or_never_end_are_no_clean_end(balancer, path):
    out = balancer.raw(get(path, "TE: trailers", "Connection: TE"))
    assert out.endswith(b"5\r\nhello\r\n")


def test_a_clients_trailers_reach_the_process_cleaned_whether_buffered_or_not():
    listener = socket.create_server(("127.0.0.1", 0))
    with serving(f'[group.app]\nservers = ["127.0.0.1:{listener.getsockname()[1]}"]\n') as balancer:
        for size in (5, 100_000):
            with socket.create_connection(balancer.address, timeout=5) as client:
                client.sendall(
                    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % size + b"x" * size
                    + b"\r\n0\r\nX-Che")
                time.sleep(0.05)
                client.sendall(b"ck: sum\r\nAuthorization: evil\r\nX_Forwarded_For: evil\r\n\r\n")
                process, _ = listener.accept()
                process.settimeout(5)
                got = b""
                while not got.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in got:
                    got += process.recv(65536)
                assert got.endswith(b"\r\n0\r\nX-Check: sum\r\n\r\n") and got.count(b"x") >= size
                assert b"evil" not in got
                process.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 204")
                process.close()
    listener.close()
