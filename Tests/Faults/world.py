"""The world of the fault driver: one balancer, its clients' sessions, and what must always hold."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Integration"))
from scarcity import Scarcity  # noqa: E402
from balancer import BINARY, Balancer, descendants, is_alive, wait_until  # noqa: E402,F401

PYTHON = sys.executable
# A session without a request for so many seconds ends.
IDLE = 3
CONFIGURATION = """
[timeouts]
header = "1s"
response = "1500ms"
drain = "3s"
[limits]
connections = 300
buffer_memory = "16MiB"
# Every client here has one address.
spawns_per_source = 0
[affinity]
idle = "IDLEs"
[log]
access = "/dev/full"
[group.missing]
command = ["./there-is-no-such-program"]
processes = { min = 0, max = 1 }
queue_timeout = "2s"
allow_root = true
[group.app]
command = ["PYTHON", "app.py"]
processes = { min = 1, max = 4 }
threads = 4
queue = 40
queue_timeout = "3s"
idle_timeout = "1s"
start_timeout = "5s"
stop_timeout = "500ms"
drain_timeout = "1s"
keepalive = false
allow_root = true
health = { path = "/health", interval = "200ms", timeout = "400ms", fall = 3 }
[group.calm]
command = ["PYTHON", "app.py"]
processes = 1
threads = 4
keepalive = false
allow_root = true
[group.odd]
command = ["PYTHON", "app.py"]
processes = { min = 0, max = 1 }
threads = 2
queue_timeout = "2s"
start_timeout = "1s"
stop_timeout = "300ms"
idle_timeout = "500ms"
keepalive = false
allow_root = true
[group.short]
command = ["PYTHON", "app.py"]
processes = { min = 0, max = 2 }
threads = 2
max_requests = 20
queue_timeout = "3s"
idle_timeout = "500ms"
stop_timeout = "500ms"
drain_timeout = "1s"
keepalive = false
allow_root = true
[group.one]
command = ["PYTHON", "app.py"]
processes = 1
threads = 1
process_queue = 8
queue_timeout = "2s"
stop_timeout = "500ms"
drain_timeout = "1s"
keepalive = false
allow_root = true
[routes]
"/" = "app"
"/calm" = "calm"
"/odd" = "odd"
"/missing" = "missing"
"/one" = "one"
"/short" = "short"
""".replace("PYTHON", PYTHON).replace("IDLE", str(IDLE))


class Session:
    """One visitor: a cookie, and what its process knew of it last."""

    def __init__(self, world, path="/"):
        self.world, self.path = world, path
        self.cookie = self.pid = self.born = None
        self.id, self.count = None, 0
        # When its last visit began.
        self.asked = time.monotonic()
        self.group = path.strip("/") or "app"

    def get(self, action="page", **options):
        return self.world.ask(self.path + action, session=self, **options)

    def visit(self):
        """A page; the process must be the one from before as long as it lives."""
        before, born, self.asked = self.pid, self.born, time.monotonic()
        alive = before is not None and is_instance(before, born)
        answer = self.get()
        if answer.status == 503 and b"no process can be started" in answer.body:
            # Many deaths in a row are answered by a pause, which an administrator can end.
            assert self.world.balancer.group(self.group)["spawn"]["failures_in_a_row"] > 0
            self.world.balancer.admin(f"/groups/{self.group}/reset", method="POST")
            answer = self.get()
        if answer.status == 502 and before is not None:
            # A request to a dying process gets an error, and is not retried.
            wait_until(lambda: not is_instance(before, born), 1, f"{before}, which broke off, to be dead")
            answer = self.get()
        assert answer.status == 200, f"{answer.status} {answer.body[:200]}"
        facts = answer.json()
        if (facts["pid"], facts["born"]) == (before, born):
            assert facts["count"] > self.count, f"lost its state: {facts} after {self.count}"
        elif alive and is_instance(before, born):
            # One that was killed has closed its sockets some time before it is a zombie.
            wait_until(lambda: not is_instance(before, born), 1,
                       f"{before} to be dead, from which a session was moved to {facts['pid']}")
        self.pid, self.born = facts["pid"], facts["born"]
        self.id, self.count = facts["session"], facts["count"]
        return facts


class World:
    def __init__(self, seed):
        self.tools = tempfile.TemporaryDirectory(prefix="m-faults-", dir="/tmp")
        self.scarcity = Scarcity(Path(self.tools.name))
        self.balancer = Balancer(
            CONFIGURATION, **self.scarcity.environment, files={"app.py": (Path(__file__).parent / "app.py").read_text()},
            keeps_address=True, top="max_processes = 12\n")
        self.nonces = {}
        self.counter = 0
        self.seed = seed
        for group in ("app", "calm", "one"):
            self.balancer.wait_ready(group, 1)
        self.sessions = [Session(self) for _ in range(6)]
        self.calm = Session(self, "/calm/")
        for session in [*self.sessions, self.calm]:
            session.visit()
        self.settle()
        self.overhead = self.descriptors() - self.expected_descriptors(0)

    # Asking

    def connect(self, timeout=10):
        return socket.create_connection(self.balancer.address, timeout=timeout)

    def ask(self, path, method="GET", session=None, body=None, headers=None, timeout=10):
        """One request on a connection of its own, its nonce kept; status 0: the connection broke."""
        self.counter += 1
        nonce = f"{self.seed}-{self.counter}"
        headers = {"X-Nonce": nonce, **(headers or {})}
        if session and session.cookie:
            headers["Cookie"] = f"mooring={session.cookie}"
        connection = http.client.HTTPConnection(*self.balancer.address, timeout=timeout)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body=body, headers=headers)
                response = connection.getresponse()
                answer = Reply(response.status, response.headers, response.read())
            except (http.client.HTTPException, OSError) as error:
                answer = Reply(0, {}, repr(error).encode())
        if session and answer.cookie:
            session.cookie = answer.cookie
        if method == "POST":
            self.nonces[nonce] = answer.status
        return answer

    def cpu_seconds(self):
        """What the balancer itself has used."""
        fields = Path(f"/proc/{self.balancer.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.balancer.pid}/fd"))

    def living(self):
        """The registry's view of every process."""
        groups = self.balancer.admin("/stats").json()["groups"]
        return [p for g in groups for p in g["processes"] if p["pid"]]

    def expected_descriptors(self, overhead):
        """Of each process a pidfd and its two outputs, which may be kept open both ways."""
        links = []
        for name in os.listdir(f"/proc/{self.balancer.pid}/fd"):
            with contextlib.suppress(OSError):
                links.append(os.readlink(f"/proc/{self.balancer.pid}/fd/{name}"))
        own = [link for link in links if "pidfd" in link or link.startswith("pipe:")
               or link.endswith((".out", ".err"))]
        return overhead + len(own)

    def settle(self):
        """What was started or stopped has come to its end."""
        def at_rest():
            states = [p["state"] for p in self.living()]
            return all(state in ("ready", "draining") for state in states)
        wait_until(at_rest, 15, "the processes to come to rest")

    def mend(self):
        """Many deaths in a row make a group pause; an operator who has fixed the cause ends that."""
        for group in ("app", "calm", "odd", "one", "short"):
            self.balancer.admin(f"/groups/{group}/reset", method="POST")
        for group in ("app", "calm", "one"):
            self.balancer.wait_ready(group, 1)

    # What must always hold

    def check(self):
        started = time.monotonic()
        assert self.balancer.admin("/healthz").status == 200
        took = time.monotonic() - started
        assert took < 1, f"the admin API took {took:.2f} s"
        self.settle()
        wait_until(lambda: not self.zombies(), 5, "the zombies to be collected")
        wait_until(
            lambda: self.descriptors() <= self.expected_descriptors(self.overhead) + 1, 8,
            "the descriptors to be closed")
        # One may start or end between the two looks.
        wait_until(
            lambda: self.expected_descriptors(0) <= max(3 * len(self.living()), 1) + 3, 5,
            "the descriptors of the dead to be closed")
        self.check_deliveries()
        asked = self.calm.asked
        facts = self.calm.visit()
        # A session that has ended holds no process that drains.
        may_be_lost = time.monotonic() - asked >= IDLE
        assert facts["affinity"] in ("kept", "new") or may_be_lost, facts

    def zombies(self):
        return [pid for pid in descendants(self.balancer.pid) if not is_alive(pid)]

    @property
    def metrics(self):
        return self.balancer.admin("/metrics").body.decode()

    def check_deliveries(self):
        delivered, homes = {}, {}
        for line in (self.balancer.folder / "deliveries").read_text().splitlines():
            pid, born, session, method, nonce = line.split(" ")
            if method == "POST":
                delivered[nonce] = delivered.get(nonce, 0) + 1
            if session != "-":
                homes.setdefault(session, set()).add((int(pid), int(born)))
        for nonce, count in delivered.items():
            assert count == 1, f"the POST {nonce} was delivered {count} times"
        for nonce, status in self.nonces.items():
            assert status != 200 or nonce in delivered, f"{nonce} was answered by nobody"
        for session, instances in homes.items():
            alive = [pid for pid, born in instances if is_instance(pid, born)]
            assert len(alive) <= 1, f"the session {session} has the processes {alive}"

    def close(self):
        self.balancer.stop()
        self.tools.cleanup()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def cookie(self):
        fields = self.headers.get_all("Set-Cookie", []) if self.headers else []
        for field in fields:
            if field.startswith("mooring="):
                return field.split(";")[0].removeprefix("mooring=")
        return None


def is_instance(pid, born):
    """Whether the process that began at that tick is alive; its number may be another's by now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z" and int(fields[19]) == born


def kill(pid, number=signal.SIGKILL):
    """Ends a backend that this driver's balancer has started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
