"""The Python host by itself, with any of the servers that it knows."""

import contextlib
import http.client
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HOST = Path(__file__).resolve().parents[2] / "Sources/Supervision/Python/mooring_host.py"
SERVERS = ["granian", "gunicorn", "waitress", "wsgiref"]
DEADLINE = 15.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Host:
    """A running host; `log` is what it printed."""

    def __init__(self, folder, app, server, threads=4, python=sys.executable, cwd=None, interface="wsgi",
                 stop_timeout=10, **environ):
        self.socket = str(Path(folder) / "host.sock")
        self.output = Path(folder) / "output"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [python, str(HOST), "--app", app, "--server", server, "--threads", str(threads),
                 "--interface", interface, "--stop-timeout", str(stop_timeout)],
                cwd=cwd or folder, stdout=output, stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "MOORING_SOCKET": self.socket,
                     "MOORING_GROUP": "crew", "MOORING_PROCESS": "k3f9", **environ})

    @property
    def log(self):
        return self.output.read_text()

    def wait_until_ready(self):
        def accepts():
            assert self.process.poll() is None, self.log
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.socket)
                return True

        wait_until(accepts)
        return self

    def get(self, path="/", method="GET", body=None, headers=None):
        connection = UnixConnection(self.socket)
        try:
            return exchange(connection, path, method, body, headers)
        finally:
            connection.close()

    def stop(self):
        """Tells it to stop; its exit status and how long it took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE), time.monotonic() - begin


def exchange(connection, path, method="GET", body=None, headers=None):
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return response.status, response.read()


def wait_until(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


def is_installed(server):
    return server == "wsgiref" or importlib.util.find_spec(server) is not None
