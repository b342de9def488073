"""One session for each user whom a trusted proxy names (`by = "header:NAME"`)."""

import os
import signal

import pytest

from balancer import ECHO, serving, wait_until

FILES = {"app.wsgi": ECHO}
GROUP = """[group.app]
wsgi = "app.wsgi"
processes = 3
affinity = { by = "header:X-Auth-User" }
"""
TRUSTING = 'trusted_proxies = ["127.0.0.1"]\n'
USERS = ["ann", "bob", "cem"]


def ask(balancer, user, cookie=None):
    answer = balancer.request("/", headers={"X-Auth-User": user} if user else {}, cookie=cookie)
    return answer.json() | {"set": answer.cookie}


@pytest.fixture(scope="module")
def balancer():
    with serving(TRUSTING + GROUP, files=FILES) as balancer:
        balancer.wait_ready("app", 3)
        yield balancer


def test_a_user_has_one_process_whatever_the_browser(balancer):
    first = {user: ask(balancer, user) for user in USERS}
    assert len({facts["pid"] for facts in first.values()}) == 3
    assert len({facts["session"] for facts in first.values()}) == 3
    for count in (2, 3):
        for user in USERS:
            facts = ask(balancer, user)
            assert (facts["pid"], facts["session"], facts["count"]) == (first[user]["pid"], first[user]["session"], count)


def test_the_log_does_not_name_the_user(balancer):
    ask(balancer, "secret-name")
    wait_until(lambda: ["none", "pinned"] in balancer.verdicts())
    assert "secret-name" not in balancer.log
    state = b"".join(file.read_bytes() for file in (balancer.folder / "state").rglob("*") if file.is_file())
    assert b"secret-name" not in state


def test_a_browser_with_another_users_cookie_is_nobody_elses(balancer):
    ann = ask(balancer, "dora")
    bob = ask(balancer, "eve", cookie=ann["set"])
    assert bob["session"] != ann["session"]
    nobody = ask(balancer, None, cookie=ann["set"])
    assert nobody["session"] not in (ann["session"], bob["session"])


def test_the_field_of_a_stranger_is_dropped():
    echo = ECHO.replace('"affinity":', '"user": environ.get("HTTP_X_AUTH_USER", ""), "affinity":')
    with serving(GROUP, files={"app.wsgi": echo}) as balancer:
        balancer.wait_ready("app", 3)
        visits = [ask(balancer, "ann") for _ in range(2)]
        assert visits[0]["session"] != visits[1]["session"]
        assert [facts["user"] for facts in visits] == ["", ""]
        underscored = balancer.request("/", headers={"X_Auth_User": "ann"}).json()
        assert underscored["user"] == ""
        assert "no listener trusts a proxy" in balancer.log


def test_users_keep_their_process_over_a_kill_a_take_over_and_a_new_key():
    with serving(TRUSTING + GROUP, files=FILES, keeps_address=True) as balancer:
        balancer.wait_ready("app", 3)
        first = {user: ask(balancer, user) for user in USERS}
        record = balancer.folder / "state"
        wait_until(lambda: all(
            any(first[user]["session"] in text for text in texts(record)) for user in USERS))

        def go_on():
            for user in USERS:
                facts = ask(balancer, user)
                assert (facts["pid"], facts["affinity"]) == (first[user]["pid"], "kept")
        balancer.crash()
        balancer.start()
        go_on()
        balancer.take_over()
        go_on()
        keys = record / "session.keys"
        lines = keys.read_text().splitlines()
        at = next(index for index, line in enumerate(lines) if not line.startswith("#"))
        keys.write_text("\n".join([*lines[:at], f"77 {'ab' * 32}", *lines[at:]]) + "\n")
        balancer.file.write_text(balancer.file.read_text() + "queue = 77\n")
        os.kill(balancer.pid, signal.SIGHUP)
        wait_until(lambda: balancer.group("app")["queue"]["limit"] == 77)
        go_on()


def test_a_user_whose_process_is_gone_begins_anew():
    text = TRUSTING + GROUP.replace("{ by", '{ on_lost = "refuse", by')
    with serving(text, files=FILES) as balancer:
        balancer.wait_ready("app", 3)
        first = ask(balancer, "ann")
        os.kill(first["pid"], signal.SIGKILL)
        wait_until(lambda: first["pid"] not in (pids := balancer.pids("app")) and len(pids) == 3)
        assert balancer.request("/", headers={"X-Auth-User": "ann"}).status == 503
        again = ask(balancer, "ann")
        assert again["affinity"] == "new"
        assert ask(balancer, "ann")["pid"] == again["pid"]


def test_each_user_has_a_process_for_themselves():
    text = TRUSTING + GROUP.replace("processes = 3", "processes = { min = 0, max = 4 }\nsessions_per_process = 1")
    with serving(text, files=FILES) as balancer:
        pids = [ask(balancer, user)["pid"] for user in USERS * 2]
        assert pids[:3] == pids[3:] and len(set(pids)) == 3


def texts(folder):
    return [file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()]
