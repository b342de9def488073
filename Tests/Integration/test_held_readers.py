"""Processes that block the readers of their files in /proc: supervision does not wait."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from balancer import ECHO, Balancer, wait_until

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others"),
    # Programs that read command lines, such as ps and pgrep, block as well: no test may run beside these.
    pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="holds up other tests; run this file alone"),
]
# Used by no other program on this machine.
USER = 54322
SOURCE = Path(__file__).with_name("holding.c")

# Serves, and leaves a descendant behind that belongs to no process group or session of its own.
APPLICATION = """
import http.server, os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.execv("./holding", ["./holding", "folder"])
    os._exit(0)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
# The one with its pages must be asked for its memory as well.
GROUPS = f"""[group.other]
wsgi = "app.py"
processes = 1
allow_root = true
[group.holding]
command = ["python3", "app.py", "{{port}}"]
cwd = "FOLDER/own"
user = "{USER}"
group = "{USER}"
processes = 1
stop_timeout = "2s"
[routes]
"/" = "other"
"/holding" = "holding"
"""
OWN_MEMORY = APPLICATION.replace("if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.setsid()\n",
                                 "if os.fork() == 0:\n    if True:\n").replace("    os._exit(0)\n", "")


def can_hold():
    """Whether this kernel lets a user have a file system of its own."""
    found = subprocess.run(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "unshare", "-Urm", "test", "-w", "/dev/fuse"],
        capture_output=True, timeout=20)
    return found.returncode == 0


def started(application, groups):
    def prepare(folder):
        folder.chmod(0o755)
        own = folder / "own"
        (own / "folder").mkdir(parents=True)
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))))
        subprocess.run([compiler, "-pthread", "-o", own / "holding", SOURCE], check=True)
        (own / "app.py").write_text(application)
        for path in (own, own / "folder"):
            os.chown(path, USER, USER)

    class Holding(Balancer):
        def start(self, *options):
            self.file.write_text(self.file.read_text().replace("FOLDER", str(self.folder)))
            super().start(*options)

    if not can_hold():
        pytest.skip("users have no file systems of their own here")
    return Holding(groups, files={"app.py": ECHO}, prepare=prepare)


def end_holders():
    """By their names, which can be read: what is in their memory cannot."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text() == "holding\n":
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass


def check(balancer):
    try:
        wait_until(lambda: "holding" in balancer.log and "stream=stderr" in balancer.log, what="the holder")
        for _ in range(2):
            pid = balancer.wait_ready("other", 1)[0]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: balancer.pids("other") not in ([], [pid]), 10, "the replacement")
            assert balancer.request("/").status == 200
            assert balancer.admin("/healthz").status == 200
        wait_until(lambda: "keeps whoever reads its memory's files in /proc waiting" in balancer.log)
        start = time.monotonic()
        balancer.stop()
        assert time.monotonic() - start < 15
    finally:
        end_holders()
        if balancer.process.poll() is None:
            balancer.stop()


def test_a_descendant_that_holds_its_readers_up_stops_nobody():
    check(started(APPLICATION, GROUPS))


def test_a_process_whose_memory_is_to_be_measured_stops_nobody_either():
    limit = GROUPS.replace("processes = 1\nstop_timeout", 'max_memory = "1MiB"\nprocesses = 1\nstop_timeout')
    check(started(OWN_MEMORY, limit))
