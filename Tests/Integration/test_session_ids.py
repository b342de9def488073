"""Sessions by an id in the query or the path (`carrier = "query:NAME"`, `"path:N"`), without any cookie."""

import json
import os
import re
import signal

import pytest
from websockets.sync.client import connect

from balancer import serving, wait_until
from carried import IDS

FILES = {"app.py": IDS}
GROUP = """[group.app]
asgi = "app:app"
processes = 3
affinity = { carrier = "query:sid" }
"""
PATHS = """[group.app]
asgi = "app:app"
processes = 3
affinity = { pin = "never" }
[routes]
"/" = "app"
"/session" = { group = "app", affinity = { pin = "app", carrier = "path:2" } }
"""


class Client:
    """One that keeps what the first body says."""

    def __init__(self, balancer):
        self.balancer = balancer
        answer = balancer.request("/io?EIO=4")
        assert not answer.headers.get_all("Set-Cookie")
        facts = json.loads(answer.body[1:])
        self.sid, self.pid = facts["sid"], facts["pid"]

    def ask(self, method="GET"):
        return self.balancer.request(f"/io?EIO=4&sid={self.sid}", method)

    def goes_on(self):
        answer = self.ask()
        return answer.status == 200 and answer.json()["pid"] == self.pid


@pytest.fixture(scope="module")
def balancer():
    with serving(GROUP, files=FILES) as balancer:
        balancer.wait_ready("app", 3)
        yield balancer


def test_the_process_that_has_issued_an_id_gets_its_requests(balancer):
    clients = [Client(balancer) for _ in range(9)]
    assert len({client.pid for client in clients}) == 3
    for _ in range(3):
        assert all(client.goes_on() for client in clients)
    assert balancer.group("app")["sessions"]["live"] >= 9
    assert not any(client.sid in line for client in clients for line in re.findall(r"session=\S+", balancer.log))


def test_the_websocket_of_a_session_finds_its_process(balancer):
    for _ in range(6):
        client = Client(balancer)
        host, port = balancer.address
        with connect(f"ws://{host}:{port}/io?EIO=4&transport=websocket&sid={client.sid}") as socket:
            assert int(socket.recv(20)) == client.pid
            assert client.goes_on()


def test_an_unknown_id_takes_no_place_in_the_table(balancer):
    live = balancer.group("app")["sessions"]["live"]
    for number in range(5):
        assert balancer.request(f"/io?sid=unknown{number}").status == 400
    assert balancer.group("app")["sessions"]["live"] == live


def test_ids_outlive_a_kill_and_a_take_over_of_the_balancer():
    with serving(GROUP, files=FILES, keeps_address=True) as balancer:
        balancer.wait_ready("app", 3)
        clients = [Client(balancer) for _ in range(6)]
        # On the disk within a moment, which the kill would otherwise be quicker than.
        records = balancer.folder / "state"
        wait_until(lambda: sum(
            len(re.findall(r"(?m)^(?:session|unconfirmed) ", file.read_text(errors="replace")))
            for file in records.rglob("*") if file.is_file()) >= 6)
        balancer.crash()
        balancer.start()
        assert all(client.goes_on() for client in clients)
        balancer.take_over()
        assert all(client.goes_on() for client in clients)


def test_a_lost_id_is_answered_by_the_rules_of_the_application():
    with serving(GROUP, files=FILES) as balancer:
        balancer.wait_ready("app", 3)
        client = Client(balancer)
        os.kill(client.pid, signal.SIGKILL)
        wait_until(lambda: client.pid not in (pids := balancer.pids("app")) and len(pids) == 3)
        assert client.ask().status == 400
        assert Client(balancer).goes_on()


def test_a_redirect_begins_a_session_in_the_path():
    with serving(PATHS, files=FILES) as balancer:
        balancer.wait_ready("app", 3)
        for _ in range(6):
            answer = balancer.request("/new")
            pid = int(answer.body)
            for count in (1, 2):
                facts = balancer.request(answer.headers["Location"]).json()
                assert facts == {"pid": pid, "count": count}
