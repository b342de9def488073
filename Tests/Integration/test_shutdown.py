"""The end of the program: what has no end of its own is ended, and what is waited for is logged."""

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time

import pytest
from websockets.sync.client import connect

import http2
from balancer import Balancer, descendants, is_alive, wait_until

# WebSockets that write down how they ended, event streams, and slow answers.
APPLICATION = """
import os, signal
from websockets.sync.server import unix_serve

# It is to have written its last word before it ends.
signal.signal(signal.SIGTERM, signal.SIG_IGN)

def note(text):
    with open("ends", "a") as file:
        file.write(text + "\\n")

def talk(connection):
    for message in connection:
        connection.send(message)
    note(f"{connection.close_code}")

unix_serve(talk, os.environ["MOORING_SOCKET"]).serve_forever()
"""
STREAMS = """
import os, socketserver, time
from http.server import BaseHTTPRequestHandler

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def address_string(self): return "-"
    def do_GET(self):
        if "slow" in self.path:
            time.sleep(float(self.path.rpartition("=")[2]))
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            return self.wfile.write(b"done")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        pause = float(self.path.rpartition("=")[2])
        while True:
            self.wfile.write(b"c\\r\\ndata: ahoy\\n\\n\\r\\n")
            self.wfile.flush()
            time.sleep(pause)

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
Server(os.environ["MOORING_SOCKET"], Handler).serve_forever()
"""
CONFIGURATION = f"""
[timeouts]
drain = "25s"
[group.sockets]
command = ["{sys.executable}", "application.py"]
threads = 20
stop_timeout = "1s"
[group.streams]
command = ["{sys.executable}", "streams.py"]
threads = 20
stop_timeout = "1s"
[routes]
"/" = "sockets"
"/streams" = "streams"
"""


class Ending:
    """A balancer that a test stops."""

    def __init__(self):
        self.balancer = Balancer(
            CONFIGURATION, files={"application.py": APPLICATION, "streams.py": STREAMS})
        self.balancer.wait_ready("sockets", 1)
        self.balancer.wait_ready("streams", 1)
        self.children = descendants(self.balancer.pid)
        host, port = self.balancer.address
        self.url = f"ws://{host}:{port}/"

    def signal(self, number=signal.SIGTERM):
        self.begun = time.monotonic()
        self.balancer.process.send_signal(number)

    def wait(self, seconds, code=0):
        """The program has ended within so many seconds of the signal, and its processes with it."""
        assert self.balancer.process.wait(40) == code, self.balancer.log
        took = time.monotonic() - self.begun
        assert took < seconds, f"it took {took:.1f} s: {self.balancer.log}"
        wait_until(lambda: not any(map(is_alive, self.children)), 5, "the processes to be gone")

    def ends(self):
        """How the application saw its WebSockets end."""
        file = self.balancer.folder / "ends"
        return file.read_text().split() if file.exists() else []

    def raw(self, request):
        connection = socket.create_connection(self.balancer.address, 30)
        connection.sendall(request)
        return connection


@pytest.fixture
def ending():
    ending = Ending()
    try:
        yield ending
    finally:
        if ending.balancer.process.poll() is None:
            ending.balancer.process.kill()
            ending.balancer.process.wait()
            for pid in filter(is_alive, ending.children):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)
        ending.balancer.process.stdout.close()
        ending.balancer.log_file.close()
        shutil.rmtree(ending.balancer.folder)


def until(connection, text):
    got = b""
    while text not in got:
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    return got


def rest(connection):
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            got += piece
    return got


def test_a_silent_websocket_is_closed_as_going_away_and_its_application_is_told(ending):
    with connect(ending.url) as client:
        client.send("ahoy")
        assert client.recv() == "ahoy"
        ending.signal()
        with pytest.raises(Exception):
            client.recv(timeout=10)
        assert client.close_code == 1001, client.close_code
    ending.wait(6)
    assert ending.ends() == ["1001"]


def test_a_client_that_does_not_answer_the_close_is_waited_for_only_shortly(ending):
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    with ending.raw(
            f"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n".encode()) as client:
        until(client, b"\r\n\r\n")
        ending.signal()
        assert rest(client) == b"\x88\x02\x03\xe9"
    ending.wait(12)


def test_no_close_frame_is_put_into_the_middle_of_another_frame():
    half = threading.Event()

    def application(connection):
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            b"\x82\x0ahello")
        half.wait(10)
        with contextlib.suppress(OSError):
            connection.sendall(b"world\x81\x02ab")
            connection.recv(100)

    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            application(connection)

    threading.Thread(target=serve, daemon=True).start()
    balancer = Balancer(f'[group.app]\nservers = ["127.0.0.1:{listener.getsockname()[1]}"]\n')
    try:
        with socket.create_connection(balancer.address, 20) as client:
            client.sendall(
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            until(client, b"hello")
            balancer.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "shutting down" in balancer.log, 5)
            half.set()
            got = until(client, b"\x88\x02\x03\xe9")
            assert got.startswith(b"world"), got
            client.sendall(b"\x88\x82\0\0\0\0\x03\xe9")
            assert not rest(client).strip(b"ab\x81\x02")
    finally:
        listener.close()
        balancer.stop()


def test_a_websocket_over_http2_is_closed_as_going_away_too(ending):
    with http2.Connection(ending.balancer.address) as client:
        stream = client.ask([
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"),
            (":authority", "a"), ("sec-websocket-version", "13")], end=False)
        assert client.read(lambda: client.answers[stream].status == 200)
        ending.signal()
        assert client.read(lambda: client.answers[stream].body.endswith(b"\x88\x02\x03\xe9"), 4)
        client.send(http2.frame(http2.DATA, 0, stream, b"\x88\x82\0\0\0\0\x03\xe9"))
        assert client.read(lambda: client.goaway and client.answers[stream].over, 4)
    ending.wait(8)
    assert ending.ends() == ["1001"]


@pytest.mark.parametrize("pause", ["1000", "0.05"])
def test_event_streams_end_at_once_whether_silent_or_not(ending, pause):
    with ending.raw(f"GET /streams/events?pause={pause} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) as client:
        until(client, b"ahoy")
        ending.signal()
        assert rest(client).endswith(b"0\r\n\r\n"), "a clean end"
    ending.wait(6)


def test_event_streams_over_http2_end_at_once(ending):
    with http2.Connection(ending.balancer.address) as client:
        stream = client.ask(http2.request("/streams/events?pause=1000"))
        assert client.read(lambda: client.answers[stream].body)
        ending.signal()
        assert client.read(lambda: client.answers[stream].over, 4)
        assert client.answers[stream].reset is None
    ending.wait(6)


def test_a_slow_answer_is_waited_for_and_told_every_five_seconds(ending):
    with ending.raw(b"GET /streams/slow?seconds=8 HTTP/1.1\r\nHost: a\r\n\r\n") as client, \
            connect(ending.url):
        wait_until(lambda: ending.balancer.group("streams")["processes"][0]["in_flight"] == 1)
        ending.signal()
        assert rest(client).endswith(b"done")
    ending.wait(14)
    told = re.findall("still waiting for (.*?);", ending.balancer.log)
    assert told[:1] == ["1 request that a process works on"], told


def test_a_drain_that_a_reload_has_made_shorter_is_what_is_waited_for(ending):
    file = ending.balancer.file
    file.write_text(file.read_text().replace('drain = "25s"', 'drain = "1s"'))
    answer = ending.balancer.admin("/reload", "POST")
    assert answer.status == 200 and answer.json()["needs_restart"] == [], answer.body
    with ending.raw(b"GET /streams/slow?seconds=20 HTTP/1.1\r\nHost: a\r\n\r\n"):
        wait_until(lambda: ending.balancer.group("streams")["processes"][0]["in_flight"] == 1)
        ending.signal()
        ending.wait(8)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(ending, number):
    with ending.raw(b"GET /streams/slow?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n"):
        wait_until(lambda: ending.balancer.group("streams")["processes"][0]["in_flight"] == 1)
        ending.signal(number)
        wait_until(lambda: "shutting down" in ending.balancer.log, 5)
        ending.signal(number)
        ending.wait(5, code=1)


def test_a_balancer_that_leaves_its_processes_closes_no_websocket(ending):
    with connect(ending.url) as client:
        ending.signal(signal.SIGUSR2)
        wait_until(lambda: "ending without the processes" in ending.balancer.log, 5)
        client.send("still there?")
        assert client.recv(timeout=5) == "still there?"
    ending.begun = time.monotonic()
    assert ending.balancer.process.wait(20) == 0
    for pid in filter(is_alive, ending.children):
        signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)
