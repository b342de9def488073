"""Limits against slow clients and slow requests."""

import socket
import time

import pytest

from balancer import serving, wait_until
from origin import Origin

# Hangs where it is asked to, and tells its pid.
HANGING = """
import os, time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hang":
        time.sleep(60)
    body = str(os.getpid()).encode()
    if path == "/half":
        start_response("200 OK", [("Content-Length", "100")])
        def halves():
            yield b"x" * 10
            time.sleep(60)
        return halves()
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.parametrize("path", ["/hang", "/half"])
def test_a_request_that_takes_too_long_costs_only_its_process(path):
    configuration = (
        '[group.app]\nwsgi = "app.py"\nserver = "waitress"\nprocesses = 2\nthreads = 2\nrequest_timeout = "700ms"\n'
        'stop_timeout = "500ms"\n')
    with serving(configuration, files={"app.py": HANGING}) as balancer:
        before = set(balancer.wait_ready("app", 2))
        other = balancer.request("/")
        started = time.monotonic()
        out = balancer.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert 0.6 < time.monotonic() - started < 3
        if path == "/hang":
            assert out.startswith(b"HTTP/1.1 504 ") and b"error=http_response_timeout" in out
        else:
            assert out.startswith(b"HTTP/1.1 200 ") and out.endswith(b"\r\n\r\n" + b"x" * 10)
        # The other process and its session notice nothing, and a fresh one takes the place.
        assert balancer.request("/", cookie=other.cookie).body == other.body
        wait_until(lambda: len(balancer.pids("app")) == 2 and set(balancer.pids("app")) != before, what="another")
        assert int(other.body) in balancer.pids("app")


def test_a_client_that_sends_slowly_does_not_use_up_its_processes_time():
    """The body is larger than what is read ahead, so that the process has to wait for it."""
    with Origin() as origin:
        text = f'[limits]\nrequest_buffer = "1KiB"\n[group.app]\nservers = [{origin.server}]\nrequest_timeout = "500ms"\n'
        with serving(text) as balancer, socket.create_connection(balancer.address, timeout=5) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\nConnection: close\r\n\r\n")
            for _ in range(6):
                client.sendall(b"x" * 1000)
                time.sleep(0.25)
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def trickle(address, start, piece, pause, seconds):
    """What came back, and after how long, for a client that sends a piece at a time."""
    with socket.create_connection(address, timeout=pause) as client:
        client.sendall(start)
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                out = client.recv(65536)
                return out, time.monotonic() - started
            except TimeoutError:
                client.sendall(piece)
        return b"", time.monotonic() - started


@pytest.mark.parametrize("size", [50_000, 500_000], ids=["buffered", "streamed"])
def test_a_body_that_trickles_is_answered_408(size):
    with Origin() as origin:
        text = f'[timeouts]\nbody_idle = "1s"\n[limits]\nmin_rate = 1000\n[group.app]\nservers = [{origin.server}]\n'
        with serving(text) as balancer:
            head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()
            body = b"x" * max(0, size - 50_000)
            out, after = trickle(balancer.address, head + body, b"x", 0.1, 8)
            assert out.startswith(b"HTTP/1.1 408 ") and 0.8 < after < 3
            # At the rate it is taken however long it lasts.
            out, after = trickle(balancer.address, head + body, b"x" * 200, 0.1, 3)
            assert out == b"" and after >= 3


def test_a_head_that_trickles_is_answered_408_long_before_its_timeout():
    with Origin() as origin:
        text = f'[timeouts]\nheader = "120s"\n[limits]\nmin_rate = 1000\n[group.app]\nservers = [{origin.server}]\n'
        with serving(text) as balancer:
            out, after = trickle(balancer.address, b"GET / HTTP/1.1\r\nX: ", b"a", 0.25, 20)
            assert out.startswith(b"HTTP/1.1 408 ") and 9 < after < 13


def test_a_client_that_takes_nothing_is_given_up_and_one_that_reads_slowly_is_not():
    size = 30 << 20

    def big(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    with Origin({"/big": big}) as origin:
        text = f'[timeouts]\nbody_idle = "1s"\n[limits]\nmin_rate = 1000\n[group.app]\nservers = [{origin.server}]\n'
        with serving(text) as balancer:
            active = lambda: balancer.admin("/stats").json()["connections"]["active"]
            with socket.create_connection(balancer.address) as idle, socket.create_connection(balancer.address) as slow:
                for client in (idle, slow):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                    client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
                wait_until(lambda: active() == 2)
                deadline = time.monotonic() + 6
                while time.monotonic() < deadline:
                    assert slow.recv(8192)
                    time.sleep(0.05)
                assert active() == 1
                got = 0
                slow.settimeout(10)
                while got < 4 << 20:
                    got += len(slow.recv(1 << 20))


def test_one_address_may_cause_only_so_many_processes_a_minute():
    configuration = (
        '[limits]\nspawns_per_source = 2\n[group.app]\nwsgi = "app.py"\nserver = "wsgiref"\nthreads = 1\n'
        'processes = { min = 0, max = 10 }\nsessions_per_process = 1\n')
    with serving(configuration, files={"app.py": HANGING}) as balancer:
        first, second = balancer.request("/"), balancer.request("/")
        assert first.status == second.status == 200 and first.body != second.body
        third = balancer.request("/")
        assert third.status == 429 and 1 <= int(third.headers["Retry-After"]) <= 60
        assert "http_request_denied" in third.headers["Proxy-Status"]
        assert len(balancer.pids("app")) == 2
        # Who has a session is not concerned, nor is another address.
        assert balancer.request("/", cookie=first.cookie).body == first.body
        with socket.create_connection(balancer.address, source_address=("127.0.0.2", 0), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
