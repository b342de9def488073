"""One balancer takes the place of another: what is open goes on, and what fails changes nothing."""

import json
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from balancer import BINARY, is_alive, serving, wait_until
from takeover import APP, CONFIGURATION, Kept, Tunnel, balancer, ended, replace  # noqa: F401


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


def replace_after_signal(balancer):
    """The old balancer is asked to leave its processes, and another one is started at once."""
    old = balancer.process
    old.send_signal(signal.SIGUSR2)
    wait_until(lambda: not balancer.listens(), 10, "the old balancer to leave")
    balancer.start()
    return old


@pytest.mark.parametrize("successor", [replace, replace_after_signal])
def test_a_session_that_the_old_balancer_serves_keeps_its_process(successor):
    """Its request lasts longer than a session without one, and than an idle process."""
    with serving(
            CONFIGURATION.format(drain="30s").replace(
                "processes = 2", 'processes = { min = 0, max = 2 }\nidle_timeout = "100ms"')
            + '[affinity]\nidle = "1s"\n',
            files={"app.py": APP}, keeps_address=True) as balancer:
        kept = Kept(balancer.address)
        cookie = kept.ask()[0].headers["Set-Cookie"].split(";")[0]
        kept.send("/hold", f"X-Seconds: 3\r\nCookie: {cookie}\r\n")
        wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 1)
        old = successor(balancer)
        response, facts = kept.answer()
        assert response.status == 200 and facts["count"] == 2, facts
        assert ended(old) == 0
        # It is no longer in use.
        wait_until(lambda: not is_alive(facts["pid"]), 10, "the process to be evicted")
        kept.close()


def test_a_session_that_is_to_last_does_so_after_a_crash_of_the_balancer():
    """The other group's process shows that the time of an ordinary session is over."""
    group = """
[group.{}]
command = ["python3", "app.py"]
processes = {{ min = 0, max = 1 }}
idle_timeout = "100ms"
keepalive = false
affinity = {{ idle = "1s" }}
"""
    routes = '[routes]\n"/" = "app"\n"/other" = "other"\n'
    with serving(
            "[limits]\n" + group.format("app") + group.format("other") + routes, files={"app.py": APP},
            keeps_address=True) as balancer:
        lasting, other = balancer.request("/stay"), balancer.request("/other/page")
        balancer.crash()
        balancer.start()
        assert is_alive(other.json()["pid"])
        wait_until(lambda: not is_alive(other.json()["pid"]), 10, "the ordinary session to end")
        facts = balancer.request("/page", cookie=lasting.cookie).json()
        assert (facts["pid"], facts["count"]) == (lasting.json()["pid"], 2)
        # What came back lasts as long again.
        later = balancer.request("/other/page").json()["pid"]
        wait_until(lambda: not is_alive(later), 10, "the second ordinary session to end")
        assert is_alive(lasting.json()["pid"])


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


def test_an_admin_api_on_a_port_goes_over_while_the_old_balancer_has_something_to_do():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    admin = f'[admin]\naddress = "127.0.0.1:{port}"\ntoken_file = "token"\n'
    token = "0123456789abcdef"

    def stats():
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/stats", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    with serving(
            CONFIGURATION.format(drain="30s") + admin, files={"app.py": APP, "token": token},
            prepare=lambda folder: (folder / "token").chmod(0o600), keeps_address=True) as balancer:
        kept = Kept(balancer.address)
        kept.send("/hold", "X-Seconds: 1\r\n")
        wait_until(lambda: sum(p["in_flight"] for p in stats()["groups"][0]["processes"]) == 1)
        with socket.create_connection(("127.0.0.1", port), 5):
            old = replace(balancer)
            assert stats()["requests"]["active"] == 0, "the old balancer answers"
        assert kept.answer()[0].status == 200
        assert ended(old) == 0
        assert "the admin API has ended" not in balancer.log
        kept.close()


def test_a_successor_whose_admin_address_is_taken_changes_nothing(balancer):
    session = balancer.request("/page")
    good = balancer.file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (balancer.folder / "token").write_text("0123456789abcdef")
        (balancer.folder / "token").chmod(0o600)
        port = taken.getsockname()[1]
        balancer.file.write_text(
            f'{good}\n[admin]\naddress = "127.0.0.1:{port}"\ntoken_file = "token"\n')
        said = fails(balancer)
    balancer.file.write_text(good)
    assert said.returncode == 1 and "set [admin] address to a free one" in said.stderr, said
    assert balancer.request("/page", cookie=session.cookie).json()["affinity"] == "kept"
    assert balancer.process.poll() is None


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
    for words in (b"takeover 1", b"takeover", b"nonsense", b"x" * 70_000, b""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(5)
            client.connect(str(control))
            client.send(words)
            if words == b"takeover 1":
                assert client.recv(64).startswith(b"sockets"), "the sockets are on their way"
    assert balancer.request("/page", cookie=session.cookie).json()["affinity"] == "kept"
    assert ended(replace(balancer)) == 0
