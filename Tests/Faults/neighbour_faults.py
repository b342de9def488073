"""Faults that a group's own user, or a stranger on the same machine, makes on purpose."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from world import kill, wait_until

SEND = """
import socket, sys
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
print("sends", flush=True)
while True:
    sender.send(b"STATUS=a lie")
"""


def program_held_by_a_lease(world, random):
    """The start of its group waits; starts of others, the rest of the balancer and its health do not."""
    # It notifies the holder of a lease, and would kill it.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    program = world.balancer.folder / "there-is-no-such-program"
    shutil.copy("/bin/true", program)
    waiter = threading.Thread(target=lambda: world.ask("/missing"))
    try:
        with program.open("r+b") as held:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            world.balancer.admin("/groups/missing/reset", method="POST")
            waiter.start()
            wait_until(lambda: fcntl.fcntl(held, fcntl.F_GETLEASE) != fcntl.F_WRLCK, 5, "the start")
            gone = world.balancer.pids("one")[0]
            kill(gone)
            wait_until(lambda: world.balancer.pids("one") not in ([], [gone]), 8, "another start")
            assert world.balancer.admin("/healthz").status == 200
            world.calm.visit()
    finally:
        program.unlink()
        waiter.join()


def notify_socket_flooded(world, random):
    """Strangers at the socket that processes tell their state to take little of the thread that reads it."""
    path = str(world.balancer.folder / "run/notify")
    # What other faults have left to be started and ended is work, too, and debug builds check a lot.
    wait_until(lambda: all(p["state"] == "ready" for p in world.living()), 15, "nothing to do")
    rest = supervision_share(world)
    senders = [
        subprocess.Popen(
            [sys.executable, "-c", SEND, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(3)]
    try:
        for sender in senders:
            assert sender.stdout.readline() == b"sends\n"
        share = supervision_share(world)
        assert share < rest + 0.1, f"{share:.2f} of the thread, {rest:.2f} before"
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()


def supervision_share(world):
    """How much of a processor the thread has used in a second of visits."""
    before, start = supervision_seconds(world), time.monotonic()
    while time.monotonic() < start + 1:
        world.calm.visit()
        time.sleep(0.01)
    return (supervision_seconds(world) - before) / (time.monotonic() - start)


def supervision_seconds(world):
    """The processor time of the thread."""
    for task in Path(f"/proc/{world.balancer.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "supervision":
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("no thread supervision")


FAULTS = [program_held_by_a_lease, notify_socket_flooded]
