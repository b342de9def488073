"""`timeouts` of a group and of a route: how long its processes may be silent."""

import os
import signal
import socket
import time

import pytest

from balancer import serving, wait_until
from http2 import Connection, request

# Bytes, silence, bytes; or silence before the first; or a tunnel that echoes.
APP = """
import asyncio, sys
async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    path = head.split()[1].decode()
    try:
        if path.endswith("/tunnel"):
            writer.write(b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
            while data := await reader.read(100):
                writer.write(data)
        elif path.endswith("/slow"):
            await asyncio.sleep(3)
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        else:
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\ndata: a\\n\\n")
            await asyncio.sleep(3)
            writer.write(b"data: b\\n\\n")
        await writer.drain()
    except ConnectionError:
        pass
    writer.close()
async def main():
    async with await asyncio.start_unix_server(serve, sys.argv[1]) as server:
        await server.serve_forever()
asyncio.run(main())
"""
CONFIGURATION = """
[timeouts]
response = "1s"
idle = "1s"
tunnel = "1s"
[group.app]
command = ["python3", "app.py", "{socket}"]
threads = 20
[group.patient]
command = ["python3", "app.py", "{socket}"]
threads = 20
timeouts = { response = "1m", idle = "1m", tunnel = "1m" }
[routes]
"/" = "app"
"/long" = { group = "app", timeouts = { response = "1m", idle = "1m", tunnel = "1m" } }
"/patient" = "patient"
"/patient/short" = { group = "patient", timeouts = { response = "1s", idle = "1s" } }
"""


@pytest.fixture(scope="module")
def balancer():
    with serving(CONFIGURATION, files={"app.py": APP}) as balancer:
        balancer.wait_ready("app", 1)
        balancer.wait_ready("patient", 1)
        yield balancer


def stream(balancer, path):
    return balancer.raw(f"GET {path}/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode(), 20)


def tunnel(balancer, path, silence):
    """What comes back through a tunnel after a silence."""
    with socket.create_connection(balancer.address, timeout=20) as connection:
        connection.sendall(
            f"GET {path}/tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1000)
        assert b" 101 " in head
        connection.settimeout(silence)
        try:
            if connection.recv(100) == b"":
                return None
        except socket.timeout:
            pass
        connection.settimeout(20)
        connection.sendall(b"hello")
        return connection.recv(100)


@pytest.mark.parametrize("path", ["", "/patient/short"])
def test_what_is_silent_for_longer_is_ended(balancer, path):
    assert balancer.request(f"{path}/slow").status == 504
    text = stream(balancer, path)
    assert b"data: a" in text and b"data: b" not in text


def test_a_tunnel_that_is_silent_for_longer_is_ended(balancer):
    assert tunnel(balancer, "", 20) is None


@pytest.mark.parametrize("path", ["/long", "/patient"])
def test_a_route_or_its_group_may_be_silent_for_longer_than_others(balancer, path):
    answer = balancer.request(f"{path}/slow")
    assert (answer.status, answer.body) == (200, b"ok")
    assert b"data: b" in stream(balancer, path)
    assert tunnel(balancer, path, 2.5) == b"hello"


def test_so_may_a_stream_of_http_2(balancer):
    with Connection(balancer.address) as connection:
        patient = connection.ask(request("/patient/events"))
        other = connection.ask(request("/events"))
        connection.wait(patient)
        connection.wait(other)
        assert b"data: b" in connection.answers[patient].body
        assert b"data: b" not in connection.answers[other].body


def test_a_reload_changes_them_for_requests_that_come_after_it():
    with serving(CONFIGURATION, files={"app.py": APP}) as balancer:
        balancer.wait_ready("app", 1)
        pids = balancer.pids("app")
        assert b"data: b" not in stream(balancer, "")
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace('"/" = "app"', '"/" = { group = "app", timeouts = { idle = "1m" } }'))
        os.kill(balancer.pid, signal.SIGHUP)
        wait_until(lambda: b"data: b" in stream(balancer, ""), what="the new timeout")
        assert balancer.pids("app") == pids
