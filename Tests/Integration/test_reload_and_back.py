"""A group that leaves the configuration and comes back takes up its old processes and sessions."""

import collections
import os
import re
import signal

import pytest

from balancer import ECHO, serving, wait_until

APP = """
[group.web]
wsgi = "app.py"
processes = {processes}
threads = 4
[group.other]
wsgi = "app.py"
[routes]
"/" = "web"
"/other" = "other"
"""
WITHOUT = '[group.other]\nwsgi = "app.py"\n[routes]\n"/other" = "other"\n'


def serve(processes=2):
    return serving(APP.format(processes=processes), files={"app.py": ECHO})


def reload(balancer, change):
    """Reloads the file, changed by `change`; when this returns it is in effect."""
    text = balancer.file.read_text()
    balancer.file.write_text(change(text))
    answer = balancer.admin("/reload", "POST")
    assert answer.status == 200, answer.body
    return text


def renamed(text):
    return text.replace("[group.web]", "[group.web2]").replace('"/" = "web"', '"/" = "web2"')


def removed(text):
    return text[:text.index("[group.web]")] + WITHOUT.replace('"app.py"', '"app.py"\nallow_root = true')


def visitors(balancer, count):
    """As many sessions, spread over the processes; their cookies have come back."""
    found = []
    for _ in range(count):
        first = balancer.request()
        assert balancer.request(cookie=first.cookie).json()["count"] == 2
        found.append(first)
    return found


def assert_nothing_appears_twice(balancer):
    names = [group["name"] for group in balancer.admin("/stats").json()["groups"]]
    assert len(names) == len(set(names)), names
    lines = balancer.admin("/metrics").body.decode().splitlines()
    series = [line.rpartition(" ")[0] for line in lines if line and not line.startswith("#")]
    twice = [line for line, count in collections.Counter(series).items() if count > 1]
    assert not twice, twice


def assert_they_continue(balancer, found):
    for visitor in found:
        answer = balancer.request(cookie=visitor.cookie)
        assert (answer.status, answer.json()["affinity"]) == (200, "kept")
        assert answer.json()["pid"] == visitor.json()["pid"]
        assert answer.json()["session"] == visitor.json()["session"]


@pytest.mark.parametrize("change", [renamed, removed], ids=["renamed", "removed"])
def test_a_group_that_comes_back_has_its_processes_and_sessions(change):
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 4)
        before = reload(balancer, change)
        assert_nothing_appears_twice(balancer)
        assert balancer.request("/other").status == 200
        reload(balancer, lambda _: before)
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)
        assert set(balancer.pids("web")) == pids
        # They take new sessions too, and no process was started beside them.
        assert {balancer.request().json()["pid"] for _ in range(6)} == pids
        assert balancer.group("web")["spawn"]["spawned_total"] == 2


def test_it_does_so_again_and_again():
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        found = visitors(balancer, 2)
        for _ in range(6):
            before = reload(balancer, renamed)
            assert_nothing_appears_twice(balancer)
            reload(balancer, lambda _: before)
            assert_nothing_appears_twice(balancer)
            assert_they_continue(balancer, found)


def test_other_limits_are_taken_over_and_the_processes_stay():
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        found = visitors(balancer, 2)
        before = reload(balancer, removed)
        reload(balancer, lambda _: before.replace("[group.web]\n", '[group.web]\nqueue = 7\nidle_timeout = "9s"\n')
               .replace("processes = 2", "processes = 3"))
        balancer.wait_ready("web", 3)
        assert balancer.group("web")["queue"]["limit"] == 7
        assert_they_continue(balancer, found)


def test_sessions_continue_on_the_old_processes_when_the_launch_is_another():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 2)
        before = reload(balancer, removed)
        reload(balancer, lambda _: before.replace("[group.web]\n", '[group.web]\nenv = { A = "b" }\n'))
        wait_until(lambda: len(set(balancer.pids("web")) - pids) == 2, what="the new processes")
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)
        assert balancer.request().json()["pid"] not in pids


def test_processes_that_came_back_are_adopted_by_the_next_balancer():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 4)
        before = reload(balancer, renamed)
        reload(balancer, lambda _: before)
        records = balancer.folder / "state/processes"
        wait_until(
            lambda: not any("draining" in record.read_text() for record in records.iterdir()
                            if re.search(r"(?m)^group web$", record.read_text())), what="the records")
        balancer.crash()
        balancer.start()
        assert set(balancer.wait_ready("web", 2)) == pids
        assert_they_continue(balancer, found)
        assert {balancer.request().json()["pid"] for _ in range(6)} == pids


def test_a_group_of_another_kind_does_not_appear_beside_the_one_before():
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        found = visitors(balancer, 2)
        before = reload(balancer, lambda text: re.sub(
            r'wsgi = "app.py"\n(allow_root = true\n)?processes = 2', 'servers = ["127.0.0.1:9"]', text, count=1))
        assert_nothing_appears_twice(balancer)
        web = balancer.group("web")
        assert web["kind"] == "external" and web["sessions"]["live"] == 2
        assert {process["state"] for process in web["processes"]} == {"ready", "draining"}
        reload(balancer, lambda _: before)
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)


def test_a_signal_brings_it_back_too():
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        found = visitors(balancer, 2)
        text = balancer.file.read_text()
        for version, path, status in ((removed(text), "/", 404), (text, "/", 200)):
            balancer.file.write_text(version)
            os.kill(balancer.pid, signal.SIGHUP)
            wait_until(lambda: balancer.request(path).status == status, what="the reload")
        assert_they_continue(balancer, found)


def test_a_reload_that_failed_keeps_no_group_from_coming_back():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 2)
        before = reload(balancer, removed)
        # An address that cannot be listened on: nothing is changed, the new group included.
        listen = '[[listen]]\naddress = "203.0.113.1:80"\n'
        third = before.replace("[routes]", '[group.third]\nwsgi = "app.py"\nallow_root = true\n[routes]\n"/third" = "third"')
        balancer.file.write_text(third.replace("[[listen]]", listen + "[[listen]]", 1))
        for _ in range(2):
            assert balancer.admin("/reload", "POST").status == 422
            assert balancer.request().status == 404
            assert_nothing_appears_twice(balancer)
        reload(balancer, lambda _: third)
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)
        assert set(balancer.pids("web")) == pids
        balancer.wait_ready("third", 1)
        assert balancer.request("/third").status == 200
        assert balancer.group("third")["spawn"]["spawned_total"] == 1


def test_a_group_added_after_a_reload_that_failed_is_served():
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        text = balancer.file.read_text()
        listen = '[[listen]]\naddress = "203.0.113.1:80"\n'

        def with_group(name):
            return text.replace(
                "[routes]", f'[group.{name}]\nwsgi = "app.py"\nallow_root = true\n[routes]\n"/{name}" = "{name}"')

        balancer.file.write_text(with_group("third").replace("[[listen]]", listen + "[[listen]]", 1))
        assert balancer.admin("/reload", "POST").status == 422
        reload(balancer, lambda _: with_group("fourth"))
        balancer.wait_ready("fourth", 1)
        assert balancer.request("/fourth").status == 200
        assert balancer.request("/other").status == 200
        assert_nothing_appears_twice(balancer)


def test_a_request_after_a_reload_is_not_routed_to_a_group_that_has_left():
    with serve(1) as balancer:
        balancer.wait_ready("web", 1)
        original = balancer.file.read_text()
        for _ in range(20):
            reload(balancer, renamed)
            assert [balancer.request().status for _ in range(8)] == [200] * 8
            reload(balancer, lambda _: original)
            assert [balancer.request().status for _ in range(8)] == [200] * 8
