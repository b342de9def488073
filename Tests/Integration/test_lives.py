"""The promise: a session's process outlives crashes, upgrades and deployments of the balancer."""

import os
import re
import signal
import subprocess
import threading
import time

import pytest

from balancer import BINARY, is_alive, serving, wait_until
from scarcity import Scarcity
from tls import secure

# Counts its visits per session in memory; starts in a few milliseconds.
APP = """
import json, os, signal, socketserver
from http.server import BaseHTTPRequestHandler

counts = {}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self): return "-"
    def log_message(self, *_): pass
    def do_GET(self):
        session = self.headers.get("Mooring-Session", "")
        counts[session] = counts.get(session, 0) + 1
        body = json.dumps({"pid": os.getpid(), "count": counts[session], "build": BUILD,
                           "affinity": self.headers.get("Mooring-Affinity", "")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 256

BUILD = 1
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(os.environ["MOORING_SOCKET"], Handler).serve_forever()
"""
GROUP = """
[timeouts]
drain = "5s"
[group.app]
command = ["python3", "app.py"]
processes = 2
threads = 50
queue = 1000
process_queue = 1000
{}
"""


@pytest.fixture
def balancer(request):
    group = GROUP.format(getattr(request, "param", ""))
    with serving(group, files={"app.py": APP}, keeps_address=True) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


class Load:
    """Clients that ask one request after the other, each on a connection of its own."""

    def __init__(self, balancer, clients=4):
        self.balancer, self.failures, self.answers = balancer, [], 0
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]

    def ask(self):
        cookie = None
        while not self.done.is_set():
            try:
                answer = self.balancer.request(cookie=cookie, timeout=15)
            except OSError as error:
                self.failures.append(repr(error))
                continue
            cookie = answer.cookie or cookie
            self.answers += 1
            if answer.status != 200:
                self.failures.append((answer.status, answer.body[:80]))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(20)


def visit(balancer, cookie=None):
    answer = balancer.request(cookie=cookie)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.cookie or cookie, answer.json()


def test_sessions_outlive_fifty_kills_of_the_balancer(balancer):
    visitors = {}
    for _ in range(6):
        cookie, facts = visit(balancer)
        visitors[cookie] = facts
    pids = set(balancer.pids("app"))
    for _ in range(50):
        balancer.crash()
        balancer.start()
        for cookie, before in visitors.items():
            _, facts = visit(balancer, cookie)
            assert facts["pid"] == before["pid"], "another process"
            assert facts["count"] == before["count"] + 1, "the state is lost"
            visitors[cookie] = facts
        assert set(balancer.pids("app")) == pids, "orphaned or doubled"


@pytest.mark.parametrize("balancer", ['on_exit = "kill"'], indirect=True)
def test_with_on_exit_kill_nothing_is_left_a_second_after_a_kill(balancer):
    pids = balancer.pids("app")
    balancer.crash()
    wait_until(lambda: not any(is_alive(pid) for pid in pids), 1, "the processes to end")
    balancer.start()
    balancer.wait_ready("app", 2)


def test_sigusr2_leaves_the_processes_to_the_next_start(balancer):
    cookie, before = visit(balancer)
    balancer.process.send_signal(signal.SIGUSR2)
    assert balancer.process.wait(20) == 0
    assert is_alive(before["pid"])
    balancer.start()
    _, facts = visit(balancer, cookie)
    assert (facts["pid"], facts["count"]) == (before["pid"], before["count"] + 1)


def take_over_under_wrk(balancer, *options, scheme="http"):
    """Twenty times, beside two hundred connections; not one request may fail."""
    host, port = balancer.address
    # wrk counts whoever waits longer than its timeout as an error; 2 s, its default, a loaded machine exceeds.
    wrk = subprocess.Popen(
        ["wrk", "-t1", "-c200", "-d600s", "--timeout", "10s", *options, f"{scheme}://{host}:{port}/"],
        stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(20):
            balancer.take_over()
    finally:
        wrk.send_signal(signal.SIGINT)
        said = wrk.communicate(timeout=20)[0]
    assert int(re.search(r"(\d+) requests in", said).group(1)) > 1000, said
    assert "Non-2xx" not in said and "Socket errors" not in said, said


@pytest.mark.alone
@pytest.mark.parametrize("options", [[], ["-H", "Connection: close"]], ids=["kept", "closed"])
def test_twenty_takeovers_under_load_fail_no_request(balancer, options):
    cookie, before = visit(balancer)
    take_over_under_wrk(balancer, *options)
    _, facts = visit(balancer, cookie)
    assert (facts["pid"], facts["count"]) == (before["pid"], before["count"] + 1)


@pytest.mark.alone
def test_twenty_takeovers_under_load_with_tls_fail_no_request(certificates):
    with serving(secure(certificates, GROUP.format("")), files={"app.py": APP}, keeps_address=True) as balancer:
        balancer.wait_ready("app", 2)
        take_over_under_wrk(balancer, scheme="https")


def test_a_takeover_of_nobody_says_what_to_do(balancer):
    balancer.crash()
    said = subprocess.run(
        [BINARY, "serve", "-c", str(balancer.file), "--takeover"], capture_output=True, text=True,
        check=False)
    assert said.returncode == 3 and "start one with mooring serve" in said.stderr, said
    balancer.start()


def test_a_deployment_under_load_loses_nobody(balancer):
    cookie, before = visit(balancer)
    (balancer.folder / "app.py").write_text(APP.replace("BUILD = 1", "BUILD = 2"))
    with Load(balancer) as load:
        wait_until(lambda: load.answers > 20)
        said = command(balancer, "restart", "app", "--wait")
        assert said.returncode == 0, said
        for _ in range(5):
            assert visit(balancer)[1]["build"] == 2
        _, facts = visit(balancer, cookie)
        assert (facts["pid"], facts["build"]) == (before["pid"], 1)
        assert facts["count"] == before["count"] + 1
    assert not load.failures, load.failures[:3]


def test_a_broken_build_changes_nothing_and_says_so(balancer):
    cookie, before = visit(balancer)
    (balancer.folder / "app.py").write_text("raise SystemExit('no such table')")
    with Load(balancer) as load:
        said = command(balancer, "restart", "app", "--wait")
        assert said.returncode == 1 and "the old one serves on" in said.stderr, said
        wait_until(lambda: load.answers > 20)
        assert visit(balancer, cookie)[1]["pid"] == before["pid"]
    assert not load.failures, load.failures[:3]


def test_a_reload_changes_what_has_changed_and_nothing_else(balancer):
    pids = balancer.pids("app")
    text = balancer.file.read_text()
    balancer.file.write_text(text + '[group.new]\ncommand = ["python3", "app.py"]\n'
                             'allow_root = true\n[routes]\n"/" = "app"\n"/new" = "new"\n')
    with Load(balancer) as load:
        said = command(balancer, "reload")
        assert said.returncode == 0 and "added: new" in said.stdout, said
        assert balancer.request("/new").json()["pid"] not in pids
        balancer.file.write_text(text.replace("threads = 50", "thraeds = 50"))
        said = command(balancer, "reload")
        assert said.returncode == 2 and "did you mean threads?" in said.stderr, said
        balancer.file.write_text(text)
        os.kill(balancer.pid, signal.SIGHUP)
        # Its one visitor may come back: it goes when that session has ended.
        wait_until(lambda: states(balancer, "new") == ["draining"], 10, "the new group to retire")
        assert balancer.request("/new").json()["pid"] in pids
    assert not load.failures, load.failures[:3]
    assert balancer.pids("app") == pids


def test_a_drained_process_keeps_its_sessions_and_tells_how_far_it_is(balancer):
    cookie, before = visit(balancer)
    label = next(p["id"] for p in balancer.group("app")["processes"] if p["pid"] == before["pid"])
    said = command(balancer, "drain", label, "--timeout", "2s", "--wait", background=True)
    wait_until(lambda: "draining" in {p["state"] for p in balancer.group("app")["processes"]})
    assert visit(balancer)[1]["pid"] != before["pid"]
    assert visit(balancer, cookie)[1]["pid"] == before["pid"]
    out = said.communicate(timeout=20)[0]
    assert "1 sessions" in out and "has ended" in out, out
    assert visit(balancer, cookie)[1]["affinity"] == "lost"


@pytest.mark.parametrize("end", ["crash", "takeover"])
def test_a_process_that_drains_goes_on_draining_in_the_next_balancer(balancer, end):
    cookie, facts = visit(balancer)
    label = next(p["id"] for p in balancer.group("app")["processes"] if p["pid"] == facts["pid"])
    assert command(balancer, "drain", label).returncode == 0
    if end == "crash":
        balancer.crash()
        balancer.start()
    else:
        balancer.take_over()
    process, = (p for p in balancer.group("app")["processes"] if p["id"] == label)
    assert process["state"] == "draining", process
    balancer.wait_ready("app", 2)
    assert facts["pid"] not in {visit(balancer)[1]["pid"] for _ in range(6)}
    assert visit(balancer, cookie)[1]["pid"] == facts["pid"]


def test_scaling_up_and_down_moves_nobody(balancer):
    cookie, before = visit(balancer)
    assert command(balancer, "scale", "app", "3").returncode == 0
    balancer.wait_ready("app", 3)
    assert command(balancer, "scale", "app", "1").returncode == 0
    wait_until(lambda: len(balancer.pids("app")) == 1)
    assert visit(balancer, cookie)[1]["pid"] == before["pid"]


@pytest.mark.parametrize("balancer", ["max_requests = 30"], indirect=True)
def test_processes_are_replaced_after_their_requests_without_an_error(balancer):
    pids = set(balancer.pids("app"))
    with Load(balancer) as load:
        wait_until(lambda: not pids & set(balancer.pids("app")), 30, "new processes")
    assert not load.failures, load.failures[:3]


def test_every_start_and_stop_has_its_reason_in_the_statistics(balancer):
    command(balancer, "scale", "app", "1")
    wait_until(lambda: [d for d in balancer.group("app")["decisions"] if d["kind"] == "gone"])
    decisions = balancer.group("app")["decisions"]
    assert [d["reason"] for d in decisions if d["kind"] == "spawning"] == ["min", "min"]
    assert [d["reason"] for d in decisions if d["kind"] == "gone"] == ["scaled_down"]
    numbers = [d["sequence"] for d in decisions]
    assert numbers == sorted(numbers)


def states(balancer, group):
    return [p["state"] for p in balancer.group(group)["processes"]]


def command(balancer, *words, background=False):
    line = [BINARY, words[0], "-c", str(balancer.file), *words[1:]]
    if background:
        return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)


FAMILY = APP.replace("    def do_GET(self):", '''    def do_POST(self):
        reader, writer = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                os.write(writer, str(os.getpid()).encode())
                os.execvp("sleep", ["sleep", "1000"])
            os._exit(0)
        stray = os.read(reader, 20)
        self.send_response(200)
        self.send_header("Content-Length", str(len(stray)))
        self.end_headers()
        self.wfile.write(stray)

    def do_GET(self):''')


def test_a_stray_of_an_adopted_process_ends_with_it_without_a_cgroup_too(tmp_path):
    # The loader keeps the balancer from making cgroups.
    scarcity = Scarcity(tmp_path)
    with serving(GROUP.format(""), files={"app.py": FAMILY}, keeps_address=True, **scarcity.environment) as balancer:
        balancer.wait_ready("app", 2)
        stray = int(balancer.request(method="POST").body)
        balancer.crash()
        balancer.start()
        assert is_alive(stray)
        for process in balancer.group("app")["processes"]:
            balancer.admin(f"/processes/{process['id']}/stop", method="POST")
        wait_until(lambda: not is_alive(stray), 5, "the stray to end")
