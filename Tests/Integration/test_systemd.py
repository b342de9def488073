"""What a service manager passes and hears: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time

import pytest

from balancer import BINARY, ECHO, VENV, serving, wait_until

GROUP = '[group.app]\nwsgi = "echo:application"\nprocesses = 1\nthreads = 4\n'


class Manager:
    """Listens as systemd does; `heard` are the messages so far, each as a dict of its lines."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.heard = []

    def wait(self, name, value=None, seconds=10, after=0):
        """The first message with the assignment."""
        deadline = time.monotonic() + seconds
        while True:
            for message in self.heard[after:]:
                if name in message and value in (None, message[name]):
                    return message
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                text = self.socket.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"{name}={value} did not come, but {self.heard[after:]}") from None
            self.heard.append(dict(line.split("=", 1) for line in text.splitlines()))


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.socket.close()


@contextlib.contextmanager
def managed(manager, **environment):
    with serving(GROUP, files={"echo.py": ECHO}, keeps_address=True, NOTIFY_SOCKET=manager.path, **environment) \
            as balancer:
        yield balancer


def test_a_start_a_reload_and_a_stop_are_told(manager):
    with managed(manager) as balancer:
        ready = manager.wait("READY", "1")
        assert ready["MAINPID"] == str(balancer.pid) and str(balancer.address[1]) in ready["STATUS"]
        # A balancer that has notified readiness is ready.
        assert balancer.request().status == 200
        told = len(manager.heard)
        balancer.process.send_signal(signal.SIGHUP)
        reloading = manager.wait("RELOADING", "1", after=told)
        # systemd compares it with its own clock to tell one reload from another.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert now - 10_000_000 < int(reloading["MONOTONIC_USEC"]) <= now
        manager.wait("READY", "1", after=told)
        balancer.process.send_signal(signal.SIGTERM)
        manager.wait("STOPPING", "1", after=told)
        # A second signal would end it at once.
        balancer.process.wait(30)


def test_a_reload_of_a_bad_file_ends_ready_too(manager):
    with managed(manager) as balancer:
        manager.wait("READY", "1")
        told, good = len(manager.heard), balancer.file.read_text()
        balancer.file.write_text(good.replace("threads", "thraeds"))
        balancer.process.send_signal(signal.SIGHUP)
        manager.wait("RELOADING", "1", after=told)
        manager.wait("READY", "1", after=told)
        balancer.file.write_text(good)
        wait_until(lambda: "thraeds" in balancer.log, what="the mistake in the log")
        assert balancer.request().status == 200


def test_a_successor_tells_the_manager_its_own_pid(manager):
    with managed(manager) as balancer:
        manager.wait("MAINPID", str(balancer.pid))
        balancer.take_over()
        assert manager.wait("MAINPID", str(balancer.pid))["READY"] == "1"


def test_signs_of_life_come_while_the_loops_turn_and_not_when_it_hangs(manager):
    with managed(manager, WATCHDOG_USEC="200000") as balancer:
        for _ in range(5):
            manager.wait("WATCHDOG", "1", seconds=1, after=len(manager.heard))
        balancer.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(AssertionError):
                # What was on its way has arrived.
                manager.wait("WATCHDOG", "1", seconds=0.3, after=len(manager.heard) + 2)
        finally:
            balancer.process.send_signal(signal.SIGCONT)
        manager.wait("WATCHDOG", "1", after=len(manager.heard))


def test_a_watchdog_for_another_process_is_not_ours(manager):
    with managed(manager, WATCHDOG_USEC="50000", WATCHDOG_PID="1") as balancer:
        manager.wait("READY", "1")
        balancer.request()
        with pytest.raises(AssertionError):
            manager.wait("WATCHDOG", "1", seconds=0.3)


def test_its_processes_hear_nothing_of_the_manager(manager):
    with managed(manager, WATCHDOG_USEC="20000000") as balancer:
        pid, = balancer.wait_ready("app", 1)
        with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
            environment = dict(line.split("=", 1) for line in file.read().split("\0") if line)
        # They have a manager of their own: the balancer.
        assert environment["NOTIFY_SOCKET"] != manager.path
        assert not {"WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID"} & set(environment)


def configure(folder, names):
    (folder / "echo.py").write_text(ECHO)
    file = folder / "mooring.toml"
    listeners = "".join(f'[[listen]]\naddress = "fd:{name}"\n' for name in names)
    group = GROUP + ("allow_root = true\n" if os.geteuid() == 0 else "")
    file.write_text(f'state_dir = "{folder}/state"\nruntime_dir = "{folder}/run"\n{listeners}{group}')
    return file


def activate(folder, names, sockets):
    """Starts the balancer as systemd does, with sockets from descriptor 3 on."""
    file = configure(folder, names)
    # The shell's own pid is what the program has after the exec; its descriptors are moved to 3 and on.
    moves = " ".join(f"{3 + index}<&{taken.fileno()}" for index, taken in enumerate(sockets))
    script = f'export LISTEN_PID=$$; exec {BINARY} serve -c {file} {moves}'
    return subprocess.Popen(
        ["bash", "-c", script], pass_fds=[taken.fileno() for taken in sockets], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": f"{VENV}:{os.environ['PATH']}", "LISTEN_FDS": str(len(sockets)),
             "LISTEN_FDNAMES": ":".join(names)})


def get(address):
    with socket.create_connection(address, 20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").read()


def high(taken):
    """A copy of the socket far above the descriptors that it will be moved to."""
    return socket.socket(fileno=fcntl.fcntl(taken.detach(), fcntl.F_DUPFD, 50))


def test_sockets_of_the_manager_are_served_by_name_and_whoever_came_before_too(tmp_path):
    with high(socket.create_server(("127.0.0.1", 0))) as web, high(socket.create_server(("127.0.0.1", 0))) as other:
        # Connected before there is a balancer: it waits in the queue of the socket.
        early = socket.create_connection(web.getsockname(), 20)
        early.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        process = activate(tmp_path, ["web", "other"], [web, other])
        try:
            assert process.stdout.readline().startswith("mooring: serving on ")
            assert early.makefile("rb").read().startswith(b"HTTP/1.1 200")
            assert get(web.getsockname()).startswith(b"HTTP/1.1 200")
            assert get(other.getsockname()).startswith(b"HTTP/1.1 200")
        finally:
            early.close()
            process.terminate()
            out = process.communicate(timeout=30)
        assert process.returncode == 0, out
        # The sockets are the manager's: they are open for the next start.
        client = socket.create_connection(web.getsockname(), 5)
        client.close()


def test_a_name_that_the_manager_has_not_passed_is_an_error_that_says_so(tmp_path):
    file = configure(tmp_path, ["web"])
    said = subprocess.run(
        [BINARY, "serve", "-c", str(file)], capture_output=True, text=True, check=False,
        timeout=30, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert said.returncode != 0 and "fd:web" in said.stderr and "FileDescriptorName=web" in said.stderr, said
