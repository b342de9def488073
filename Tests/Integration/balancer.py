"""The real binary under test: started with a configuration, asked, stopped, and looked after."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MOORING", str(ROOT / ".build/debug/mooring"))
VENV = Path(sys.executable).parent


def wait_until(condition, seconds=20.0, what="the condition"):
    """The first true value of `condition`, asked again and again until the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def cookie(self):
        """The value of the affinity cookie that was set, if one was."""
        for field in self.headers.get_all("Set-Cookie", []):
            if field.startswith("mooring="):
                return field.split(";")[0].removeprefix("mooring=")
        return None


def as_anybody(configuration):
    """The same, good for root too: its groups may run as root, unless it sets their user itself."""
    if os.geteuid() != 0 or "allow_root" in configuration or "user =" in configuration:
        return configuration
    return re.sub(r"(?m)^(wsgi|asgi|command) = .*$", r"\g<0>\nallow_root = true", configuration)


class Balancer:
    """`mooring serve` with a configuration of its own folder."""

    def __init__(
            self, configuration, listen="127.0.0.1:0", files=None, keeps_address=False,
            top="", prepare=None, **environment):
        """`top`: keys before the first table; what the configuration begins with is its listener's.

        `prepare`: given the folder before it starts.
        `keeps_address`: it can be started again, or taken over, at the port that it has.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        if prepare:
            prepare(self.folder)
        if keeps_address:
            with socket.create_server(("127.0.0.1", 0)) as free:
                listen = f"127.0.0.1:{free.getsockname()[1]}"
        head = f'state_dir = "{self.folder}/state"\nruntime_dir = "{self.folder}/run"\n{top}'
        # One that begins with its own listener has no other.
        if not configuration.startswith("[[listen]]"):
            head += f'[[listen]]\naddress = "{listen}"\n'
        self.file = self.folder / "mooring.toml"
        self.file.write_text(head + as_anybody(configuration))
        self.environment = {
            **os.environ, "PATH": f"{VENV}:{os.environ['PATH']}", **environment}
        self.log_file = (self.folder / "log").open("ab")
        self.start()

    @property
    def pid(self):
        return self.process.pid

    def start(self, *options):
        """Starts it, at first or after a `crash`."""
        self.process = self.launch(*options)

    def launch(self, *options):
        process = subprocess.Popen(
            [BINARY, "serve", "-c", str(self.file), *options], stdout=subprocess.PIPE,
            stderr=self.log_file, env=self.environment, text=True, cwd=self.folder)
        self.first_line = process.stdout.readline()
        found = re.match(r"mooring: serving on (\S+?)(, \S+)*, admin on (?:unix:)?(\S+)", self.first_line)
        assert found, f"did not start: {self.log}"
        host, _, port = found.group(1).rpartition(":")
        self.address, self.admin_socket = (host, int(port)), found.group(3)
        return process

    def crash(self):
        """SIGKILL: its processes live on, its folder stays."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def take_over(self, seconds=40):
        """A successor takes its place; the old one has finished when this returns."""
        old, self.process = self.process, self.launch("--takeover")
        code = old.wait(seconds)
        old.stdout.close()
        assert code == 0, f"the old balancer ended with {code}: {self.log}"

    def listens(self):
        """Whether anybody accepts connections at its address."""
        try:
            socket.create_connection(self.address, 5).close()
        except ConnectionRefusedError:
            return False
        return True

    @property
    def log(self):
        """What was logged; a thread of its own writes it, and is given a moment to be done."""
        text, deadline = None, time.monotonic() + 1
        while (later := (self.folder / "log").read_text()) != text and time.monotonic() < deadline:
            text = later
            time.sleep(0.01)
        return later

    def request(self, path="/", method="GET", body=None, headers=None, cookie=None, timeout=60):
        """One request on a connection of its own."""
        headers = dict(headers or {})
        if cookie:
            headers["Cookie"] = f"mooring={cookie}"
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers)
            return Answer(connection.getresponse())

    def raw(self, data, seconds=5.0, half_close=False):
        """All bytes that come back for these bytes, up to the end or the first silence."""
        with socket.create_connection(self.address, timeout=seconds) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            out = b""
            with contextlib.suppress(socket.timeout, ConnectionResetError):
                while piece := connection.recv(65536):
                    out += piece
            return out

    def admin(self, path, method="GET", body=None):
        with contextlib.closing(UnixConnection(self.admin_socket)) as connection:
            document = json.dumps(body) if body is not None else None
            headers = {"Content-Type": "application/json"} if method == "POST" else {}
            if method == "POST" and body is None:
                headers["Content-Length"] = "0"
            connection.request(method, path, body=document, headers=headers)
            return Answer(connection.getresponse())

    def group(self, name):
        return self.admin(f"/stats/{name}").json()

    def pids(self, name, state="ready"):
        return [p["pid"] for p in self.group(name)["processes"] if p["state"] == state]

    def wait_ready(self, name, count):
        return wait_until(
            lambda: len(self.pids(name)) >= count and self.pids(name), what=f"{count} of {name}")

    def verdicts(self):
        """Status, cookie's verdict and what was done, of each line of the access log."""
        return [line.split(" ")[-2:] for line in self.log.splitlines() if '" ' in line]

    def stop(self, seconds=40):
        """SIGTERM; then nothing may be left: no process, no socket file."""
        # Adopted processes are no descendants.
        children = descendants(self.process.pid)
        with contextlib.suppress(OSError, ValueError, KeyError):
            groups = self.admin("/stats").json()["groups"]
            children += [p["pid"] for g in groups for p in g["processes"] if p["pid"]]
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        self.log_file.close()
        assert code == 0, f"exit code {code}: {self.log}"
        left = [pid for pid in children if is_alive(pid)]
        assert not left, f"processes left: {left}"
        files = list((self.folder / "run").glob("*.sock"))
        assert not files, f"sockets left: {files}"
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def serving(configuration, **options):
    balancer = Balancer(configuration, **options)
    try:
        yield balancer
    except BaseException:
        print(balancer.log[-6000:])
        raise
    finally:
        balancer.stop()


def descendants(pid):
    out = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in out.stdout.splitlines()]
    found, frontier = [], {pid}
    while frontier:
        frontier = {child for child, parent in pairs if parent in frontier}
        found += frontier
    return found


def is_alive(pid):
    """Running, and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# A WSGI application that tells about itself; `{sleep}` seconds with /slow.
ECHO = """
import json, os, time

counts = {}

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.endswith("/slow"):
        time.sleep(1)
    session = environ.get("HTTP_MOORING_SESSION", "")
    counts[session] = counts.get(session, 0) + 1
    body = json.dumps({
        "pid": os.getpid(), "session": session, "affinity": environ.get("HTTP_MOORING_AFFINITY", ""),
        "count": counts[session], "cookie": environ.get("HTTP_COOKIE", ""),
        "multiprocess": environ["wsgi.multiprocess"], "multithread": environ["wsgi.multithread"],
    }).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""
