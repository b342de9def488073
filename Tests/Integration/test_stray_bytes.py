"""Bytes of a process that belong to no request reach no client; neither does a request get lost over them."""

import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancer import serving, wait_until
from origin import Origin
from proxies import proxy

STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFOREIG"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine"
HEADS = {
    "head": b"HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n",
    "head-chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 43\r\n\r\n",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}


def late(head):
    def script(connection, _):
        connection.sendall(head)
        time.sleep(0.05)
        connection.sendall(STRAY)
    return script


@pytest.mark.parametrize("kind", HEADS)
def test_a_body_that_comes_late_reaches_no_other_client(kind):
    method = "HEAD" if kind.startswith("head") else "GET"
    with Origin({"/late": late(HEADS[kind]), "/": GOOD}) as origin, \
            serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        for pause in [0, 0.02, 0.045, 0.05, 0.055, 0.1] * 3:
            balancer.request("/late", method)
            time.sleep(pause)
            assert balancer.request("/").body == b"mine"


def test_a_connection_is_kept_after_a_proper_head_once_it_has_been_silent():
    with Origin({"/": GOOD, "/head": b"HTTP/1.1 200 OK\r\n\r\n"}) as origin, \
            serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        balancer.request("/head", "HEAD")
        time.sleep(0.4)
        assert balancer.request("/").body == b"mine"
        assert len(origin.connections) == 1


def test_a_process_that_speaks_out_of_turn_is_not_trusted_with_kept_connections():
    with Origin({"/": GOOD, "/more": late(GOOD)}) as origin, \
            serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        balancer.request("/more")
        wait_until(lambda: "belong to no request" in balancer.log, what="the notice")
        before = len(origin.connections)
        for _ in range(3):
            assert balancer.request("/").body == b"mine"
        assert len(origin.connections) == before + 3


WAITRESS = '''
def application(environ, start_response):
    body = (environ.get("HTTP_X_TOKEN", "") * 50).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
'''


@pytest.mark.parametrize("front", [None, "nginx", "haproxy"])
def test_heads_and_gets_of_a_real_server_are_not_mixed_up(front):
    command = '["waitress-serve", "--unix-socket={socket}", "--threads=8", "app:application"]'
    text = f'[group.app]\ncommand = {command}\nprocesses = 1\nthreads = 8\naffinity = {{ pin = "never" }}\n'

    def ask(address, number):
        connection = http.client.HTTPConnection(*address, timeout=30)
        token = f"token-{number};"
        for turn in range(360):
            method = "HEAD" if (number + turn) % 3 == 0 else "GET"
            connection.request(method, "/", headers={"X-Token": token})
            answer = connection.getresponse()
            body = answer.read()
            assert (answer.status, body) == (200, b"" if method == "HEAD" else (token * 50).encode())
        connection.close()
    with serving(text, files={"app.py": WAITRESS}) as balancer, ThreadPoolExecutor(8) as crowd:
        balancer.wait_ready("app", 1)
        if front is None:
            list(crowd.map(lambda n: ask(balancer.address, n), range(28)))
        else:
            with proxy(front, balancer) as address:
                list(crowd.map(lambda n: ask(address, n), range(28)))


def closing(seconds, requests):
    """A server that closes each connection when it was idle for so long; counts what it was sent."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)

    def serve(connection):
        connection.settimeout(seconds)
        try:
            while data := connection.recv(65536):
                requests.append(data)
                connection.sendall(GOOD)
        except OSError:
            pass
        connection.close()

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listener


def test_a_post_meets_no_connection_that_the_process_is_just_closing():
    requests = []
    with closing(0.05, requests) as listener, serving(
            f'[group.app]\nservers = ["127.0.0.1:{listener.getsockname()[1]}"]\n') as balancer:
        connection = http.client.HTTPConnection(*balancer.address, timeout=20)
        for turn in range(200):
            connection.request("POST", "/", body=b"x" * 10)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"mine"), turn
            time.sleep(0.0495 + turn % 10 * 0.0002)
        assert len(requests) == 200
