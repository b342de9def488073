"""What happens to the balancer when the reader of its logs stops reading, and resumes."""

import contextlib
import fcntl
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from balancer import VENV, BINARY, Answer, UnixConnection, as_anybody, is_alive, wait_until

APP = """
import os

def application(environ, start_response):
    if environ["PATH_INFO"] == "/exit":
        os._exit(3)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


class Unread:
    """A balancer whose standard error, or access log, is a pipe without a reader yet."""

    def __init__(self, access="stderr", stdout_is_full=False):
        self.folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
        (self.folder / "app.py").write_text(APP)
        self.fifo = self.folder / "fifo"
        os.mkfifo(self.fifo)
        access = self.fifo if access == "fifo" else access
        (self.folder / "mooring.toml").write_text(as_anybody(f'''
state_dir = "{self.folder}/state"
runtime_dir = "{self.folder}/run"
workers = 2
[[listen]]
address = "unix:{self.folder}/web"
[log]
access = "{access}"
[group.app]
wsgi = "app.py"
processes = 1
'''))
        self.reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        out_reading, out_writing = os.pipe()
        if stdout_is_full:
            fcntl.fcntl(out_writing, fcntl.F_SETFL, os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while os.write(out_writing, b"x" * 4096):
                    pass
            fcntl.fcntl(out_writing, fcntl.F_SETFL, 0)
        self.process = subprocess.Popen(
            [BINARY, "serve", "-c", str(self.folder / "mooring.toml")], cwd=self.folder,
            stdout=out_writing, stderr=writing,
            env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"})
        os.close(writing)
        os.close(out_writing)
        self.out_reading = out_reading
        wait_until(lambda: self.pids(), what="a ready process")

    def admin(self, path):
        with contextlib.closing(UnixConnection(f"{self.folder}/run/admin.sock")) as connection:
            connection.request("GET", path)
            return Answer(connection.getresponse())

    def pids(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            group = self.admin("/stats/app").json()
            return [p["pid"] for p in group["processes"] if p["state"] == "ready"]

    def get(self, path="/"):
        with contextlib.closing(UnixConnection(f"{self.folder}/web")) as connection:
            connection.request("GET", path)
            return Answer(connection.getresponse())

    def fill(self, megabytes):
        """Requests whose log lines take about so many megabytes."""
        request = b"GET /" + b"q" * 4_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(f"{self.folder}/web")
            answers = connection.makefile("rb")
            for _ in range(megabytes * 32):
                connection.sendall(request * 16)
                for _ in range(16):
                    assert answers.readline().startswith(b"HTTP/1.1 200")
                    head = http.client.parse_headers(answers)
                    answers.read(int(head["Content-Length"]))

    def read_on(self):
        """Reads standard error from now on; what has come is in `text`."""
        self.pieces = []

        def read():
            while piece := os.read(self.reading, 65536):
                self.pieces.append(piece)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    @property
    def text(self):
        return b"".join(self.pieces)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise


@contextlib.contextmanager
def unread(**options):
    balancer = Unread(**options)
    try:
        yield balancer
    finally:
        balancer.end()


def test_nobody_reads_standard_error_and_all_goes_on():
    with unread() as balancer:
        balancer.fill(1)
        old = balancer.pids()
        with pytest.raises((OSError, http.client.HTTPException, AssertionError)):
            answer = balancer.get("/exit")
            assert answer.status == 200
        new = wait_until(lambda: [p for p in balancer.pids() or [] if p not in old],
                         what="a process in place of the one that ended")
        assert balancer.get().body.decode() == str(new[0])
        balancer.process.send_signal(signal.SIGUSR1)
        balancer.process.send_signal(signal.SIGHUP)
        assert balancer.get().status == 200
        begun = time.monotonic()
        balancer.process.send_signal(signal.SIGTERM)
        assert balancer.process.wait(15) == 0
        assert time.monotonic() - begun < 10
        assert not is_alive(new[0])


def test_what_was_lost_is_counted_and_told_when_the_reader_is_back():
    with unread() as balancer:
        balancer.fill(12)
        dropped = r"mooring_access_log_dropped_total (\d+)"
        lost = wait_until(
            lambda: int(re.search(dropped, balancer.admin("/metrics").body.decode())[1]))
        reader = balancer.read_on()
        told = wait_until(
            lambda: re.search(rb"(\d+) lines of this log were lost", balancer.text),
            what="the number of lost lines")
        assert int(told[1]) >= lost
        balancer.get("/after")
        wait_until(lambda: b"GET /after" in balancer.text, what="lines after the loss")
        balancer.end()
        reader.join(10)
        assert balancer.text.rstrip().endswith(b"Mooring has stopped"), balancer.text[-300:]
        lines = balancer.text.splitlines()
        assert all(re.match(rb"\d{4}-\d\d-\d\dT", line) for line in lines), "no line is cut"


def test_an_access_log_that_is_a_pipe_without_a_reader_keeps_nobody_waiting():
    with unread(access="fifo") as balancer:
        reader = balancer.read_on()
        balancer.fill(12)
        balancer.process.send_signal(signal.SIGUSR1)
        with open(balancer.fifo, "rb") as fifo:
            balancer.get("/after")
            text = b""

            def has_come():
                nonlocal text
                text += fifo.read1(65536)
                return b"GET /after" in text

            wait_until(has_come, what="a line that was written after the reader came")
        wait_until(lambda: b"lines of the access log were lost" in balancer.text)
        balancer.end()
        reader.join(10)


def test_nobody_reads_standard_output_and_the_signals_work():
    with unread(stdout_is_full=True) as balancer:
        reader = balancer.read_on()
        balancer.process.send_signal(signal.SIGTERM)
        assert balancer.process.wait(15) == 0
        reader.join(10)
        assert b"Mooring has stopped" in balancer.text


def test_the_last_words_of_a_failed_start_are_read():
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    (folder / "mooring.toml").write_text(as_anybody(
        f'state_dir = "{folder}/state"\nruntime_dir = "{folder}/run"\n'
        '[[listen]]\naddress = "192.0.2.1:1"\n[group.app]\ncommand = ["/bin/true", "{socket}"]\n'))
    done = subprocess.run(
        [BINARY, "serve", "-c", str(folder / "mooring.toml")], capture_output=True, timeout=30)
    assert done.returncode == 1
    assert b"mooring: cannot listen on 192.0.2.1:1" in done.stderr
