"""Sessions in a field of the application (`carrier = "header:NAME"`): MCP's rules, without any cookie."""

import contextlib
import http.client
import json
import os
import signal
import time

import pytest

import http2
import tls
from balancer import serving, wait_until
from carried import MCP

GROUP = """[group.mcp]
wsgi = "app.py"
processes = 3
threads = 8
affinity = { carrier = "header:Mcp-Session-Id" }
"""
FILES = {"app.py": MCP}


class Client:
    """What an MCP client keeps of its session: the value that came first."""

    def __init__(self, balancer):
        self.balancer, self.value = balancer, None
        self.first = self.ask().json()

    def ask(self, method="POST", value=None):
        headers = {"Mcp-Session-Id": value or self.value} if value or self.value else {}
        answer = self.balancer.request("/mcp", method, headers=headers)
        assert not answer.headers.get_all("Set-Cookie")
        given = answer.headers.get("Mcp-Session-Id")
        if self.value is None:
            self.value = given
        elif method != "DELETE" and given:
            assert given == self.value, "the value stays for the client's life"
        return answer


@pytest.fixture(scope="module")
def balancer():
    with serving(GROUP, files=FILES) as balancer:
        balancer.wait_ready("mcp", 3)
        yield balancer


def test_each_session_stays_on_its_process_which_sees_its_own_id(balancer):
    clients = [Client(balancer) for _ in range(6)]
    assert len({client.first["pid"] for client in clients}) == 3
    for count in (2, 3):
        for client in clients:
            facts = client.ask().json()
            assert (facts["pid"], facts["id"], facts["count"]) == (client.first["pid"], client.first["id"], count)
            assert facts["affinity"] == "kept" and facts["session"]
            assert client.value == f"{facts['id']}~{client.value[-56:]}"
    assert len({client.value[-56:] for client in clients}) == 6


def test_the_log_tells_of_the_session_and_not_of_its_token(balancer):
    client = Client(balancer)
    client.ask()
    wait_until(lambda: ["none", "pinned"] in balancer.verdicts() and ["valid", "kept"] in balancer.verdicts())
    assert client.value[-56:] not in balancer.log


def test_a_delete_that_succeeds_ends_the_session(balancer):
    client = Client(balancer)
    live = balancer.group("mcp")["sessions"]["live"]
    assert client.ask("DELETE").status == 200
    wait_until(lambda: balancer.group("mcp")["sessions"]["live"] == live - 1)
    assert client.ask().status == 404


@pytest.mark.parametrize("change", ["forged", "cut", "bare"])
def test_a_value_that_is_not_whole_leads_nowhere_and_the_process_says_so(balancer, change):
    client = Client(balancer)
    value = {
        "forged": client.value[:-1] + ("A" if client.value[-1] != "A" else "B"),
        "cut": client.value[:-1],
        "bare": "0" * 32,
    }[change]
    assert client.ask(value=value).status == 404
    assert client.ask().json()["pid"] == client.first["pid"]


def test_a_stream_of_events_is_the_sessions(balancer):
    client = Client(balancer)
    connection = http.client.HTTPConnection(*balancer.address, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/mcp", headers={"Mcp-Session-Id": client.value})
        response = connection.getresponse()
        assert response.headers["Mcp-Session-Id"] == client.value
        assert json.loads(response.readline().removeprefix(b"data: "))["pid"] == client.first["pid"]
        assert client.ask().json()["pid"] == client.first["pid"]


def test_sessions_of_one_http2_connection_are_kept_apart(certificates):
    with serving(tls.secure(certificates, GROUP), files=FILES) as balancer:
        balancer.wait_ready("mcp", 3)
        with http2.Connection(balancer.address, tls.trusting(certificates)) as connection:
            def ask(*fields):
                answer = connection.get(http2.request("/mcp", "POST", "localhost", *fields))
                return answer.fields["mcp-session-id"], json.loads(answer.body)
            sessions = [ask() for _ in range(3)]
            assert len({facts["pid"] for _, facts in sessions}) == 3
            for value, facts in sessions * 2:
                again, later = ask(("mcp-session-id", value))
                assert again == value and later["pid"] == facts["pid"]


def test_sessions_outlive_a_kill_a_take_over_and_a_reload_of_the_balancer():
    with serving(GROUP, files=FILES, keeps_address=True) as balancer:
        balancer.wait_ready("mcp", 3)
        clients = [Client(balancer) for _ in range(3)]

        def go_on():
            for client in clients:
                facts = client.ask().json()
                assert (facts["pid"], facts["affinity"]) == (client.first["pid"], "kept")
        balancer.crash()
        balancer.start()
        go_on()
        balancer.take_over()
        go_on()
        balancer.file.write_text(balancer.file.read_text() + "queue = 77\n")
        os.kill(balancer.pid, signal.SIGHUP)
        wait_until(lambda: balancer.group("mcp")["queue"]["limit"] == 77)
        go_on()


def test_max_age_does_not_end_a_session_whose_token_nothing_renews():
    text = "[affinity]\nmax_age = \"1s\"\n" + GROUP
    with serving(text, files=FILES, keeps_address=True) as balancer:
        client, began = Client(balancer), time.time()
        balancer.crash()
        # Its leases are gone with it, so that only the token counts.
        balancer.start()
        wait_until(lambda: time.time() > began + 2.1)
        for _ in range(3):
            assert client.ask().json()["pid"] == client.first["pid"]


@pytest.mark.parametrize("on_lost", ["reassign", "refuse"])
def test_a_lost_session_is_answered_404_so_that_its_client_begins_anew(on_lost):
    text = GROUP.replace("affinity = {", f'affinity = {{ on_lost = "{on_lost}",')
    with serving(text, files=FILES) as balancer:
        balancer.wait_ready("mcp", 3)
        client = Client(balancer)
        pid = client.first["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in (pids := balancer.pids("mcp")) and len(pids) == 3)
        answer = client.ask()
        assert answer.status == 404
        assert ("the session has ended" in answer.headers.get("Proxy-Status", "")) == (on_lost == "refuse")
        if on_lost == "reassign":
            wait_until(lambda: balancer.group("mcp")["sessions"]["live"] == 0)
        client.value = None
        assert client.ask().status == 200
        assert client.ask().json()["affinity"] == "kept"
