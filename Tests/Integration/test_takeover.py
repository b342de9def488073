"""One balancer takes the place of another: what is open goes on, and what fails changes nothing."""

import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from balancer import BINARY, is_alive, serving, wait_until

APP = (Path(__file__).resolve().parents[1] / "Faults/app.py").read_text()
CONFIGURATION = """
[timeouts]
drain = "{drain}"
[group.app]
command = ["python3", "app.py"]
processes = 2
threads = 10
keepalive = false
"""


@pytest.fixture
def balancer(request):
    configuration = CONFIGURATION.format(drain=getattr(request, "param", "30s"))
    with serving(configuration, files={"app.py": APP}, keeps_address=True) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


class Tunnel:
    """An upgraded connection, whose process says who it is with each word."""

    def __init__(self, balancer, cookie):
        self.socket = socket.create_connection(balancer.address, 20)
        self.socket.sendall(
            f"GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nCookie: mooring={cookie}\r\n\r\n"
            .encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def say(self, word):
        """Who has answered."""
        self.socket.sendall(word)
        pid, _, echo = self.socket.recv(4096).partition(b" ")
        assert echo == word
        return int(pid)

    def close(self):
        self.socket.close()


def replace(balancer):
    """Starts the successor; the old balancer, which may have something left to do."""
    old, balancer.process = balancer.process, balancer.launch("--takeover")
    return old


def ended(old, seconds=20):
    code = old.wait(seconds)
    old.stdout.close()
    return code


def test_an_open_tunnel_lives_on_in_the_old_balancer_and_its_session_in_the_new(balancer):
    first = balancer.request("/page")
    tunnel = Tunnel(balancer, first.cookie)
    assert tunnel.say(b"before") == first.json()["pid"]
    old = replace(balancer)
    try:
        for _ in range(3):
            assert tunnel.say(b"after") == first.json()["pid"]
            facts = balancer.request("/page", cookie=first.cookie).json()
            assert (facts["pid"], facts["affinity"]) == (first.json()["pid"], "kept")
        assert old.poll() is None, "the old balancer has left an open tunnel"
    finally:
        tunnel.close()
    # Nothing holds it any more, long before the end of its time.
    assert ended(old) == 0
    assert is_alive(first.json()["pid"])


@pytest.mark.parametrize("balancer", ["1s"], indirect=True)
def test_a_tunnel_that_stays_open_ends_with_the_time_for_draining(balancer):
    first = balancer.request("/page")
    tunnel = Tunnel(balancer, first.cookie)
    started = time.monotonic()
    old = replace(balancer)
    assert tunnel.socket.recv(1) == b""
    assert time.monotonic() - started > 0.9
    assert ended(old) == 0
    assert balancer.request("/page", cookie=first.cookie).json()["affinity"] == "kept"


def test_a_request_under_way_is_answered_by_the_old_balancer(balancer):
    first, answers = balancer.request("/page"), []
    thread = threading.Thread(target=lambda: answers.append(
        balancer.request("/hold", cookie=first.cookie, headers={"X-Seconds": "1.5"})))
    thread.start()
    wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 1)
    old = replace(balancer)
    assert not answers, "it was answered before anybody took over"
    # Its process serves the new balancer meanwhile.
    assert balancer.request("/page", cookie=first.cookie).json()["pid"] == first.json()["pid"]
    thread.join(20)
    assert answers[0].status == 200 and answers[0].json()["pid"] == first.json()["pid"]
    assert ended(old) == 0


def test_a_successor_is_taken_over_in_its_turn_while_tunnels_of_both_are_open(balancer):
    session = balancer.request("/page")
    tunnels, olds = [], []
    for _ in range(2):
        tunnels.append(Tunnel(balancer, session.cookie))
        olds.append(replace(balancer))
    assert {tunnel.say(b"still") for tunnel in tunnels} == {session.json()["pid"]}
    for tunnel, old in zip(tunnels, olds):
        tunnel.close()
        assert ended(old) == 0
    facts = balancer.request("/page", cookie=session.cookie).json()
    assert (facts["pid"], facts["count"]) == (session.json()["pid"], 4)


def fails(balancer):
    return subprocess.run(
        [BINARY, "serve", "-c", str(balancer.file), "--takeover"], capture_output=True, text=True, check=False,
        timeout=30, cwd=balancer.folder)


def test_a_successor_with_a_bad_configuration_changes_nothing(balancer):
    session, pids = balancer.request("/page"), balancer.pids("app")
    good = balancer.file.read_text()
    balancer.file.write_text(good.replace("threads", "thraeds"))
    said = fails(balancer)
    balancer.file.write_text(good)
    assert said.returncode == 2 and "thraeds" in said.stderr
    assert balancer.process.poll() is None
    assert balancer.request("/page", cookie=session.cookie).json()["affinity"] == "kept"
    assert balancer.pids("app") == pids


def test_a_successor_that_cannot_listen_changes_nothing(balancer):
    session, pids = balancer.request("/page"), balancer.pids("app")
    good = balancer.file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        balancer.file.write_text(f'{good}\n[[listen]]\naddress = "127.0.0.1:{taken.getsockname()[1]}"\n')
        said = fails(balancer)
    balancer.file.write_text(good)
    assert said.returncode != 0 and "Address already in use" in said.stderr, said
    assert balancer.request("/page", cookie=session.cookie).json()["affinity"] == "kept"
    assert balancer.pids("app") == pids
    # And the next one is not in its way.
    assert ended(replace(balancer)) == 0


def test_a_successor_that_ends_in_the_middle_of_the_handing_over_changes_nothing(balancer):
    session = balancer.request("/page")
    control = balancer.folder / "run/control.sock"
    assert control.stat().st_mode & 0o777 == 0o600
    for words in (b"takeover 1\n", b"takeover 1", b"nonsense\n", b""):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(control))
            client.sendall(words)
            if words.startswith(b"takeover 1\n"):
                assert client.recv(64).startswith(b"sockets"), "the sockets are on their way"
    assert balancer.request("/page", cookie=session.cookie).json()["affinity"] == "kept"
    assert ended(replace(balancer)) == 0
