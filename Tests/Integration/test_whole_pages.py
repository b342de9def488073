"""A page of two hundred parts in a real browser over HTTP/2: with all defaults, all of it comes."""

import asyncio
import json
import shutil
import socket

import pytest

import tls
from balancer import serving
from browser import chromium

PAGE = """
import http.server, json, os, socketserver, sys, time
def answer(path):
    if path == "/":
        parts = "".join(f'<script src="/part/{n}.js"></script>' for n in range(200))
        return "text/html", f"<!doctype html><title>whole</title><script>var parts = 0</script>{parts}"
    if path.startswith("/part/"):
        time.sleep(0.01)
        return "text/javascript", f"parts += 1; var pid = {os.getpid()};"
    return "application/json", json.dumps(os.getpid())
def application(environ, start_response):
    kind, text = answer(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(text)))])
    return [text.encode()]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        kind, text = answer(self.path)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    request_queue_size = 200
    daemon_threads = True
if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
GROUPS = {"wsgi": 'wsgi = "page.py"', "command": 'command = ["python3", "page.py", "{port}"]'}


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium here")
@pytest.mark.parametrize("kind", GROUPS)
def test_two_visitors_get_every_part_and_go_on_after_a_kill_of_the_balancer(certificates, kind):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = tls.secure(certificates, f"[group.app]\n{GROUPS[kind]}\n").replace(":0", f":{port}", 1)
    with serving(text, files={"page.py": PAGE}) as balancer, chromium() as browser:
        asyncio.run(visit(balancer, browser))


async def visit(balancer, browser):
    base = f"https://localhost:{balancer.address[1]}/"
    async with browser.page() as one, browser.page() as two:
        pids = [await page.load(base, "parts == 200 && pid", 30) for page in (one, two)]
        for page in (one, two):
            assert not page.failures() and page.protocols() == {"h2"}
        balancer.crash()
        balancer.start()
        for page, pid in zip((one, two), pids):
            served = await page.evaluate("fetch('/who').then(answer => answer.text())")
            assert json.loads(served) == pid
