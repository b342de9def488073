"""External servers: commands for them, reloads of their list, the Host that they get."""

import subprocess

import pytest

from balancer import BINARY, Balancer, serving, wait_until
from origin import Origin


class Server(Origin):
    """Answers with its name, and keeps what it was asked."""

    def __init__(self, name, **place):
        super().__init__(**place)
        self.name = name

    def serve(self, connection):
        reader = connection.makefile("rb")
        try:
            while (request := self.read(reader, connection)) is not None:
                self.requests.append(request)
                body = self.name.encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        except OSError:
            pass
        finally:
            connection.close()


def configuration(servers, more=""):
    items = ", ".join(s if isinstance(s, str) else s.server for s in servers)
    return f"[group.a]\nservers = [{items}]\n{more}\n"


def states(balancer):
    return {p["id"]: p["state"] for p in balancer.group("a")["processes"]}


def session_on(balancer, name):
    """The cookie of a confirmed session on a server."""
    def visit():
        answer = balancer.request()
        if answer.body == name.encode():
            balancer.request(cookie=answer.cookie)
            return answer.cookie
    return wait_until(visit, what=f"a session on {name}")


def command(balancer, *words):
    said = subprocess.run(
        [BINARY, *words, "-c", str(balancer.file)], capture_output=True, text=True, timeout=60)
    return said.returncode, said.stdout + said.stderr


def named(server):
    return f'{{ address = {server.server}, name = "{server.name}" }}'


@pytest.fixture
def two():
    with Server("one") as one, Server("other") as other:
        yield one, other


def test_a_drained_server_keeps_its_sessions_and_up_has_it_back(two):
    with serving(configuration(map(named, two))) as balancer:
        cookie = session_on(balancer, "one")
        code, said = command(balancer, "drain", "one")
        assert code == 0 and states(balancer) == {"one": "draining", "other": "ready"}, said
        assert {balancer.request().body for _ in range(6)} == {b"other"}
        assert balancer.request(cookie=cookie).body == b"one"
        code, said = command(balancer, "up", "one")
        assert code == 0 and states(balancer)["one"] == "ready", said
        assert b"one" in {balancer.request().body for _ in range(6)}


def test_a_stopped_server_is_down_and_its_sessions_move_once(two):
    with serving(configuration(map(named, two))) as balancer:
        cookie = session_on(balancer, "one")
        assert command(balancer, "stop", "one")[0] == 0
        assert states(balancer) == {"one": "down", "other": "ready"}
        moved = balancer.request(cookie=cookie)
        assert moved.body == b"other" and moved.cookie
        assert "out of service until mooring up" in balancer.log
        table = command(balancer, "status")[1]
        assert [line.split()[:2] for line in table.splitlines() if "one " in line] == [["one", "down"]]
        code, said = command(balancer, "up", "one")
        assert code == 0, said
        # It has moved for good.
        assert balancer.request(cookie=moved.cookie).body == b"other"


def test_a_process_that_mooring_started_is_not_put_back():
    with serving('[group.a]\ncommand = ["sleep", "60"]\n') as balancer:
        label = wait_until(lambda: [p["id"] for p in balancer.group("a")["processes"] if p["id"]])[0]
        code, said = command(balancer, "up", label)
        assert code == 1 and "only servers" in said


def test_servers_that_are_out_stay_so_over_a_reload_a_takeover_and_a_crash(two):
    balancer = Balancer(configuration(map(named, two)), keeps_address=True)
    try:
        cookie = session_on(balancer, "one")
        assert command(balancer, "drain", "one")[0] == 0
        balancer.file.write_text(balancer.file.read_text().replace("[group.a]", "[group.a]\nthreads = 7"))
        assert balancer.admin("/reload", "POST").status == 200
        assert states(balancer) == {"one": "draining", "other": "ready"}
        balancer.take_over()
        assert states(balancer)["one"] == "draining"
        assert balancer.request(cookie=cookie).body == b"one"
        balancer.crash()
        balancer.start()
        assert states(balancer)["one"] == "draining"
        assert balancer.request(cookie=cookie).body == b"one"
        assert {balancer.request().body for _ in range(4)} == {b"other"}
        assert command(balancer, "stop", "one")[0] == 0
        balancer.crash()
        balancer.start()
        assert states(balancer)["one"] == "down"
        assert balancer.request(cookie=cookie).body == b"other"
        assert command(balancer, "up", "one")[0] == 0
        balancer.crash()
        balancer.start()
        assert states(balancer)["one"] == "ready"
    finally:
        balancer.stop()


def test_a_reload_adds_a_server_and_one_that_leaves_keeps_its_sessions(two):
    with Server("third") as third, serving(configuration(two)) as balancer:
        cookies = [session_on(balancer, name) for name in ("one", "other")]
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace(two[1].server, third.server))
        report = balancer.admin("/reload", "POST").json()
        assert report["changed"] == ["a"] and not report["removed"]
        assert [balancer.request(cookie=cookie).body for cookie in cookies] == [b"one", b"other"]
        assert {balancer.request().body for _ in range(8)} == {b"one", b"third"}
        two[1].hang_up()
        assert balancer.request(cookie=cookies[1]).status == 200
        wait_until(lambda: len(states(balancer)) == 2, what="the end of the server that left")


def test_a_named_server_keeps_its_sessions_at_another_address(two):
    with Server("one") as moved, serving(configuration(map(named, two))) as balancer:
        cookie = session_on(balancer, "one")
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace(two[0].server, moved.server))
        assert balancer.admin("/reload", "POST").status == 200
        answer = balancer.request(cookie=cookie)
        assert answer.body == b"one" and len(moved.requests) == 1
        assert balancer.group("a")["sessions"]["moved_total"] == 0


def test_servers_get_the_host_header_of_the_group(two):
    with serving(configuration(two, 'host_header = "app.internal:81"')) as balancer:
        balancer.request(headers={"Host": "shop.example.org"})
        _, fields, _ = (two[0].requests + two[1].requests)[0]
        hosts = [value for name, value in fields if name == "host"]
        assert hosts == ["app.internal:81"] and dict(fields)["x-forwarded-host"] == "shop.example.org"


def test_a_server_has_its_own_threads_and_its_queue(two):
    item = f"{{ address = {two[0].server}, threads = 3, weight = 2 }}"
    with serving(configuration([item, two[1]], "threads = 5")) as balancer:
        facts = balancer.group("a")["processes"]
        assert [(p["slots"], p["server"]["weight"]) for p in facts] == [(3, 2), (5, 1)]
        metrics = balancer.admin("/metrics").body.decode()
        assert f'mooring_process_slots{{group="a",process="127.0.0.1:{two[0].port}"' in metrics
        assert "mooring_server_weight" in metrics and "mooring_server_outages_total" in metrics
