"""The socket that processes tell their state to, when others send to it as well."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from balancer import Balancer, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
USER, STRANGER = 54324, 54323

# Counts aloud.
APP = """
import os, socket, time

manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(os.environ["NOTIFY_SOCKET"])
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["MOORING_SOCKET"])
listener.listen()
count = 0
while True:
    count += 1
    manager.send(f"STATUS={count}".encode())
    time.sleep(0.1)
"""

FLOOD = """
import os, socket, sys
user = int(sys.argv[2])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
print("sends", flush=True)
while True:
    try:
        sender.send(b"STATUS=a lie")
    except OSError:
        pass
"""


@contextlib.contextmanager
def flooding(path, user, count=3):
    senders = [
        subprocess.Popen([sys.executable, "-c", FLOOD, path, str(user)], stdout=subprocess.PIPE)
        for _ in range(count)]
    try:
        for sender in senders:
            assert sender.stdout.readline() == b"sends\n"
        yield
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()


def seconds_of_thread(pid, name):
    """The processor time that a thread has used."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise AssertionError(f"no thread {name}")


# Those of the process's own user could be its own, and are looked at more closely.
@needs_root
@pytest.mark.parametrize("user,share", [(STRANGER, 0.1), (USER, 0.15)])
def test_strangers_who_send_all_the_time_cost_next_to_nothing_and_silence_nobody(user, share):
    balancer = Counting()
    try:
        balancer.wait_ready("app", 1)

        def status():
            return int(balancer.group("app")["processes"][0]["status_text"] or 0)

        wait_until(status, what="the first status")
        with flooding(str(balancer.folder / "run/notify"), user):
            before, start, told = seconds_of_thread(balancer.pid, "supervision"), time.monotonic(), status()
            wait_until(lambda: time.monotonic() > start + 3 and status() > told + 3,
                       what="the process to be heard meanwhile")
            used = seconds_of_thread(balancer.pid, "supervision") - before
            assert used / (time.monotonic() - start) < share
    finally:
        balancer.stop()


class Counting(Balancer):
    def __init__(self):
        super().__init__(
            '[group.app]\ncommand = ["/usr/bin/python3", "app.py"]\n'
            f'user = "{USER}"\ngroup = "{USER}"\nprocesses = 1\n', files={"app.py": APP})

    def start(self, *options):
        self.folder.chmod(0o755)
        super().start(*options)
