"""What the tests of take-overs share: a balancer, its clients, and its successor."""

import http.client
import json
import socket
from pathlib import Path

import pytest

from balancer import serving

APP = (Path(__file__).resolve().parents[1] / "Faults/app.py").read_text()
CONFIGURATION = """
[timeouts]
drain = "{drain}"
[group.app]
command = ["python3", "app.py"]
processes = 2
threads = 10
keepalive = false
"""

STARTS_ON_A_WORD = '["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exec python3 app.py"]'


@pytest.fixture
def balancer(request):
    configuration = CONFIGURATION.format(drain=getattr(request, "param", "30s"))
    with serving(configuration, files={"app.py": APP}, keeps_address=True) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


class Tunnel:
    """An upgraded connection, whose process identifies itself with each word."""

    def __init__(self, balancer, cookie):
        self.socket = socket.create_connection(balancer.address, 20)
        self.socket.sendall(
            f"GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nCookie: mooring={cookie}\r\n\r\n"
            .encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def say(self, word):
        """Who has answered."""
        self.socket.sendall(word)
        pid, _, echo = self.socket.recv(4096).partition(b" ")
        assert echo == word
        return int(pid)

    def close(self):
        self.socket.close()


def replace(balancer):
    """Starts the successor; the old balancer, which may have something left to do."""
    old, balancer.process = balancer.process, balancer.launch("--takeover")
    return old


def ended(old, seconds=20):
    code = old.wait(seconds)
    old.stdout.close()
    return code


class Kept:
    """A connection that its client keeps for the next request."""

    def __init__(self, address, first=b""):
        self.socket = socket.create_connection(address, 20)
        self.socket.sendall(first)

    def ask(self, path="/page", headers=""):
        """The answer's head, and the first bytes of its process."""
        self.send(path, headers)
        return self.answer()

    def send(self, path="/page", headers=""):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())

    def answer(self):
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return response, json.loads(response.read())

    def nonces(self, count):
        """Those of answers to requests that were sent ahead."""
        nonces = []
        with self.socket.makefile("rb") as answers:
            for _ in range(count):
                assert answers.readline().startswith(b"HTTP/1.1 200 ")
                fields = dict(line.lower().split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
                nonces.append(json.loads(answers.read(int(fields[b"content-length"])))["nonce"])
        return nonces

    def close(self):
        self.socket.close()
