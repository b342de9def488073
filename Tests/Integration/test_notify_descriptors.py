"""Descriptors that are sent to the notify socket, some of which take long to close."""

import array
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from balancer import Balancer, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
USER, STRANGER = 54326, 54325

APP = """
import array, os, socket, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    address_string = lambda self: "-"
    log_message = lambda *rest: None

    def do_GET(self):
        body = b"here"
        if self.path == "/barrier":
            reading, writing = os.pipe()
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            manager.connect(os.environ["NOTIFY_SOCKET"])
            manager.send(b"STATUS=before")
            manager.sendmsg([b"BARRIER=1"], [(
                socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing]))])
            os.close(writing)
            body = b"passed" if os.read(reading, 1) == b"" else b"odd"
            os.close(reading)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(HTTPServer):
    address_family = socket.AF_UNIX

def beat():
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.connect(os.environ["NOTIFY_SOCKET"])
    while True:
        manager.send(b"WATCHDOG_USEC=3000000\\nWATCHDOG=1")
        time.sleep(0.2)

threading.Thread(target=beat, daemon=True).start()
server = Server(os.environ["MOORING_SOCKET"], Answer, bind_and_activate=False)
server.socket.bind(server.server_address)
server.server_name, server.server_port = "-", 0
server.server_activate()
server.serve_forever()
"""

# Each datagram has a connection that lingers for ten minutes on what its peer never reads.
LINGER = """
import array, os, socket, struct, sys, threading, time
user, count = int(sys.argv[2]), int(sys.argv[3])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
listener = socket.create_server(("127.0.0.1", 0))
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
kept, open_connections = [], []
for _ in range(count):
    connection = socket.create_connection(listener.getsockname())
    kept.append(listener.accept()[0])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
    connection.setblocking(False)
    try:
        while True:
            connection.send(bytes(65536))
    except BlockingIOError:
        pass
    open_connections.append(connection.detach())

def send(descriptor):
    sender.sendmsg([b"x"], [(
        socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
    # It waits here instead when the other one has been closed already.
    os.close(descriptor)

threads = [
    threading.Thread(target=send, args=[descriptor], daemon=True) for descriptor in open_connections]
for thread in threads:
    thread.start()
threads[0].join(1)
print("sent", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def lingering(balancer, user, count):
    path = str(balancer.folder / "run/notify")
    sender = subprocess.Popen(
        [sys.executable, "-c", LINGER, path, str(user), str(count)], stdout=subprocess.PIPE)
    try:
        assert sender.stdout.readline() == b"sent\n"
        yield
    finally:
        sender.kill()
        sender.wait()


@contextlib.contextmanager
def balancing():
    config = f"""
[group.app]
command = ["{sys.executable}", "app.py"]
processes = 1
user = "{USER}"
group = "{USER}"
"""
    balancer = Balancer(
        config, files={"app.py": APP}, prepare=lambda folder: folder.chmod(0o755))
    try:
        balancer.wait_ready("app", 1)
        yield balancer
    finally:
        balancer.stop()


@needs_root
@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("user", [STRANGER, USER])
def test_descriptors_that_take_long_to_close_hold_up_nothing(user, count):
    with balancing() as balancer:
        with lingering(balancer, user, count):
            assert balancer.request("/barrier", timeout=10).body == b"passed"
            [pid] = balancer.pids("app")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: balancer.pids("app") not in ([], [pid]), 10)
            balancer.wait_ready("app", 1)
            assert balancer.admin("/healthz").status == 200
            # Longer than the watchdog's time, which counts what arrives here.
            [pid] = balancer.pids("app")
            until = time.monotonic() + 4
            while time.monotonic() < until:
                assert balancer.request("/barrier", timeout=10).body == b"passed"
                time.sleep(0.2)
            assert balancer.pids("app") == [pid]
            begun = time.monotonic()
            balancer.process.send_signal(signal.SIGTERM)
            assert balancer.process.wait(10) == 0
            assert time.monotonic() - begun < 8


@needs_root
def test_a_barrier_waits_for_what_was_sent_before_it():
    with balancing() as balancer:
        for _ in range(20):
            assert balancer.request("/barrier", timeout=10).body == b"passed"
            assert balancer.group("app")["processes"][0]["status_text"] == "before"


@needs_root
def test_descriptors_of_a_flood_are_not_kept():
    with balancing() as balancer:
        table = f"/proc/{balancer.pid}/fd"
        before = len(os.listdir(table))
        null = os.open("/dev/null", os.O_RDONLY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(balancer.folder / "run/notify"))
            for _ in range(200):
                sender.sendmsg([b"x"], [(
                    socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 200))])
        os.close(null)
        wait_until(lambda: len(os.listdir(table)) <= before + 2, 10)
        assert len(os.listdir(f"/proc/{balancer.pid}/task")) < 40
        assert balancer.request("/barrier", timeout=10).body == b"passed"
