"""A WSGI application that fails when a part of its answer is on the way, under every server."""

import socket

import pytest

from balancer import serving
from http2 import Connection, request
from wsgi_host import SERVERS, is_installed

FAILING = """
import os

def application(environ, start_response):
    path = environ["PATH_INFO"].rpartition("/")[2]
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Process", str(os.getpid()))])
    if path == "list":
        return [b"whole"]
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read()
    return parts(path)

def parts(path):
    for number in range(20):
        yield b"%08d" % number
    if path == "fails":
        raise RuntimeError("in the middle")
    if path == "exits":
        raise SystemExit
"""
INSTALLED = list(filter(is_installed, SERVERS))
PARTS = b"".join(b"%08d" % number for number in range(20))


@pytest.fixture(scope="module")
def balancer():
    groups = "".join(f'[group.{name}]\nwsgi = "app.py"\nserver = "{name}"\nprocesses = 1\n' for name in INSTALLED)
    routes = "".join(f'"/{name}" = "{name}"\n' for name in INSTALLED)
    with serving(f'{groups}[routes]\n{routes}', files={"app.py": FAILING}) as balancer:
        yield balancer


def ask(balancer, path, method="GET"):
    request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()
    head, _, body = balancer.raw(request * 2, seconds=15).partition(b"\r\n\r\n")
    assert b" 200 " in head and b"mooring-break" not in head.lower()
    return body


@pytest.mark.parametrize("server", INSTALLED)
@pytest.mark.parametrize("path", ["fails", "exits"])
def test_a_response_that_breaks_off_never_looks_whole(balancer, server, path):
    for method in ("GET", "POST"):
        body = ask(balancer, f"/{server}/{path}", method=method)
        # Neither the last chunk, nor the answer to the second request.
        assert b"0\r\n\r\n" not in body and b"HTTP/1.1" not in body
        assert body.startswith(b"8\r\n00000000\r\n") and set(body) <= set(b"0123456789\r\n")


@pytest.mark.parametrize("server", INSTALLED)
def test_to_a_client_of_http_1_0_its_connection_is_reset(balancer, server):
    with socket.create_connection(balancer.address, timeout=15) as client:
        client.sendall(f"GET /{server}/fails HTTP/1.0\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            while client.recv(65536):
                pass


@pytest.mark.parametrize("server", INSTALLED)
def test_over_http2_its_stream_is_reset_and_others_are_served(balancer, server):
    with Connection(balancer.address) as client:
        streams = [client.ask(request(f"/{server}/{path}")) for path in ("fails", "whole", "list")]
        broken, whole, listed = [client.wait(stream) for stream in streams]
        assert broken.reset is not None and PARTS.startswith(broken.body)
        assert (whole.reset, whole.body, listed.reset, listed.body) == (None, PARTS, None, b"whole")


@pytest.mark.parametrize("server", INSTALLED)
def test_a_response_that_does_not_fail_is_whole(balancer, server):
    for _ in range(3):
        whole = balancer.request(f"/{server}/whole")
        assert (whole.status, whole.body) == (200, PARTS)
    assert "Mooring-Break" not in whole.headers


@pytest.mark.parametrize("server", INSTALLED)
def test_the_process_goes_on_serving(balancer, server):
    first = balancer.request(f"/{server}/whole").headers["X-Process"]
    ask(balancer, f"/{server}/fails")
    assert balancer.request(f"/{server}/whole").headers["X-Process"] == first
