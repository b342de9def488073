"""A slot whose client has left is free as soon as its process has answered, whatever the answer looks like."""

import contextlib
import socket
import struct
import time

import pytest

import http2
from balancer import serving, wait_until
from http2 import Connection, request

# It answers a slow request when the file `go` is there.
APPLICATION = """
import os, time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path != "/quick":
        open("begun", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    if path == "/streamed":
        start_response("200 OK", [])
        return iter([b"one", b"two"])
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
# Sends the head and half of the body, waits for the file, and sends the rest; in two writes each.
STREAM = """
import os, socket, sys, threading, time
def say(peer, *pieces):
    for piece in pieces:
        peer.sendall(piece)
        time.sleep(0.02)
def serve(peer):
    with peer:
        while head := peer.recv(65536):
            if b"/quick" in head:
                say(peer, b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
                continue
            say(peer, b"HTTP/1.1 200 OK\\r\\nTransfer-Enco", b"ding: chunked\\r\\n\\r\\n5\\r\\nab", b"cde\\r\\n")
            open("begun", "w").close()
            while not os.path.exists("go"):
                time.sleep(0.01)
            say(peer, b"3\\r", b"\\nxyz\\r\\n0\\r\\nTrailer: 1\\r", b"\\n\\r\\n")
            time.sleep(60)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""
PLAIN = 'processes = 1\nthreads = 1\naffinity = { pin = "never" }\n'


def leave(balancer, method, path, over):
    """Asks, and leaves once the process is at work on it."""
    if over == "h2":
        connection = Connection(balancer.address, None)
        stream = connection.ask(request(path, method=method))
    else:
        connection = socket.create_connection(balancer.address, 10)
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    wait_until((balancer.folder / "begun").exists)
    if over == "h2":
        connection.send(http2.frame(http2.RST_STREAM, 0, stream, struct.pack("!I", http2.CANCEL)))
    else:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return connection


def check(balancer, method, path, over):
    balancer.wait_ready("app", 1)
    kept = leave(balancer, method, path, over)
    in_flight = lambda: balancer.group("app")["processes"][0]["in_flight"]
    with contextlib.closing(socket.create_connection(balancer.address, 20)) as next_client:
        next_client.sendall(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
        next_client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            next_client.recv(1)
        assert in_flight() == 1
        (balancer.folder / "go").touch()
        start = time.monotonic()
        next_client.settimeout(20)
        assert next_client.recv(64).startswith(b"HTTP/1.1 200")
        # After its last word a process that stays silent was waited for for two seconds.
        assert time.monotonic() - start < 1.5
    wait_until(lambda: in_flight() == 0)
    del kept


@pytest.mark.parametrize("over", ["http1", "h2"])
@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/length"), ("GET", "/streamed"), ("GET", "/empty"), ("HEAD", "/length")])
@pytest.mark.parametrize("server", ["granian", "wsgiref"])
def test_a_slot_is_free_when_its_process_has_answered_for_nobody(server, method, path, over):
    text = f'[group.app]\nwsgi = "app.py"\nserver = "{server}"\n{PLAIN}'
    with serving(text, files={"app.py": APPLICATION}) as balancer:
        check(balancer, method, path, over)


@pytest.mark.parametrize("over", ["http1", "h2"])
def test_the_end_of_a_response_that_had_begun_is_seen_too(over):
    # It has no word for a client that leaves: it goes on, and holds the connection afterwards.
    text = f'[group.app]\ncommand = ["python3", "server.py", "{{port}}"]\n{PLAIN}'
    with serving(text, files={"server.py": STREAM}) as balancer:
        check(balancer, "GET", "/chunks", over)
