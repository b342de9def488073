"""Servers by name: a name server of the test's own tells their addresses, and changes its mind."""

import socket
import struct
import subprocess
import threading

import pytest

from balancer import BINARY, Balancer, serving, wait_until
from test_servers import Server


class NameServer:
    """Answers questions for IPv4 addresses over UDP (RFC 1035); names without addresses do not exist."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.addresses, self.ttl, self.asked, self.fails = {}, 1, [], False
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.socket.close()

    def serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(2048)
            except OSError:
                return
            self.socket.sendto(self.answer(question), client)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        end = at + 5
        name, kind = ".".join(labels), struct.unpack("!H", question[at + 1:at + 3])[0]
        self.asked.append(name)
        found = self.addresses.get(name)
        code = 2 if self.fails else 3 if found is None else 0
        records = b""
        if kind == 1 and code == 0:
            for address in found:
                records += struct.pack("!HHHIH", 0xC00C, 1, 1, self.ttl, 4) + socket.inet_aton(address)
        head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records) // 16, 0, 0)
        return head + question[12:end] + records


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.close()


def servers(port, *hosts):
    """One at each of the addresses of this machine, with the same port."""
    return [Server(host, host=host, port=port) for host in hosts]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def configuration(names, port, more="", name="app.internal"):
    return (f'[dns]\nservers = ["127.0.0.1:{names.port}"]\nmin_ttl = "100ms"\n'
            f'[group.a]\nservers = ["{name}:{port}"]\n{more}\n')


def states(balancer):
    return {p["id"].split("@")[1]: p["state"] for p in balancer.group("a")["processes"]}


def session_on(balancer, name):
    def visit():
        answer = balancer.request()
        if answer.body == name.encode():
            balancer.request(cookie=answer.cookie)
            return answer.cookie
    return wait_until(visit, what=f"a session on {name}")


def test_every_address_of_a_name_is_a_server_of_its_own(names):
    port = free_port()
    both = servers(port, "127.0.0.1", "127.0.0.2")
    names.addresses["app.internal"] = ["127.0.0.1", "127.0.0.2"]
    with both[0], both[1], serving(configuration(names, port)) as balancer:
        # The first request waits until the name is looked up.
        assert balancer.request().status == 200
        assert states(balancer) == {"127.0.0.1": "ready", "127.0.0.2": "ready"}
        ids = [p["id"] for p in balancer.group("a")["processes"]]
        assert ids == [f"app.internal:{port}@127.0.0.1", f"app.internal:{port}@127.0.0.2"]
        assert {balancer.request().body for _ in range(4)} == {b"127.0.0.1", b"127.0.0.2"}


def test_an_address_that_vanishes_keeps_its_sessions_and_a_new_one_starts_slowly(names):
    port = free_port()
    one, two, three = servers(port, "127.0.0.1", "127.0.0.2", "127.0.0.3")
    names.addresses["app.internal"] = ["127.0.0.1", "127.0.0.2"]
    with one, two, three, serving(configuration(names, port, 'slow_start = "1h"')) as balancer:
        cookie = session_on(balancer, "127.0.0.2")
        names.addresses["app.internal"] = ["127.0.0.1", "127.0.0.3"]
        wait_until(lambda: states(balancer) == {
            "127.0.0.1": "ready", "127.0.0.2": "draining", "127.0.0.3": "ready"}, what="the other address")
        assert balancer.request(cookie=cookie).body == b"127.0.0.2"
        assert b"127.0.0.2" not in {balancer.request().body for _ in range(6)}
        fresh = next(p for p in balancer.group("a")["processes"] if p["id"].endswith("127.0.0.3"))
        assert fresh["server"]["slow_start_seconds_left"] > 3000
        two.hang_up()
        assert balancer.request(cookie=cookie).status == 200
        wait_until(lambda: len(states(balancer)) == 2, what="the end of the one that vanished")


def test_a_failure_keeps_the_addresses_and_is_logged_once(names):
    port = free_port()
    names.addresses["app.internal"] = ["127.0.0.1"]
    with Server("127.0.0.1", port=port), serving(configuration(names, port)) as balancer:
        assert balancer.request().status == 200
        names.fails, before = True, len(names.asked)
        wait_until(lambda: "cannot be looked up" in balancer.log, what="the failure")
        wait_until(lambda: len(names.asked) > before + 12, what="more questions")
        assert states(balancer) == {"127.0.0.1": "ready"} and balancer.request().status == 200
        assert balancer.log.count("cannot be looked up") == 1
        names.fails = False
        wait_until(lambda: "can be looked up again" in balancer.log, what="the end of the failure")


def test_a_name_that_is_not_known_yet_is_no_reason_not_to_start(names):
    port = free_port()
    with Server("127.0.0.1", port=port), serving(configuration(names, port)) as balancer:
        wait_until(lambda: balancer.request().status == 503, what="the refusal")
        assert balancer.group("a")["unresolved"] == [f"app.internal:{port}"]
        ready = balancer.admin("/readyz")
        assert ready.status == 503 and b"no address is known of app.internal" in ready.body
        said = subprocess.run(
            [BINARY, "status", "-c", str(balancer.file)], capture_output=True, text=True, timeout=60).stdout
        assert f"no address is known yet of app.internal:{port}" in said
        names.addresses["app.internal"] = ["127.0.0.1"]
        wait_until(lambda: balancer.request().status == 200, what="the answer")
        assert balancer.group("a")["unresolved"] == []


def test_localhost_is_no_question_for_the_name_server(names):
    with Server("one") as one, serving(configuration(names, one.port, name="localhost")) as balancer:
        assert balancer.request().body == b"one" and not names.asked


def test_a_reload_changes_the_name_server(names):
    port, other = free_port(), NameServer()
    names.addresses["app.internal"], other.addresses["app.internal"] = ["127.0.0.1"], ["127.0.0.2"]
    one, two = servers(port, "127.0.0.1", "127.0.0.2")
    balancer = Balancer(configuration(names, port))
    try:
        with one, two:
            assert balancer.request().body == b"127.0.0.1"
            balancer.file.write_text(balancer.file.read_text().replace(str(names.port), str(other.port)))
            assert balancer.admin("/reload", "POST").status == 200
            wait_until(lambda: states(balancer).get("127.0.0.2") == "ready", what="the other address")
    finally:
        balancer.stop()
        other.close()


def test_check_warns_of_a_name_that_cannot_be_looked_up(names, tmp_path):
    file = tmp_path / "mooring.toml"
    names.addresses["app.internal"] = ["127.0.0.1"]
    text = configuration(names, 80, name="nobody.internal").replace(
        ':80"]', ':80", "app.internal:80"]')
    file.write_text(text)
    said = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    out = said.stdout + said.stderr
    assert "holds the name nobody.internal, which cannot be looked up now" in out
    assert "app.internal," not in out
