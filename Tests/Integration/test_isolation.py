"""As whom processes run, what they say of themselves, and what becomes of them when they hang."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from balancer import BINARY, Balancer, is_alive, wait_until

APP = """
import json, os, resource, signal, socket, socketserver
from http.server import BaseHTTPRequestHandler

def tell(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(os.environ["NOTIFY_SOCKET"])
        manager.send(text.encode())

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self): return "-"
    def log_message(self, *_): pass
    def do_GET(self):
        if self.headers.get("X-Notify"):
            tell(self.headers["X-Notify"].replace("|", chr(10)))
        status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
        open_files = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
                      if os.path.exists(f"/proc/self/fd/{name}")]
        mask = os.umask(0)
        os.umask(mask)
        body = json.dumps({
            "pid": os.getpid(), "uids": status["Uid"].split(), "groups": status["Groups"].split(),
            "no_new_privs": status["NoNewPrivs"].strip(), "umask": oct(mask),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE), "open": open_files,
            "environment": sorted(os.environ), "home": os.environ.get("HOME")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(os.environ["MOORING_SOCKET"], Handler).serve_forever()
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")


def serve(lines):
    group = f'[group.app]\ncommand = ["/usr/bin/python3", "app.py"]\nprocesses = 1\n{lines}\n'
    balancer = Balancer(group, files={"app.py": APP})
    balancer.folder.chmod(0o755)
    balancer.wait_ready("app", 1)
    return balancer


@needs_root
def test_processes_run_as_the_user_that_is_named_and_within_their_limits():
    balancer = serve('user = "nobody"\numask = "027"\nrlimits = { nofile = 64 }')
    try:
        facts = balancer.request().json()
        assert set(facts["uids"]) == {"65534"} and "0" not in facts["groups"]
        assert facts["no_new_privs"] == "1" and facts["umask"] == "0o27"
        assert facts["files"] == [64, 64]
        allowed = ("HOME", "HOST", "LANG", "LC_", "LOGNAME", "MOORING_", "NOTIFY_SOCKET", "PATH", "PORT", "PWD",
                   "PYTHON", "SHELL", "TZ", "USER")
        assert all(name.startswith(allowed) for name in facts["environment"]), facts["environment"]
        strange = [link for link in facts["open"]
                   if not link.startswith(("socket:", "/dev/null", "/proc/"))
                   and not link.endswith((".out", ".err"))]
        assert not strange, strange
    finally:
        balancer.stop()


@needs_root
def test_root_is_asked_as_whom_processes_are_to_run(tmp_path):
    (tmp_path / "mooring.toml").write_text('[group.app]\ncommand = ["./app", "{socket}"]\n')
    said = subprocess.run([BINARY, "check", "-c", str(tmp_path / "mooring.toml")],
                          capture_output=True, text=True, check=False)
    assert said.returncode == 2 and "would run as root; add user = " in said.stderr, said


def process(balancer):
    return balancer.group("app")["processes"][0]


def test_what_a_process_says_of_itself_is_shown():
    balancer = serve("threads = 2")
    try:
        balancer.request(headers={"X-Notify": "STATUS=warming the cache|X_MOORING_BUSY=1"})
        wait_until(lambda: process(balancer)["status_text"] == "warming the cache")
        assert process(balancer)["busy"]
        pid = process(balancer)["pid"]
        balancer.request(headers={"X-Notify": "X_MOORING_BUSY=0|STOPPING=1"})
        wait_until(lambda: pid not in balancer.pids("app") and balancer.pids("app"))
    finally:
        balancer.stop()


def test_a_process_that_misses_its_watchdog_is_replaced():
    balancer = serve("threads = 2")
    try:
        pid = process(balancer)["pid"]
        balancer.request(headers={"X-Notify": "WATCHDOG_USEC=300000|WATCHDOG=1"})
        wait_until(lambda: not is_alive(pid) and balancer.pids("app"), 10, "the replacement")
        reasons = {d["reason"] for d in balancer.group("app")["decisions"]}
        assert "watchdog" in reasons, reasons
    finally:
        balancer.stop()


def test_who_waits_for_a_stopped_process_is_told_to_come_back():
    balancer = serve('threads = 1\nqueue_timeout = "500ms"')
    pid = process(balancer)["pid"]
    try:
        os.kill(pid, signal.SIGSTOP)
        first = threading.Thread(target=lambda: balancer.request(timeout=30))
        first.start()
        wait_until(lambda: process(balancer)["in_flight"] == 1)
        started = time.monotonic()
        answer = balancer.request()
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        assert 0.4 < time.monotonic() - started < 3
        os.kill(pid, signal.SIGCONT)
        first.join(20)
        assert json.loads(balancer.request().body)["pid"] == pid
    finally:
        os.kill(pid, signal.SIGCONT)
        balancer.stop()


def test_a_stopped_process_with_a_health_check_is_replaced():
    balancer = serve('threads = 2\nhealth = { path = "/", interval = "200ms", timeout = "200ms" }')
    try:
        pid = process(balancer)["pid"]
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: not is_alive(pid) and balancer.pids("app"), 10, "the replacement")
        assert balancer.request().status == 200
    finally:
        balancer.stop()
