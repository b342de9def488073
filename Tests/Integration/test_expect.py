"""`Expect: 100-continue` (RFC 9110 section 10.1.1): the process decides whether it wants an upload."""

import contextlib
import socket
import threading

import pytest

import http2
from balancer import serving, wait_until
from origin import Origin

EXPECTED = "HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


class Uploads(Origin):
    """A server that decides by path what it makes of an upload; tells what it has seen of each connection."""

    def __init__(self):
        super().__init__()
        self.heads, self.bodies = [], []

    def serve(self, connection):
        reader = connection.makefile("rb")
        with contextlib.suppress(OSError, ValueError), connection:
            while (line := reader.readline().decode()):
                fields = {}
                while (field := reader.readline().decode().rstrip("\r\n")):
                    name, _, value = field.partition(": ")
                    fields[name.lower()] = value
                self.heads.append((line, fields))
                self.answer(connection, reader, line.split(" ")[1], int(fields.get("content-length", 0)))

    def answer(self, connection, reader, path, length):
        if path == "/refuse":
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
            return
        if path == "/stream":
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nn\r\n")
            self.go_on.wait(20)
            connection.sendall(b"1\r\no\r\n0\r\n\r\n")
            return
        if path == "/accept":
            connection.sendall(b"HTTP/1.1 100 Go on\r\nX-Said-By: process\r\n\r\n")
        if path == "/gone":
            raise OSError
        body = reader.read(length)
        self.bodies.append(body)
        if path == "/late":
            connection.sendall(b"HTTP/1.1 100 Late\r\n\r\n")
        connection.sendall(OK % (len(body), body))


@pytest.fixture
def uploads():
    uploads = Uploads()
    yield uploads
    uploads.listener.close()


@pytest.fixture
def balancer(uploads):
    with serving(f'[group.app]\nservers = [{uploads.server}]\nthreads = 50\n') as balancer:
        yield balancer


@contextlib.contextmanager
def asking(balancer, path, after=b""):
    with socket.create_connection(balancer.address, timeout=10) as connection:
        connection.sendall(f"POST {path} {EXPECTED}".encode() + after)
        yield connection


def everything(connection, until=None):
    out = b""
    while not (until and until in out) and (piece := connection.recv(65536)):
        out += piece
    return out


def test_the_process_asks_for_the_body_and_the_client_hears_it(balancer, uploads):
    with asking(balancer, "/accept") as connection:
        out = everything(connection, b"\r\n\r\n")
        assert out == b"HTTP/1.1 100 Go on\r\nX-Said-By: process\r\n\r\n"
        assert uploads.heads[0][1]["expect"] == "100-continue" and uploads.bodies == []
        connection.sendall(b"hello")
        assert everything(connection, b"hello").startswith(b"HTTP/1.1 200 OK\r\n")
        # The connection is good for more.
        connection.sendall(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert everything(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    assert "expect" not in uploads.heads[1][1] and len(uploads.connections) == 1


def test_a_process_refuses_an_upload_that_it_has_not_read(balancer, uploads):
    with asking(balancer, "/refuse") as connection:
        out = everything(connection)
    assert out.startswith(b"HTTP/1.1 403 Forbidden\r\n") and out.endswith(b"\r\n\r\nno") and b" 100 " not in out
    assert b"\r\nConnection: close\r\n" in out
    # What its server might take for the body is harmless: the next request has another connection.
    assert balancer.request("/after").status == 200
    assert len(uploads.connections) == 2 and uploads.heads[1][0] == "GET /after HTTP/1.1\r\n"


def test_a_body_that_comes_after_all_reaches_nobody(balancer, uploads):
    with asking(balancer, "/refuse") as connection:
        everything(connection, b"no")
        connection.sendall(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        assert everything(connection) == b""
    assert [line for line, _ in uploads.heads] == ["POST /refuse HTTP/1.1\r\n"]


def test_a_refusal_may_take_longer_than_the_wait_for_the_body(balancer, uploads):
    uploads.go_on = threading.Event()
    with asking(balancer, "/stream") as connection:
        assert everything(connection, b"1\r\nn\r\n").startswith(b"HTTP/1.1 403 Forbidden\r\n")
        connection.settimeout(2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(10)
        uploads.go_on.set()
        assert everything(connection) == b"1\r\no\r\n0\r\n\r\n"


def test_a_server_that_ignores_the_expectation_gets_the_upload_nevertheless(balancer, uploads):
    with asking(balancer, "/ignore") as connection:
        connection.settimeout(5)
        assert everything(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert everything(connection, b"hello").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_late_word_of_the_process_is_not_said_again(balancer):
    with asking(balancer, "/late") as connection:
        out = everything(connection, b"\r\n\r\n")
        connection.sendall(b"hello")
        out += everything(connection, b"hello")
    assert out.count(b"HTTP/1.1 100 ") == 1 and out.count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize("path", ["/accept", "/ignore"])
def test_a_client_that_does_not_wait_is_served_at_once(balancer, uploads, path):
    with asking(balancer, path, b"hello") as connection:
        out = everything(connection, b"hello")
    assert out.startswith(b"HTTP/1.1 200 OK\r\n") and uploads.bodies == [b"hello"]


def test_a_client_that_begins_in_the_middle_of_the_wait_is_served(balancer, uploads):
    with asking(balancer, "/ignore") as connection:
        wait_until(lambda: uploads.heads)
        connection.sendall(b"hel")
        connection.sendall(b"lo")
        assert b"HTTP/1.1 200 OK\r\n" in everything(connection, b"hello")
    assert uploads.bodies == [b"hello"]


def test_a_process_that_breaks_off_instead_is_a_bad_gateway(balancer):
    with asking(balancer, "/gone") as connection:
        assert everything(connection).startswith(b"HTTP/1.1 502 ")


def test_a_client_that_leaves_while_its_process_thinks_holds_nothing(balancer, uploads):
    with asking(balancer, "/ignore"):
        wait_until(lambda: uploads.heads)
    wait_until(lambda: balancer.admin("/stats").json()["requests"]["active"] == 0)
    assert uploads.bodies in ([], [b""])


def expecting(connection, path):
    fields = http2.request(path, "POST", "a", ("content-length", "5"), ("expect", "100-continue"))
    stream = connection.ask(fields, end=False)
    return stream, connection.answers[stream]


@pytest.mark.parametrize("path", ["/accept", "/ignore"])
def test_over_http2_the_body_is_asked_for(balancer, uploads, path):
    with http2.Connection(balancer.address) as connection:
        stream, answer = expecting(connection, path)
        assert connection.read(lambda: answer.heads)
        assert answer.status == 100 and (answer.fields.get("x-said-by") == "process") == (path == "/accept")
        assert not uploads.bodies
        connection.send(http2.frame(http2.DATA, http2.END_STREAM, stream, b"hello"))
        connection.wait(stream)
        assert answer.status == 200 and answer.body == b"hello" and len(answer.heads) == 2


def test_over_http2_a_process_refuses_an_upload_that_it_has_not_read(balancer, uploads):
    with http2.Connection(balancer.address) as connection:
        stream, answer = expecting(connection, "/refuse")
        connection.read(lambda: answer.ended)
        assert answer.status == 403 and answer.body == b"no" and len(answer.heads) == 1
        # RFC 9113 section 8.1: the rest of the request is not wanted, and that is no error.
        assert answer.reset in (None, 0)
        assert connection.get(http2.request("/next")).status == 200
    assert len(uploads.connections) == 2


APPLICATION = """
def application(environ, start_response):
    refused = environ["PATH_INFO"] == "/refuse"
    body = b"no" if refused else environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("403 Forbidden" if refused else "200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.parametrize("server", ["wsgiref", "gunicorn", "waitress", "granian"])
def test_every_host_takes_uploads_that_wait(server):
    group = f'[group.app]\nwsgi = "app.py"\nserver = "{server}"\n'
    with serving(group, files={"app.py": APPLICATION}) as balancer:
        balancer.wait_ready("app", 1)
        with asking(balancer, "/take") as connection:
            assert everything(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"hello")
            assert everything(connection, b"hello").startswith(b"HTTP/1.1 200 OK\r\n")
        with asking(balancer, "/refuse") as connection:
            out = everything(connection, b"\r\n\r\n")
            # The others want the body before they call the application.
            if out.startswith(b"HTTP/1.1 100 ") and server != "wsgiref":
                connection.sendall(b"hello")
                # The refusal may have come right behind the invitation.
                out = out.partition(b"\r\n\r\n")[2] or everything(connection, b"no")
            assert out.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert balancer.request("/after").status == 200
