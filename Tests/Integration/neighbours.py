"""What neighbours do to a balancer, each as a context, and what others notice of it."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import balancer
from balancer import Balancer, wait_until
from http2 import Connection, request

# Used by no other program on this machine, since everything of it is stopped.
USER = 54322

CONFIGURATION = """
[limits]
connections = 4000
spawns_per_source = 0
[log]
access = "ACCESS"
[group.calm]
servers = ["127.0.0.1:SERVER"]
[group.crowd]
servers = ["127.0.0.1:SERVER"]
# So that their sessions are over when the measurement is.
affinity = { unconfirmed = "1s" }
[group.sessionless]
servers = ["127.0.0.1:SERVER"]
affinity = { pin = "never" }
[group.big]
command = ["PYTHON", "app.py"]
processes = 1
keepalive = false
allow_root = true
[group.short]
command = ["PYTHON", "app.py"]
processes = { min = 1, max = 2 }
keepalive = false
max_requests = 20
stop_timeout = "500ms"
drain_timeout = "1s"
allow_root = true
[group.held]
command = ["FOLDER/own/app", "1000"]
cwd = "FOLDER/own"
user = "USER"
group = "USER"
processes = { min = 0, max = 1 }
start_timeout = "2s"
stop_timeout = "500ms"
queue_timeout = "5s"
[routes]
"/" = "calm"
"/nowhere" = "sessionless"
"/crowd" = "crowd"
"/big" = "big"
"/short" = "short"
"/held" = "held"
""".replace("PYTHON", sys.executable).replace("USER", str(USER))

APP = (Path(__file__).resolve().parents[1] / "Faults/app.py").read_text()

NOTIFY = """
import socket, sys
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
while True:
    sender.send(b"STATUS=a lie")
"""

READER = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.sendall(b"GET /big/hints HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
while connection.recv(65536):
    pass
"""

STOPPER = f"""
import os, signal
os.setgroups([])
os.setresgid({USER}, {USER}, {USER})
os.setresuid({USER}, {USER}, {USER})
while True:
    try:
        os.kill(-1, signal.SIGSTOP)
    except OSError:
        pass
"""


class World(Balancer):
    """A calm group that is measured, beside groups whose neighbours are not."""

    def __init__(self, server, access="off", descriptors=None):
        self.descriptors_limit, self.access = descriptors, access
        super().__init__(
            CONFIGURATION.replace("SERVER", str(server)).replace("ACCESS", access),
            top="workers = 2\nspawn_concurrency = 2\n",
            files={"app.py": APP}, prepare=self.prepare)
        self.wait_ready("big", 1)
        self.wait_ready("short", 1)
        # Of before whatever happens, as most connections are.
        self.connection = socket.create_connection(self.address, timeout=20)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookie = get(self.connection, "/").partition(b"mooring=")[2].partition(b";")[0]

    def prepare(self, folder):
        self.file = folder / "mooring.toml"
        folder.chmod(0o755)
        own = folder / "own"
        own.mkdir()
        shutil.copy("/bin/sleep", own / "app")
        os.chown(own / "app", USER, USER)

    def launch(self, *options):
        self.file.write_text(self.file.read_text().replace("FOLDER", str(self.folder)))
        if self.access == "stderr":
            self.log_reading, writing = os.pipe()
            self.log_file = os.fdopen(writing, "ab")
        if not self.descriptors_limit:
            return super().launch(*options)
        wrapper = self.folder / "mooring"
        wrapper.write_text(f'#!/bin/sh\nulimit -n {self.descriptors_limit}\nexec {balancer.BINARY} "$@"\n')
        wrapper.chmod(0o755)
        binary, balancer.BINARY = balancer.BINARY, wrapper
        try:
            return super().launch(*options)
        finally:
            balancer.BINARY = binary

    def resident(self):
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def p99(self, count=1500):
        """The calm group's latency, in seconds: one session's requests on one connection."""
        times = []
        for _ in range(count):
            start = time.perf_counter()
            head = get(self.connection, "/", self.cookie)
            times.append(time.perf_counter() - start)
            assert head.startswith(b"HTTP/1.1 200"), head
        return sorted(times)[int(count * 0.99)]


def get(connection, path, cookie=b""):
    line = b"Cookie: mooring=" + cookie + b"\r\n" if cookie else b""
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path.encode(), line))
    answer = b""
    while not answer.endswith(b"-end"):
        piece = connection.recv(65536)
        assert piece, answer
        answer += piece
    return answer


@contextlib.contextmanager
def programs(*commands):
    """Programs that get what processor time is left over: they are not to be measured."""
    started = [subprocess.Popen(["nice", "-n", "19", *command], stdout=subprocess.DEVNULL)
               for command in commands]
    try:
        yield
    finally:
        for program in started:
            program.kill()
            program.wait()


@contextlib.contextmanager
def a_start_held_by_a_lease(world):
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    nothing_starts(world)
    with (world.folder / "own/app").open("r+b") as held:
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        with waiting_for(world, "/held"):
            wait_until(lambda: fcntl.fcntl(held, fcntl.F_GETLEASE) != fcntl.F_WRLCK, 5, "the start")
            yield
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)


@contextlib.contextmanager
def starts_that_are_stopped(world):
    with programs([sys.executable, "-c", STOPPER]), waiting_for(world, "/held"):
        yield


@contextlib.contextmanager
def waiting_for(world, path):
    """A visitor of the group `held`, whatever became of its last start."""
    nothing_starts(world)
    world.admin("/groups/held/reset", method="POST")
    with contextlib.closing(socket.create_connection(world.address)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: world.group("held")["processes"], 5, "the start")
        yield


def nothing_starts(world):
    wait_until(lambda: not world.group("held")["processes"], 15, "the last start to be over")


@contextlib.contextmanager
def descriptors_that_run_out(world):
    with contextlib.ExitStack() as stack:
        for _ in range(256):
            stack.enter_context(contextlib.closing(socket.create_connection(world.address)))
        yield


@contextlib.contextmanager
def early_hints_without_end(world):
    with contextlib.closing(socket.create_connection(world.address)) as plain, \
            Connection(world.address) as streams:
        plain.sendall(b"GET /big/hints HTTP/1.1\r\nHost: x\r\n\r\n")
        streams.ask(request("/big/hints"))
        yield
    replace(world, "big")


def replace(world, group):
    """Other processes for those that are still at work for a client that has left."""
    old = world.pids(group)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not set(old) & set(world.pids(group)), 10, "the end")
    world.admin(f"/groups/{group}/reset", method="POST")
    world.wait_ready(group, 1)


@contextlib.contextmanager
def early_hints_that_are_read(world):
    """The same load by a client that does no harm."""
    host, port = world.address
    with programs(*[[sys.executable, "-c", READER, host, str(port)]] * 2):
        time.sleep(1)
        yield
    replace(world, "big")


@contextlib.contextmanager
def readers_that_stall(world):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            client = stack.enter_context(contextlib.closing(socket.socket()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(world.address)
            client.sendall(b"GET /crowd/large HTTP/1.1\r\nHost: x\r\n\r\n")
        # Until then they are a load like any other.
        wait_until(lambda: held(world) == held(world, 0.5), 20, "buffers that are full")
        yield


def held(world, after=0.0):
    time.sleep(after)
    return world.resident() >> 20


@contextlib.contextmanager
def a_crowd(world, path):
    """Visitors who never come back."""
    host, port = world.address
    with programs(["wrk", "-t1", "-c4", "-d60s", "-H", "Via: 1.1 x", f"http://{host}:{port}{path}"]):
        time.sleep(1)
        yield


@contextlib.contextmanager
def strangers_at_the_notify_socket(world):
    path = str(world.folder / "run/notify")
    with programs(*[[sys.executable, "-c", NOTIFY, path]] * 3):
        time.sleep(1)
        yield


@contextlib.contextmanager
def nothing(world):
    yield


@contextlib.contextmanager
def a_busy_machine(world):
    """The same load on the processors, and none on the balancer."""
    with programs(*[[sys.executable, "-c", "while True: pass"]] * 3):
        time.sleep(1)
        yield


@contextlib.contextmanager
def a_log_that_is_read(world):
    done = threading.Event()

    def read():
        os.set_blocking(world.log_reading, False)
        while not done.wait(0.002):
            with contextlib.suppress(BlockingIOError):
                while os.read(world.log_reading, 65536):
                    pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()


# What happens, what the calm group's p99 is compared with, and the world it happens in.
NEIGHBOURS = {
    "a start held by a lease": (a_start_held_by_a_lease, nothing, {}),
    "starts that are stopped": (starts_that_are_stopped, a_busy_machine, {}),
    "a log that is not read": (nothing, a_log_that_is_read, {"access": "stderr"}),
    "descriptors run out": (descriptors_that_run_out, nothing, {"descriptors": 256}),
    "early hints without end": (early_hints_without_end, early_hints_that_are_read, {}),
    "readers that stall": (readers_that_stall, nothing, {}),
    "recycling under load": (
        lambda world: a_crowd(world, "/short/page"), lambda world: a_crowd(world, "/big/page"), {}),
    "visitors of one visit": (
        lambda world: a_crowd(world, "/crowd/"), lambda world: a_crowd(world, "/nowhere"), {}),
    "notify socket flooded": (strangers_at_the_notify_socket, a_busy_machine, {}),
}


SERVER = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "0123456789abcdef-end"; }}
    location /crowd/large {{ alias {folder}/large; }}
  }}
}}
"""


@contextlib.contextmanager
def calm_server():
    """The port of a server that answers at once, so that what is measured is the balancer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "large").write_bytes(bytes(16 << 20))
    (folder / "conf").write_text(SERVER.format(folder=folder, port=port))
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program, "nginx is not installed"
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "conf")])
    try:
        wait_until(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), 10, "nginx")
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)
