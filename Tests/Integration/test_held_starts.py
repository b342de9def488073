"""What a group's own user does to a start of its own: no other group notices."""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from balancer import ECHO, Balancer, serving, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
# Used by no other program on this machine, since everything of it is stopped.
USER = 54321

GROUPS = f"""
spawn_concurrency = 2
[group.other]
wsgi = "app.py"
processes = 1
allow_root = true
[group.held]
command = ["./app"]
cwd = "{{folder}}/own"
user = "{USER}"
group = "{USER}"
processes = 1
stop_timeout = "2s"
[routes]
"/" = "other"
"/held" = "held"
"""


class Held(Balancer):
    """A balancer with a group whose program is its user's."""

    def __init__(self, before):
        self.before = before
        top, _, groups = GROUPS.partition("[group.other]")
        super().__init__("[group.other]" + groups, top=top, files={"app.py": ECHO})

    def start(self, *options):
        self.folder.chmod(0o755)
        own = self.folder / "own"
        own.mkdir()
        shutil.copy("/bin/sleep", own / "app")
        os.chown(own / "app", USER, USER)
        self.file.write_text(self.file.read_text().replace("{folder}", str(self.folder)))
        self.before(own / "app")
        super().start(*options)


def replacement_seconds(balancer):
    """How long the other group is without a process after it has lost its only one."""
    pid = balancer.wait_ready("other", 1)[0]
    start = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: balancer.pids("other") not in ([], [pid]), what="the replacement")
    assert balancer.request("/").status == 200
    return time.monotonic() - start


def stop_seconds(balancer):
    start = time.monotonic()
    balancer.stop()
    return time.monotonic() - start


@needs_root
def test_a_user_with_a_lease_on_its_program_stops_nobody_else_and_no_shutdown():
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    leases = []

    def lease(program):
        leases.append(program.open("r+b"))
        fcntl.fcntl(leases[0], fcntl.F_SETLEASE, fcntl.F_WRLCK)

    balancer = Held(lease)
    try:
        assert replacement_seconds(balancer) < 10
        assert balancer.admin("/healthz").status == 200
        failure = wait_until(lambda: balancer.group("held")["spawn"]["last_failure"])
        assert "did not get to execute" in failure["reason"], failure
    finally:
        seconds = stop_seconds(balancer)
        leases[0].close()
    assert seconds < 10


class Unanswered:
    """A file system whose server answers nothing: its readers block, except for SIGKILL."""

    LIBRARY = ctypes.CDLL(None, use_errno=True)

    def __init__(self, folder):
        self.folder = str(folder).encode()
        try:
            self.server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            pytest.skip("needs /dev/fuse")
        options = f"fd={self.server},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if self.LIBRARY.mount(b"unanswered", self.folder, b"fuse", 0, options) != 0:
            os.close(self.server)
            pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.LIBRARY.umount2(self.folder, 2)  # MNT_DETACH
        os.close(self.server)


HUNG = """
spawn_concurrency = 2
[group.other]
wsgi = "app.py"
processes = 1
[group.held]
command = ["held"]
processes = {{ min = 0, max = 1 }}
{line}
[routes]
"/" = "other"
"/held" = "held"
"""
LINES = {
    "PATH": 'env = {{ PATH = "{folder}/hung:/usr/bin:/bin" }}',
    "the working directory": 'cwd = "{folder}/hung"\nenv = {{ PATH = "{folder}/bin" }}',
}


@needs_root
@pytest.mark.parametrize("what", LINES)
def test_a_file_system_that_does_not_answer_holds_up_its_own_group_alone(tmp_path, what):
    for name in ("hung", "bin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "held").symlink_to("/bin/sleep")
    text = HUNG.format(line=LINES[what].format(folder=tmp_path))
    top, _, groups = text.partition("[group.other]")
    balancer = Balancer("[group.other]" + groups, top=top, files={"app.py": ECHO})
    try:
        balancer.wait_ready("other", 1)
        with Unanswered(tmp_path / "hung"), ThreadPoolExecutor(1) as client:
            held = client.submit(balancer.request, "/held")
            assert replacement_seconds(balancer) < 10
            assert balancer.admin("/healthz").status == 200
            failure = wait_until(lambda: balancer.group("held")["spawn"]["last_failure"])
            assert "its file system does not answer" in failure["reason"], failure
            assert held.result().status == 503
    finally:
        assert stop_seconds(balancer) < 10


TALKER = """
import os, signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    listener.accept()[0].close()
    print(f"{sys.argv[1]} lives", flush=True)
"""


@needs_root
def test_an_output_file_on_a_disk_that_does_not_answer_costs_no_other_groups_lines(tmp_path):
    (tmp_path / "hung").mkdir()
    groups = "".join(
        f'[group.{name}]\ncommand = ["python3", "talker.py", "{name}"]\noutput = "{folder}/{name}.log"\n'
        f'processes = {{ min = {least}, max = 1 }}\n'
        for name, folder, least in (("held", tmp_path / "hung", 0), ("other", tmp_path, 1)))
    balancer = Balancer(groups + '[routes]\n"/" = "other"\n"/held" = "held"\n', files={"talker.py": TALKER})
    output = tmp_path / "other.log"
    try:
        balancer.wait_ready("other", 1)
        with Unanswered(tmp_path / "hung"):
            # The last comes behind the line of the first, which finds the disk hanging.
            for _ in range(3):
                balancer.request("/held")
            balancer.request("/")
            before = output.stat().st_size if output.exists() else 0
            balancer.request("/")
            wait_until(lambda: output.exists() and output.stat().st_size > before, seconds=5, what="the other group's lines")
            assert balancer.admin("/healthz").status == 200
    finally:
        assert stop_seconds(balancer) < 10


STOPPER = f"""
import os, signal
os.setgroups([])
os.setresgid({USER}, {USER}, {USER})
os.setresuid({USER}, {USER}, {USER})
print("stops", flush=True)
while True:
    try:
        os.kill(-1, signal.SIGSTOP)
    except OSError:
        pass
"""


@needs_root
def test_a_user_that_stops_all_of_its_own_stops_nobody_else_and_no_shutdown():
    stopper = subprocess.Popen([sys.executable, "-c", STOPPER], stdout=subprocess.PIPE)
    try:
        assert stopper.stdout.readline() == b"stops\n"
        balancer = Held(lambda program: None)
        try:
            for _ in range(3):
                assert replacement_seconds(balancer) < 10
            assert balancer.admin("/healthz").status == 200
        finally:
            assert stop_seconds(balancer) < 12
    finally:
        stopper.kill()
        stopper.wait()


def thread_of(pid, name):
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread {name}")


class Stopped:
    """One thread that is stopped by ptrace(2), the others of its program go on."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, thread):
        self.thread, self.call = thread, ctypes.CDLL(None, use_errno=True).ptrace
        self.call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        for request in (self.SEIZE, self.INTERRUPT):
            assert self.call(request, self.thread, None, None) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(self.thread, 0x40000000)  # __WALL

    def __exit__(self, *_):
        self.call(self.DETACH, self.thread, None, None)


@pytest.mark.parametrize("thread", ["supervision", "proxy-0"])
def test_a_loop_that_takes_no_turns_makes_the_balancer_unhealthy_until_it_does(thread):
    with serving('[group.app]\nwsgi = "app.py"\nprocesses = 1\n', files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        assert balancer.admin("/healthz").status == 200
        with Stopped(thread_of(balancer.pid, thread)):
            answer = wait_until(
                lambda: (found := balancer.admin("/healthz")).status == 503 and found,
                what="the stopped loop to be told")
            assert answer.json()["reasons"][0].startswith(f"{thread} has not taken a turn")
        wait_until(lambda: balancer.admin("/healthz").status == 200, what="the loop to go on")
