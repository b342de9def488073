"""External servers that hang: they take connections and never answer."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from balancer import serving, wait_until

SERVER = """
import os, socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0), backlog=100)
print(listener.getsockname()[1], flush=True)
body = str(os.getpid()).encode()
def serve(connection):
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


class Server:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER.replace("\\\\", "\\")], stdout=subprocess.PIPE, text=True)
        self.address = f"127.0.0.1:{self.process.stdout.readline().strip()}"

    @property
    def pid(self):
        return self.process.pid

    def hang(self):
        os.kill(self.pid, signal.SIGSTOP)
        # Its threads go on until the first one has taken the signal.
        wait_until(lambda: all(stat.read_text().rsplit(") ", 1)[1][0] == "T"
                               for stat in Path(f"/proc/{self.pid}/task").glob("*/stat")))

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def servers():
    both = [Server(), Server()]
    yield both
    for server in both:
        server.end()


def configuration(servers, more=""):
    names = ", ".join(f'"{server.address}"' for server in servers)
    return (
        f'[timeouts]\nresponse = "300ms"\n[group.app]\nservers = [{names}]\nthreads = 50\n{more}\n'
        '[routes]\n"/" = "app"\n')


def states(balancer):
    return {p["address"]: p["state"] for p in balancer.group("app")["processes"]}


def visit_until_down(balancer, server):
    """New visitors come until the server is out; how many of them were answered 504."""
    late = 0
    while states(balancer)[server.address] != "down":
        late += balancer.request("/").status == 504
        assert late <= 3
    return late


def session_on(balancer, server):
    """A confirmed session on a server."""
    while True:
        answer = balancer.request("/")
        if int(answer.body) == server.pid:
            balancer.request("/", cookie=answer.cookie)
            return answer.cookie


def test_a_hung_server_gets_no_more_visitors_after_three_timeouts(servers):
    with serving(configuration(servers)) as balancer:
        ill, well = servers
        ill.hang()
        assert visit_until_down(balancer, ill) == 3
        # Of all that come while it hangs only the probes are lost, and these are ever fewer.
        statuses, began = [], time.monotonic()
        while time.monotonic() - began < 6:
            statuses.append(balancer.request("/").status)
            time.sleep(0.02)
        assert statuses.count(504) <= 3 and statuses.count(200) > 50
        assert set(statuses) == {200, 504}
        assert states(balancer)[well.address] == "ready"


def test_a_server_that_goes_on_is_back_by_a_probe(servers):
    with serving(configuration(servers)) as balancer:
        ill, _ = servers
        ill.hang()
        visit_until_down(balancer, ill)
        ill.go_on()
        wait_until(
            lambda: int(balancer.request("/").body) == ill.pid and states(balancer)[ill.address] == "ready",
            what="its return")
        assert "server answers again" in balancer.log


def test_one_visitor_at_a_time_meets_a_server_on_probation(servers):
    with serving(configuration(servers)) as balancer:
        ill, _ = servers
        ill.hang()
        visit_until_down(balancer, ill)
        statuses, done = [], threading.Event()

        def visitor():
            while not done.is_set():
                statuses.append(balancer.request("/").status)

        visitors = [threading.Thread(target=visitor) for _ in range(8)]
        for thread in visitors:
            thread.start()
        begun = time.monotonic()
        try:
            wait_until(lambda: statuses.count(504) >= 2, what="two visitors who met it")
            # One after 1 s, and one 2 s after that.
            assert time.monotonic() - begun > 2.5 and statuses.count(200) > 100
        finally:
            done.set()
            for thread in visitors:
                thread.join()


@pytest.mark.parametrize("on_lost", ["reassign", "refuse"])
def test_the_sessions_of_a_hung_server_follow_on_lost(servers, on_lost):
    with serving(configuration(servers, f'affinity = {{ on_lost = "{on_lost}" }}')) as balancer:
        ill, well = servers
        cookie = session_on(balancer, ill)
        ill.hang()
        assert [balancer.request("/", cookie=cookie).status for _ in range(3)] == [504] * 3
        answer = balancer.request("/", cookie=cookie)
        if on_lost == "reassign":
            assert int(answer.body) == well.pid
        else:
            assert answer.status == 503


def leave_soon(balancer, seconds=0.05):
    """A visitor who does not wait for an answer, and resets the connection."""
    with socket.create_connection(balancer.address, 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            connection.recv(64)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_server_that_hangs_is_taken_out_though_no_visitor_waits_for_it(servers):
    with serving(configuration(servers)) as balancer:
        servers[1].hang()

        def visited():
            leave_soon(balancer)
            return states(balancer)[servers[1].address] == "down"

        wait_until(visited, what="the outage")
        assert states(balancer)[servers[0].address] == "ready"
        assert all(balancer.request("/").status == 200 for _ in range(10))


def test_visitors_who_leave_take_no_server_out_that_answers(servers):
    with serving(configuration(servers)) as balancer:
        for _ in range(20):
            leave_soon(balancer, 0.001)
        processes = lambda: balancer.group("app")["processes"]
        wait_until(lambda: sum(p["in_flight"] for p in processes()) == 0, what="the end of all work")
        assert set(states(balancer).values()) == {"ready"}
