"""No processes, memory, descriptors or disk to be had, and a clock that is set: Mooring logs it, and continues to serve."""

import contextlib
import errno
import http.client
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from balancer import ECHO, serving, wait_until
from scarcity import Scarcity

APP = """
[limits]
spawns_per_source = 0
[log]
access = "access.log"
[group.app]
wsgi = "echo:application"
processes = 1
threads = 2
[group.cold]
wsgi = "echo:application"
processes = { min = 0, max = 1 }
threads = 2
[group.well]
wsgi = "echo:application"
processes = 1
health = { path = "/", interval = "50ms", timeout = "1s", fall = 1 }
[routes]
"/" = "app"
"/cold" = "cold"
"/well" = "well"
"""
DAY = 86_400
HOLDING = """
echo = application

def application(environ, start_response):
    query = environ["QUERY_STRING"]
    if query.startswith("hold="):
        held = b"x" * int(query.removeprefix("hold="))
    return echo(environ, start_response)
"""


@pytest.fixture
def scarcity(tmp_path):
    return Scarcity(tmp_path)


@pytest.fixture
def balancer(scarcity):
    with serving(APP, files={"echo.py": ECHO + HOLDING}, **scarcity.environment) as balancer:
        balancer.wait_ready("app", 1)
        balancer.wait_ready("well", 1)
        yield balancer


def said(balancer, pattern):
    return wait_until(lambda: re.search(pattern, balancer.log), what=f"{pattern!r} in the log")


def test_processes_do_not_hear_of_the_loader(balancer):
    pid, = balancer.pids("app")
    with open(f"/proc/{pid}/environ", encoding="ascii") as file:
        assert "SCARCITY" not in file.read()


@pytest.mark.parametrize("code, words", [
    (errno.EAGAIN, "Resource temporarily unavailable"), (errno.ENOMEM, "Cannot allocate memory")])
def test_a_start_for_lack_of_processes_or_memory_is_told_and_comes_later(balancer, scarcity, code, words):
    with scarcity.of(clone_errno=code):
        answer = balancer.request("/cold")
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        assert words.encode() not in answer.body
        said(balancer, rf"did not start: {words} \(fork\).*group=cold")
        assert balancer.request("/").status == 200
    wait_until(lambda: balancer.request("/cold").status == 200, 30, "cold to start after all")


def test_a_connection_for_lack_of_descriptors_is_told_and_the_next_is_served(balancer, scarcity):
    before = balancer.pids("app")
    with scarcity.of(socket_errno=errno.EMFILE):
        answer = balancer.request("/")
        assert answer.status == 503, answer.body
        said(balancer, "no connection to a process.*Too many open files.*LimitNOFILE")
        assert balancer.admin("/healthz").status == 200
    assert balancer.request("/").status == 200 and balancer.pids("app") == before


def test_who_cannot_be_asked_for_lack_of_descriptors_is_not_taken_for_ill(balancer, scarcity):
    before = balancer.pids("well")
    with scarcity.of(socket_errno=errno.EMFILE):
        said(balancer, "processes cannot be asked.*Too many open files.*LimitNOFILE")
        # One bad answer would be one too many.
        assert balancer.pids("well") == before
    assert balancer.request("/well").status == 200 and balancer.pids("well") == before


def test_a_start_for_lack_of_descriptors_is_told_and_comes_later(balancer):
    pid = balancer.pid
    with contextlib.closing(http.client.HTTPConnection(*balancer.address, timeout=20)) as client:
        def ask(path):
            client.request("GET", path)
            return (response := client.getresponse()).status, response.read()
        assert ask("/")[0] == 200
        taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        free = min(set(range(len(taken) + 1)) - taken)
        subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={free}:"], check=True)
        try:
            status, body = ask("/cold")
            assert status == 503 and b"many" not in body, body
            said(balancer, "did not start: Too many open files.*cold")
            assert ask("/")[0] == 200
        finally:
            subprocess.run(["prlimit", f"--pid={pid}", "--nofile=4096:"], check=True)
    wait_until(lambda: balancer.request("/cold").status == 200, 30)


def test_on_a_full_disk_sessions_are_served_and_recorded_later(balancer, scarcity):
    with scarcity.of(write_errno=errno.ENOSPC):
        answer = balancer.request("/cold")
        assert answer.status == 200
        session = answer.cookie
        said(balancer, r"state.*No space left on device|No space left on device.*state")
        said(balancer, r"access log loses lines.*No space left on device")
        for _ in range(3):
            assert balancer.request("/cold", cookie=session).json()["affinity"] == "kept"
        labels = {p["id"] for p in balancer.group("cold")["processes"]}
        records = balancer.folder / "state" / "processes"
        # Half a record would be worse than none.
        assert all(not (records / label).exists() for label in labels)
        assert not [file for file in records.iterdir() if file.stat().st_size == 0]
    wait_until(lambda: all((records / label).exists() for label in labels), 10, "the records")


MEMORY = Path("/sys/fs/cgroup/memory")


@pytest.mark.skipif(not os.access(MEMORY / "cgroup.procs", os.W_OK) or os.geteuid() != 0,
                    reason="needs a memory cgroup (version 1) of its own")
def test_a_process_that_the_kernel_kills_for_memory_is_told_apart_from_one_killed_by_hand(balancer):
    pid, = balancer.pids("app")
    os.kill(pid, signal.SIGKILL)
    said(balancer, rf"process ended by itself: killed by signal 9 \(SIGKILL\) .*pid={pid}")
    pid, = balancer.wait_ready("app", 1)
    cgroup = MEMORY / f"mooring-test-{os.getpid()}"
    cgroup.mkdir()
    try:
        (cgroup / "memory.limit_in_bytes").write_text(str(32 << 20))
        (cgroup / "cgroup.procs").write_text(str(pid))
        with contextlib.suppress(OSError, http.client.HTTPException):
            balancer.request("/?hold=100000000")
        said(balancer, rf"killed by signal 9 \(SIGKILL\); the kernel kills for want of memory.*pid={pid}")
        wait_until(lambda: balancer.request("/").status == 200)
    finally:
        wait_until(lambda: not (cgroup / "cgroup.procs").read_text())
        cgroup.rmdir()


@pytest.mark.parametrize("days", [1, -1, 2, -2])
def test_a_clock_that_is_set_moves_no_session(balancer, scarcity, days):
    first = balancer.request("/")
    pid = first.json()["pid"]
    with scarcity.of(clock_offset=days * DAY):
        for _ in range(3):
            answer = balancer.request("/", cookie=first.cookie)
            assert answer.json() | {"pid": pid, "affinity": "kept"} == answer.json()
        direction = "forward" if days > 0 else "back"
        said(balancer, f"clock was set {direction} by {abs(days) * DAY} s")
        later = balancer.request("/")
    # What was pinned under the other clock is as good.
    assert balancer.request("/", cookie=later.cookie).json()["affinity"] == "kept"
    assert balancer.group("app")["processes"][0]["pid"] == pid
