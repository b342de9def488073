"""Few descriptors: fewer connections than were asked for, and nothing ends for want of one."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import balancer as balancer_module
from balancer import ECHO, Balancer, is_alive, wait_until

CONFIGURATION = """
[group.app]
wsgi = "app.py"
server = "gunicorn"
processes = 2
threads = 4
"""


@contextlib.contextmanager
def limited(descriptors, configuration=CONFIGURATION, soft=None):
    """A balancer that may have so many descriptors."""
    program = balancer_module.BINARY
    wrapper = f"/tmp/mooring-limited-{os.getpid()}"
    with open(wrapper, "w") as file:
        file.write(f'#!/bin/sh\nexec prlimit --nofile={soft or descriptors}:{descriptors} {program} "$@"\n')
    os.chmod(wrapper, 0o700)
    balancer_module.BINARY = wrapper
    try:
        balancer = Balancer(configuration, files={"app.py": ECHO})
    finally:
        balancer_module.BINARY = program
        os.unlink(wrapper)
    try:
        yield balancer
    finally:
        balancer.stop()


def crowd(balancer, stack, count):
    """Idle connections, of which some may have to wait to be accepted."""
    for _ in range(count):
        connection = stack.enter_context(socket.socket())
        connection.setblocking(False)
        connection.connect_ex(balancer.address)


def test_as_many_connections_are_accepted_as_the_limit_of_open_files_allows():
    with limited(256) as balancer:
        found = re.search(r"at most (\d+) connections, for the limit of open files is 256", balancer.first_line)
        assert found, balancer.first_line
        most = int(found.group(1))
        assert 32 <= most <= 160
        assert f"limits.connections is lowered from 10000 to {most}" in balancer.log
        with contextlib.ExitStack() as stack:
            crowd(balancer, stack, 300)
            wait_until(lambda: balancer.admin("/stats").json()["connections"]["active"] == most)
        wait_until(lambda: balancer.request().status == 200)


def test_nothing_is_said_where_the_limit_is_enough():
    with limited(1024, "[limits]\nconnections = 300\n" + CONFIGURATION) as balancer:
        assert "connections" not in balancer.first_line
        assert "limits.connections" not in balancer.log


def test_the_soft_limit_is_raised_to_the_hard_one_and_not_for_the_processes():
    with limited(4096, soft=300) as balancer:
        pid = balancer.wait_ready("app", 1)[0]
        own = open(f"/proc/{balancer.pid}/limits").read()
        theirs = open(f"/proc/{pid}/limits").read()
        assert re.search(r"Max open files +4096 +4096", own), own
        assert re.search(r"Max open files +300 +4096", theirs), theirs


def test_a_crowd_of_idle_clients_ends_neither_the_program_nor_a_process():
    with limited(256) as balancer, contextlib.ExitStack() as stack:
        pids = balancer.wait_ready("app", 2)
        crowd(balancer, stack, 400)
        end = time.monotonic() + 8
        polls = 0

        def poll():
            nonlocal polls
            while time.monotonic() < end:
                assert balancer.admin("/stats").status == 200
                assert balancer.admin("/healthz").status == 200
                polls += 1

        threads = [threading.Thread(target=poll) for _ in range(8)]
        for thread in threads:
            thread.start()
        # What the program starts for itself finds its descriptors too.
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda: len(set(balancer.pids("app")) - {pids[0]}) == 2, 8)
        for thread in threads:
            thread.join(20)
        assert balancer.process.poll() is None, balancer.log
        assert polls > 20
        assert is_alive(pids[1]) and pids[1] in balancer.pids("app")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_lack_of_local_ports_is_no_illness_of_the_process(protocol):
    if os.geteuid() != 0:
        pytest.skip("needs a network namespace")
    namespace = f"mooring-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    inside = ["ip", "netns", "exec", namespace]
    try:
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        subprocess.run([*inside, "sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40040"], check=True)
        script = os.path.join(os.path.dirname(__file__), "few_ports.py")
        environment = {**os.environ, "PROTOCOL": protocol}
        done = subprocess.run(
            [*inside, sys.executable, script], env=environment, timeout=90,
            capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=True)
