"""A slot is taken for as long as its process is busy, however its client leaves."""

import socket
import struct
import time

import pytest

import http2
import tls
from balancer import Balancer, serving, wait_until
from http2 import Connection, request

# Work leaves a file when it begins, and lasts until the file `done` is there, or a minute.
WORK = """
import os, threading, time
HERE = os.path.dirname(os.path.abspath(__file__))
def work():
    open(os.path.join(HERE, f"begun-{threading.get_ident()}"), "w").close()
    end = time.monotonic() + 60
    while time.monotonic() < end and not os.path.exists(os.path.join(HERE, "done")):
        time.sleep(0.05)
"""
WSGI = WORK + """
def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/slow"):
        work()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
SERVER = WORK + """
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/slow"):
            work()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
HOW = 'processes = { min = 1, max = 2 }\nthreads = 2\naffinity = { pin = "never" }\n'
KINDS = {"wsgi": f'[group.app]\nwsgi = "app.py"\n{HOW}', "command": f'[group.app]\ncommand = ["python3", "server.py", "{{port}}"]\n{HOW}'}
FILES = {"app.py": WSGI, "server.py": SERVER}


def in_flight(balancer):
    return sum(p["in_flight"] for p in balancer.group("app")["processes"])


def is_at_work(balancer):
    return len(list(balancer.folder.glob("begun-*"))) == 2


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ask(balancer, context=None):
    connection = socket.create_connection(balancer.address, 10)
    if context:
        connection = context.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection


def leave(how, balancer, context):
    """Two requests, given up when both are with a process."""
    if how.startswith("h2"):
        connection = Connection(balancer.address, context)
        streams = [connection.ask(request("/slow")) for _ in range(2)]
        wait_until(lambda: is_at_work(balancer))
        if how == "h2-stream":
            for stream in streams:
                connection.send(http2.frame(http2.RST_STREAM, 0, stream, struct.pack("!I", http2.CANCEL)))
            return connection
        if how == "h2-goaway":
            connection.send(http2.frame(http2.GOAWAY, 0, 0, struct.pack("!II", 0, 0)))
        connection.socket.close()
        return None
    connections = [ask(balancer, context) for _ in range(2)]
    wait_until(lambda: is_at_work(balancer))
    for connection in connections:
        reset(connection) if how == "rst" else connection.close()
    return None


def check(balancer, how, context=None):
    balancer.wait_ready("app", 1)
    kept = leave(how, balancer, context)
    # Their lines are written when Mooring knows that they have left: a FIN alone may be half of a close.
    if how != "fin":
        wait_until(lambda: balancer.log.count('"GET /slow ') == 2, what="the lines of those who left")
    assert in_flight(balancer) == 2
    # While it is at work, a new process takes the others.
    if context is None:
        assert balancer.request("/").status == 200
    assert in_flight(balancer) == 2
    (balancer.folder / "done").touch()
    wait_until(lambda: in_flight(balancer) == 0, 10, "the end of the work")
    del kept


@pytest.mark.parametrize("how", ["rst", "fin", "h2-stream", "h2-goaway", "h2-end"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_slot_of_a_client_who_left_is_taken_until_the_process_is_done(kind, how):
    with serving(KINDS[kind], files=FILES) as balancer:
        check(balancer, how)


@pytest.mark.parametrize("how", ["rst", "h2-stream"])
def test_over_tls_too(certificates, how):
    balancer = Balancer(tls.secure(certificates, KINDS["wsgi"]), files=FILES)
    try:
        check(balancer, how, tls.trusting(certificates))
    finally:
        balancer.stop()


def test_a_stop_does_not_wait_for_work_that_nobody_waits_for():
    balancer = Balancer(KINDS["wsgi"].replace("threads", 'stop_timeout = "1s"\nthreads'),
                        files=FILES)
    balancer.wait_ready("app", 1)
    leave("rst", balancer, None)
    begun = time.monotonic()
    balancer.stop()
    assert time.monotonic() - begun < 8


def test_the_time_of_a_request_bounds_what_nobody_waits_for():
    text = KINDS["wsgi"] + 'request_timeout = "1s"\n'
    with serving(text.replace("threads", 'stop_timeout = "1s"\nthreads'),
                 files=FILES) as balancer:
        balancer.wait_ready("app", 1)
        leave("rst", balancer, None)
        wait_until(lambda: in_flight(balancer) == 0, 10, "the end of its time")


ENDLESS = """
import time
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    while True:
        yield b"data: x\\n\\n"
        time.sleep(0.1)
"""


def test_a_stream_without_an_end_is_cut_off_soon_after_its_client_has_left():
    with serving(KINDS["wsgi"], files={"app.py": ENDLESS}) as balancer:
        balancer.wait_ready("app", 1)
        connection = socket.create_connection(balancer.address, 10)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(10)
        reset(connection)
        wait_until(lambda: in_flight(balancer) == 0, 10, "its end")
