"""One browser's page of two hundred parts over HTTP/2: all of it comes, and it delays no other visitor."""

import threading

import pytest

from balancer import serving, wait_until
from http2 import Connection, request
from origin import Origin

# Each part takes a moment; the answer tells how many requests the process had before.
WSGI = """
import itertools, time
numbers = itertools.count()

def application(environ, start_response):
    time.sleep({moment})
    body = str(next(numbers)).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
COMMAND = """
import http.server, socketserver, sys, time

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 256
    daemon_threads = True

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(0.005)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def address_string(self):
        return "mooring"

    def log_message(self, *_):
        pass

Server(sys.argv[1], Handler).serve_forever()
"""
KINDS = {
    "wsgi": 'wsgi = "app.py"',
    "command": 'command = ["python3", "server.py", "{socket}"]',
    "servers": "servers = [ORIGIN]",
    "started on demand": 'wsgi = "app.py"\nprocesses = { max = 3 }',
    "a process for each session": 'wsgi = "app.py"\nsessions_per_process = 1\nprocesses = { max = 2 }',
    "without pins": 'wsgi = "app.py"\naffinity = { pin = "never" }',
}


def load(connection, count, *fields, at_once=100):
    """The parts of a page, as a browser asks for them: as many at once as may be; their statuses."""
    streams = []
    for number in range(count):
        connection.read(lambda: sum(not connection.answers[s].over for s in streams) < at_once, 60)
        streams.append(connection.ask(request(f"/part/{number}", "GET", "a", *fields)))
    return [connection.wait(stream, 60).status for stream in streams]


@pytest.mark.parametrize("threads", ["", "threads = 1"], ids=["default threads", "one thread"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_two_hundred_parts_comes_completely(kind, threads):
    files = {"app.py": WSGI.replace("{moment}", "0.005"), "server.py": COMMAND}
    with Origin() as origin:
        group = KINDS[kind].replace("ORIGIN", origin.server)
        with serving(f"[group.app]\n{group}\n{threads}\n", files=files) as balancer:
            with Connection(balancer.address) as first:
                assert load(first, 200) == [200] * 200, "on the first visit"
            cookie = balancer.request().cookie
            with Connection(balancer.address) as later:
                fields = [("cookie", f"mooring={cookie}")] if cookie else []
                assert load(later, 200, *fields) == [200] * 200, "with a cookie"


def test_a_page_does_not_delay_another_visitors_single_request():
    files = {"app.py": WSGI.replace("{moment}", "0.05")}
    with serving('[group.app]\nwsgi = "app.py"\nthreads = 1\n', files=files) as balancer:
        visitor, reader = balancer.request().cookie, balancer.request().cookie
        with Connection(balancer.address) as page:
            parts = [page.ask(request("/part", "GET", "a", ("cookie", f"mooring={reader}"))) for _ in range(90)]
            wait_until(lambda: balancer.group("app")["processes"][0]["queued"] > 50, what="parts that wait")
            before = int(balancer.request(cookie=visitor).body)
            new = int(balancer.request().body)
            assert before < 80 and new < 85, "they were served between the parts"
            assert [page.wait(part).status for part in parts] == [200] * 90


@pytest.mark.parametrize("has_cookie", [True, False], ids=["with a cookie", "without"])
def test_streams_that_wait_hold_no_block_of_memory(has_cookie):
    go = threading.Event()

    def wait(connection, _):
        go.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Origin({"/part": wait}) as origin:
        configuration = (
            f"[limits]\nbuffer_memory = \"8MiB\"\n[group.app]\nservers = [{origin.server}]\nthreads = 1\n"
            "queue_timeout = \"60s\"\n")
        with serving(configuration) as balancer:
            fields = [("cookie", f"mooring={balancer.request().cookie}")] if has_cookie else []
            pages = [Connection(balancer.address) for _ in range(9)]
            asked = [
                (page, page.ask(request("/part", "GET", "a", *fields))) for page in pages for _ in range(100)]
            wait_until(lambda: balancer.admin("/stats").json()["requests"]["active"] >= 900, what="900 requests")
            # Another loop's use is known a moment later.
            for _ in range(5):
                assert balancer.request("/", cookie=None, method="OPTIONS", headers={"Max-Forwards": "0"}).status < 500
            go.set()
            statuses = [page.wait(stream, 60).status for page, stream in asked]
            assert statuses == [200] * 900
            for page in pages:
                page.__exit__()
            assert "all of limits.buffer_memory" not in balancer.log
