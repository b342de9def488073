"""A state directory that lies: from another boot, of reused pids, damaged. No process is signalled for it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from balancer import Balancer, is_alive, wait_until

APP = (Path(__file__).resolve().parents[1] / "Faults/app.py").read_text()
CONFIGURATION = """
[group.app]
command = ["python3", "app.py"]
processes = 1
keepalive = false
"""


@pytest.fixture
def balancer():
    balancer = Balancer(CONFIGURATION, files={"app.py": APP}, keeps_address=True)
    try:
        balancer.wait_ready("app", 1)
        yield balancer
    finally:
        balancer.stop()


@pytest.fixture
def bystander():
    """A process of the same user that leads a session of its own, like a backend does."""
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
        yield process
        process.kill()


def start_time(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def change(text, **fields):
    for name, value in fields.items():
        text, count = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", text)
        assert count == 1, name
    return text


LIES = {
    "the pid has been given to somebody else": lambda pid: {"process": f"{pid} {int(start_time(pid)) - 1}"},
    "another boot": lambda pid: {
        "process": f"{pid} {start_time(pid)}", "boot_id": "0f0f0f0f-0000-4000-8000-000000000000"},
    "another container": lambda pid: {"process": f"{pid} {start_time(pid)}", "pid_namespace": "1"},
    "the init process": lambda pid: {"process": "1 1"},
    "a process group": lambda pid: {"process": f"-{pid} {start_time(pid)}"},
    "everybody": lambda pid: {"process": f"-1 {start_time(pid)}"},
    "nobody": lambda pid: {"process": f"0 {start_time(pid)}"},
    "our own parent": lambda pid: {"process": f"{os.getpid()} {start_time(os.getpid())}"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_record_that_is_not_true_signals_nobody(balancer, bystander, lie):
    pid, = balancer.pids("app")
    balancer.crash()
    record, = (balancer.folder / "state/processes").iterdir()
    text = record.read_text()
    # Beside the true one: as if the directory had been copied.
    forged = record.with_name("a2b3c4d5")
    own = text.replace(record.name, forged.name)
    forged.write_text(change(own, **LIES[lie](bystander.pid)))
    forged.chmod(0o600)
    balancer.start()
    assert balancer.pids("app") == [pid], "the true one is taken over all the same"
    assert balancer.request("/page").json()["pid"] == pid
    balancer.process.terminate()
    balancer.process.wait(30)
    assert bystander.poll() is None and is_alive(bystander.pid)
    balancer.start()


DAMAGE = {
    "cut off": lambda file, text: file.write_text(text[:len(text) // 2]),
    "empty": lambda file, text: file.write_text(""),
    "of zeros": lambda file, text: file.write_bytes(bytes(4096)),
    "of noise": lambda file, text: file.write_bytes(os.urandom(5000)),
    "endless": lambda file, text: os.truncate(file, 1 << 32),
    "with a socket that is another's": lambda file, text: file.write_text(text.replace(f"{file.name}.sock", "a2b3c4d6.sock")),
    "a pipe": lambda file, text: (file.unlink(), os.mkfifo(file)),
    "a folder": lambda file, text: (file.unlink(), file.mkdir()),
    "a link": lambda file, text: (file.unlink(), file.symlink_to("/proc/self/environ")),
    "of a later version": lambda file, text: file.write_text(text.replace("process 1", "process 9", 1)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_told_of_and_stops_neither_the_start_nor_the_others(balancer, damage):
    pid, = balancer.pids("app")
    balancer.crash()
    record, = (balancer.folder / "state/processes").iterdir()
    damaged = record.with_name("a2b3c4d5")
    text = record.read_text().replace(record.name, damaged.name)
    damaged.write_text(text)
    DAMAGE[damage](damaged, text)
    balancer.start()
    assert balancer.pids("app") == [pid]
    wait_until(lambda: "a2b3c4d5" in balancer.log, 5, "the damage to be told")
    assert balancer.request("/page").json()["pid"] == pid
