"""Run by test_descriptors.py in a network namespace with 41 local ports: they run out."""

import os
import socket
import sys
import tempfile

import http2
from balancer import serving, wait_until

PROGRAM = """
import http.server, json, os, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    request_queue_size = 100
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIGURATION = f"""
[group.app]
command = ["{sys.executable}", "app.py", "{{port}}"]
threads = 20
health = {{ path = "/", interval = "200ms", timeout = "500ms", fall = 2 }}
"""


def ask(balancer):
    """Over a unix socket, which takes no port."""
    path = str(balancer.folder / "listen.sock")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        if os.environ["PROTOCOL"] == "http1":
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            got = b""
            while piece := client.recv(65536):
                got += piece
            return int(got[9:12]), got.rpartition(b"\r\n\r\n")[2]
    plain = socket.create_connection
    socket.create_connection = lambda *_: connected(path)
    try:
        with http2.Connection(path) as connection:
            answer = connection.get(http2.request("/"))
            return answer.status, answer.body
    finally:
        socket.create_connection = plain


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def hold_all(port):
    """Every local port towards the process is in use."""
    held = []
    while True:
        client = socket.socket()
        try:
            client.connect(("127.0.0.1", port))
        except OSError as error:
            assert error.errno == 99, error
            client.close()
            return held
        held.append(client)


def main():
    head = '[[listen]]\naddress = "127.0.0.1:0"\n[[listen]]\naddress = "unix:FOLDER/listen.sock"\n'
    folder = tempfile.mkdtemp(prefix="m-ports-", dir="/tmp")
    with serving(head.replace("FOLDER", folder) + CONFIGURATION, files={"app.py": PROGRAM}) as balancer:
        os.symlink(f"{folder}/listen.sock", balancer.folder / "listen.sock")
        pid = balancer.wait_ready("app", 1)[0]
        status, body = ask(balancer)
        assert status == 200 and int(body) == pid, (status, body)
        port = int(balancer.group("app")["processes"][0]["address"].rpartition(":")[2])
        # Idle connections would serve the next request.
        held = hold_all(port)
        wait_until(lambda: ask(balancer)[0] == 503, 10, "ports to be short")
        assert "local port" in balancer.log, balancer.log
        # Several rounds of health checks fail for want of a port, too.
        for _ in range(30):
            status, _ = ask(balancer)
            assert status == 503, status
        assert balancer.pids("app") == [pid], balancer.log
        for client in held:
            client.close()
        wait_until(lambda: ask(balancer)[0] == 200, 70, "ports to be free")
        assert balancer.pids("app") == [pid], balancer.log


main()
