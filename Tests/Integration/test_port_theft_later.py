"""The port of a process that is ready is not taken over by another user's program."""

import http.client
import os
import signal
import subprocess
import sys
import threading

import pytest

from balancer import Balancer, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
USER, THIEF = 54328, 54327

APP = """
import os, socket, socketserver, sys, threading, time
from http.server import BaseHTTPRequestHandler

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *rest: None

    def do_GET(self):
        if self.path == "/die":
            os._exit(1)
        if self.path == "/close":
            server.socket.close()
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"mine")

class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 100

server = Server((sys.argv[2], int(sys.argv[1])), Answer)
try:
    server.serve_forever()
finally:
    time.sleep(1000)
"""

# Tries to listen at the port until it can, and answers whatever comes.
STEAL = """
import os, socket, sys, threading
user = int(sys.argv[2])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
print("tries", flush=True)
while True:
    try:
        listener = socket.create_server((sys.argv[3], int(sys.argv[1])), backlog=100)
        break
    except OSError:
        pass
print("listens", flush=True)

def answer(connection):
    head = connection.recv(65536)
    if head:
        print("stolen", head[:40], flush=True)
        connection.sendall(
            b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\nstolen")
    connection.close()

while True:
    threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()
"""


def balancing(host="127.0.0.1", user=f'user = "{USER}"\ngroup = "{USER}"\n'):
    return Balancer(
        f'[group.app]\ncommand = ["{sys.executable}", "app.py", "{{port}}", "{host}"]\n'
        f'processes = 1\nthreads = 20\nkeepalive = false\n{user}',
        files={"app.py": APP}, prepare=lambda folder: folder.chmod(0o755))


def port_of(balancer):
    with open(f"/proc/{balancer.pids('app')[0]}/cmdline") as file:
        return file.read().split("\0")[-3]


class Thief:
    def __init__(self, port, user=THIEF):
        self.process = subprocess.Popen(
            [sys.executable, "-c", STEAL, port, str(user), "127.0.0.1"],
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "tries\n"

    def end(self):
        self.process.kill()
        return self.process.communicate()[0]


@needs_root
@pytest.mark.parametrize("user", [f'user = "{USER}"\ngroup = "{USER}"\n', ""])
def test_a_process_that_listens_no_more_loses_no_request_to_a_thief(user):
    balancer = balancing(user=user)
    try:
        balancer.wait_ready("app", 1)
        cookie = balancer.request("/").cookie
        thief = Thief(port_of(balancer))
        try:
            balancer.request("/close")
            assert thief.process.stdout.readline() == "listens\n"
            answer = balancer.request(
                "/", cookie=cookie, headers={"Authorization": "secret"}, timeout=10)
            assert answer.body != b"stolen"
            wait_until(lambda: f"user with the id {THIEF}, listens at 127.0.0.1:" in balancer.log)
        finally:
            out = thief.end()
        assert "stolen" not in out
        wait_until(lambda: balancer.request("/", timeout=10).body == b"mine")
    finally:
        balancer.stop()


@needs_root
def test_a_process_that_crashes_loses_no_request_to_a_thief():
    balancer = balancing()
    stolen, over = [], threading.Event()

    def ask():
        while not over.is_set():
            try:
                if balancer.request("/", timeout=10).body == b"stolen":
                    stolen.append(True)
            except (OSError, http.client.HTTPException):
                pass

    try:
        balancer.wait_ready("app", 1)
        clients = [threading.Thread(target=ask) for _ in range(12)]
        for client in clients:
            client.start()
        for _ in range(5):
            thief = Thief(port_of(balancer))
            try:
                balancer.request("/die", timeout=10)
                assert thief.process.stdout.readline() == "listens\n"
            finally:
                out = thief.end()
            assert "stolen" not in out
            balancer.wait_ready("app", 1)
        over.set()
        for client in clients:
            client.join()
        assert not stolen
    finally:
        over.set()
        balancer.stop()


@needs_root
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("user", [f'user = "{USER}"\ngroup = "{USER}"\n', ""])
def test_a_process_at_its_own_port_is_sent_its_requests(host, user):
    balancer = balancing(host, user)
    try:
        balancer.wait_ready("app", 1)
        for _ in range(10):
            assert balancer.request("/").body == b"mine"
        assert "another program" not in balancer.log
    finally:
        balancer.stop()


@needs_root
def test_a_process_keeps_its_sessions_when_a_reload_changes_the_user():
    balancer = balancing()
    try:
        balancer.wait_ready("app", 1)
        cookie = balancer.request("/").cookie
        [pid] = balancer.pids("app")
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace(str(USER), str(USER + 1)))
        balancer.process.send_signal(signal.SIGHUP)
        wait_until(lambda: [p for p in balancer.pids("app") if p != pid], 20)
        answer = balancer.request("/", cookie=cookie)
        assert (answer.body, answer.cookie) == (b"mine", None)
        assert os.path.exists(f"/proc/{pid}")
        assert "another program" not in balancer.log
    finally:
        balancer.stop()
