"""Programs that get their address in any of the usual ways, and those that listen elsewhere."""

import socket
import threading

import pytest

from balancer import Balancer, serving, wait_until

# Serves as its first argument selects, and reports about itself.
APP = """
import os, socket, socketserver, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        names = ("PORT", "HOST", "MOORING_SOCKET", "LISTEN", "LABEL", "FORMAT")
        body = repr({name: os.environ.get(name) for name in names}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return "-"
    def log_message(self, *_):
        pass

class IPv6(ThreadingHTTPServer):
    address_family = socket.AF_INET6

class Unix(socketserver.ThreadingUnixStreamServer):
    def get_request(self):
        return super().get_request()[0], ("-", 0)

time.sleep(float(os.environ.get("DELAY", "0")))
where = sys.argv[1]
if where == "unix":
    server = Unix(os.environ["MOORING_SOCKET"], Handler)
elif where == "ipv6":
    server = IPv6(("::1", int(os.environ["PORT"])), Handler)
elif where == "any6":
    server = IPv6(("::", int(os.environ["PORT"])), Handler)
elif where == "elsewhere":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
else:
    server = ThreadingHTTPServer((os.environ["HOST"], int(os.environ[where])), Handler)
server.serve_forever()
"""


def group(where, lines="", name="app"):
    return f'[group.{name}]\ncommand = ["python3", "app.py", "{where}"]\nprocesses = 1\n{lines}'


def said(balancer):
    answer = balancer.request()
    assert answer.status == 200
    return eval(answer.body)


@pytest.mark.parametrize("where,address", [
    ("PORT", "127.0.0.1:"), ("unix", "unix:/"), ("ipv6", "[::1]:"), ("any6", "127.0.0.1:")])
@pytest.mark.parametrize("health", ["", 'health = { path = "/" }\n'])
def test_a_command_without_placeholders_is_served_wherever_it_was_told_to_listen(
        where, address, health):
    with serving(group(where, health), files={"app.py": APP}) as balancer:
        facts = said(balancer)
        assert facts["PORT"].isdigit() and facts["HOST"] == "127.0.0.1"
        assert facts["MOORING_SOCKET"].endswith(".sock")
        process = balancer.group("app")["processes"][0]
        assert process["address"].startswith(address)
        # The answer came from the process, and so does the next one.
        assert said(balancer)["PORT"] == facts["PORT"]


@pytest.mark.parametrize("where", ["PORT", "unix", "ipv6"])
def test_it_is_served_by_the_next_balancer_after_a_crash_and_a_takeover(where):
    balancer = Balancer(group(where), files={"app.py": APP}, keeps_address=True)
    try:
        first = said(balancer)
        pid = balancer.pids("app")
        balancer.crash()
        balancer.start()
        assert said(balancer) == first and balancer.pids("app") == pid
        balancer.take_over()
        assert said(balancer) == first and balancer.pids("app") == pid
    finally:
        balancer.stop()


def test_placeholders_in_env_are_filled_in_and_braces_of_others_stay():
    lines = 'env = { PORT = "{port}", HOST = "127.0.0.1", LISTEN = "http://127.0.0.1:{port}", ' \
        'LABEL = "{group}/{process}", FORMAT = "{time} {level}" }\n'
    with serving(group("PORT", lines), files={"app.py": APP}) as balancer:
        facts = said(balancer)
        assert facts["LISTEN"] == f"http://127.0.0.1:{facts['PORT']}"
        assert facts["LABEL"] == f"app/{balancer.group('app')['processes'][0]['id']}"
        assert facts["FORMAT"] == "{time} {level}"
        # The port was asked for, so no socket is offered.
        assert facts["MOORING_SOCKET"] is None


def test_a_start_that_listens_elsewhere_is_told_of_after_five_seconds_and_at_its_end():
    lines = 'start_timeout = "7s"\n'
    with serving(group("elsewhere", lines), files={"app.py": APP}) as balancer:
        slow = wait_until(
            lambda: next((line for line in balancer.log.splitlines() if "not ready after 5 s" in line), None),
            seconds=30, what="the slow start")
        assert "Mooring waits until it listens at unix:/" in slow and "(PORT)" in slow
        assert "it listens at 127.0.0.1:" in slow and " group=" in slow
        assert "does not stop" not in balancer.log
        failure = wait_until(
            lambda: (found := balancer.group("app")["spawn"]["last_failure"]) and
            "listens at" in found["reason"] and found, seconds=30, what="the failure")
        assert failure["reason"].startswith("not ready within 7 s (start_timeout)")
        assert failure["signal"] == 9
        assert "does not stop" not in balancer.log


def test_localhost_of_a_server_is_found_at_either_loopback_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop = threading.Event()

    def serve(listener):
        listener.settimeout(0.05)
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        listener.close()

    def listen(host):
        stop.clear()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        return thread

    with serving(f'[group.a]\nservers = ["localhost:{port}"]\n') as balancer:
        cookie = None
        for host in ("::1", "127.0.0.1", "::1"):
            thread = listen(host)
            for _ in range(3):
                answer = balancer.request(cookie=cookie)
                assert (answer.status, answer.body) == (200, b"hi")
                cookie = cookie or answer.cookie
            stop.set()
            thread.join()
        # One server, whichever address it has.
        assert balancer.group("a")["sessions"]["created_total"] == 1
        assert [p["id"] for p in balancer.group("a")["processes"]] == [f"localhost:{port}"]
        assert balancer.request(cookie=cookie).status >= 500
