"""Access to the admin API, and that no client can lock others out of it."""

import contextlib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from balancer import BINARY, as_anybody, serving, wait_until

TOKEN = "0123456789abcdef0123456789abcdef"
GROUP = '[group.app]\ncommand = ["/usr/bin/python3", "-c", "input()", "{socket}"]\nprocesses = { min = 0, max = 1 }\n'


def on_tcp():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return serving(
        f'[admin]\naddress = "127.0.0.1:{port}"\ntoken_file = "token"\n' + GROUP,
        files={"token": TOKEN}, prepare=lambda folder: (folder / "token").chmod(0o600))


@pytest.fixture(params=["tcp", "unix"])
def admin(request):
    """How to connect to a running admin API of either kind."""
    with (on_tcp() if request.param == "tcp" else serving(GROUP)) as balancer:
        def connect():
            if request.param == "unix":
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(10)
                client.connect(balancer.admin_socket)
                return client
            host, port = balancer.admin_socket.split(":")
            return socket.create_connection((host, int(port)), 10)

        # Stopping looks for processes over a unix socket.
        if request.param == "tcp":
            balancer.admin = lambda *_, **__: (_ for _ in ()).throw(OSError())
        connect.token = request.param == "tcp"
        yield connect


def ask(connect, head, body=b""):
    """The status of the answer to a whole request on a connection of its own."""
    with contextlib.closing(connect()) as client:
        client.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = client.recv(65536)
            if not piece:
                break
            answer += piece
        return int(answer.split(b" ", 2)[1]) if answer else None


def authorized(head):
    return f"{head}\nAuthorization: Bearer {TOKEN}"


@pytest.mark.parametrize("head, status", [
    ("GET /stats HTTP/1.1\nHost: localhost", 200),
    ("GET /stats HTTP/1.1\nHost: localhost\nHost: localhost", 400),
    ("GET /stats HTTP/1.1\nHost: localhost\nHOST: evil.example", 400),
    ("GET http://localhost/stats HTTP/1.1\nHost: localhost", 200),
    ("GET http://evil.example/stats HTTP/1.1\nHost: localhost", 400),
    ("GET http://localhost@evil.example/stats HTTP/1.1\nHost: localhost", 400),
    ("GET https://localhost/stats HTTP/1.1\nHost: localhost", 400),
    ("GET http://evil.example/healthz HTTP/1.1\nHost: localhost", 400),
    ("GET stats HTTP/1.1\nHost: localhost", 400),
    ("GET /stats HTTP/1.1\nHost: localhost\nSec-Fetch-Site: cross-site", 403),
    ("GET /stats HTTP/1.1\nHost: localhost\nSec-Fetch-Site: same-site", 403),
    ("GET /stats HTTP/1.1\nHost: localhost\nSec-Fetch-Site: same-origin", 200),
    ("POST /groups/app/reset HTTP/1.1\nHost: localhost\nContent-Length: 0", 415),
    ("POST /groups/app/reset HTTP/1.1\nHost: localhost\nContent-Length: 2\nContent-Type: text/plain", 415),
    ("POST /groups/app/reset HTTP/1.1\nHost: localhost\nContent-Length: 0\nContent-Type: application/json", 202),
    ("POST /groups/app/reset HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
     "Content-Length: 99999999", 413),
])
def test_what_is_asked_decides_the_status(admin, head, status):
    assert ask(admin, authorized(head), b"{}" if "Content-Length: 2\n" in head else b"") == status


def test_a_request_without_the_token_gets_nothing_but_health():
    with on_tcp() as balancer:
        host, port = balancer.admin_socket.split(":")

        def connect():
            return socket.create_connection((host, int(port)), 10)

        balancer.admin = lambda *_, **__: (_ for _ in ()).throw(OSError())
        assert ask(connect, "GET /stats HTTP/1.1\nHost: localhost") == 401
        assert ask(connect, "POST /processes/x/stop HTTP/1.1\nHost: localhost\n"
                            "Content-Type: application/json\nContent-Length: 0") == 401
        assert ask(connect, "GET /healthz HTTP/1.1\nHost: localhost") == 200


def health(admin):
    return ask(admin, "GET /healthz HTTP/1.1\nHost: localhost")


def still_open(client):
    client.setblocking(False)
    try:
        while client.recv(65536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        client.settimeout(10)


@pytest.mark.parametrize("first", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc",
                                   b"POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"])
def test_idle_connections_keep_nobody_from_asking(admin, first):
    with contextlib.ExitStack() as stack:
        trusted = stack.enter_context(contextlib.closing(admin()))
        request = authorized("GET /stats HTTP/1.1\nHost: localhost").replace("\n", "\r\n").encode() + b"\r\n\r\n"

        def answered():
            trusted.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                piece = trusted.recv(65536)
                assert piece, "the connection with the token is closed"
                answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += trusted.recv(65536)
            return head.startswith(b"HTTP/1.1 200")

        assert answered()
        crowd = []
        for _ in range(300):
            client = stack.enter_context(contextlib.closing(admin()))
            with contextlib.suppress(OSError):
                client.sendall(first)
            crowd.append(client)
            if len(crowd) % 50 == 0:
                assert health(admin) == 200
        assert health(admin) == 200
        assert ask(admin, authorized("GET /stats HTTP/1.1\nHost: localhost")) == 200
        assert answered(), "a connection that has shown the token is kept"
        assert sum(map(still_open, crowd)) <= 80


def test_a_head_that_does_not_end_is_given_up_after_five_seconds(admin):
    with contextlib.closing(admin()) as client:
        begun = time.monotonic()
        client.sendall(b"GET /stats HTTP/1.1\r\n")

        sent = begun

        def is_closed():
            nonlocal sent
            if time.monotonic() - sent > 0.3:
                sent = time.monotonic()
                with contextlib.suppress(OSError):
                    client.sendall(b"A: b\r\n")
            return not still_open(client)

        wait_until(is_closed, 12, "the end of the connection")
        assert 4 < time.monotonic() - begun < 9


def test_a_port_without_a_token_is_refused_with_the_way_to_make_one():
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    file = folder / "mooring.toml"
    for address in ["127.0.0.1:9000", "[::1]:9000", "localhost:9000", "0.0.0.0:9000"]:
        file.write_text(as_anybody(f'[admin]\naddress = "{address}"\n' + GROUP))
        done = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True)
        assert done.returncode == 2
        assert "admin.address" in done.stderr and "token_file" in done.stderr
        assert "openssl rand -hex 32 > admin.token" in done.stderr


def test_the_command_line_finds_the_token_in_the_configuration():
    with on_tcp() as balancer:
        address = balancer.admin_socket
        balancer.admin = lambda *_, **__: (_ for _ in ()).throw(OSError())

        def run(*arguments, cwd="/"):
            return subprocess.run(
                [BINARY, *arguments], capture_output=True, text=True, cwd=cwd, timeout=30)

        for command in [("status",), ("reload",), ("scale", "app", "0..1")]:
            done = run(*command, "-c", str(balancer.file))
            assert done.returncode == 0, (command, done.stderr)
        assert run("status", cwd=balancer.folder).returncode == 0
        assert run("status", "--admin", address, cwd=balancer.folder).returncode == 0
        refused = run("status", "--admin", address)
        assert refused.returncode == 1 and "-c" in refused.stderr
        given = run("status", "--admin", address, "--token-file", str(balancer.folder / "token"))
        assert given.returncode == 0, given.stderr
