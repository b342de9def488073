"""A group that is not in the next balancer's file: its processes stay for their sessions, and it may come back."""

import os
import re
import signal
import subprocess
import time

import pytest

from balancer import BINARY, ECHO, is_alive, serving, wait_until
from takeover import APP as TUNNELS, Tunnel, ended, replace
from test_changed_user import PROGRAM
from test_reload_and_back import (APP, assert_nothing_appears_twice, assert_they_continue as assert_all_continue, reload,
                                  removed, renamed, visitors as arriving)


def killed(balancer):
    balancer.crash()
    balancer.start()


def left(balancer):
    balancer.process.send_signal(signal.SIGUSR2)
    balancer.process.wait(20)
    balancer.process.stdout.close()
    balancer.start()


def taken_over(balancer):
    balancer.take_over()


NEXT = pytest.mark.parametrize("change_balancer", [killed, left, taken_over])
GONE = pytest.mark.parametrize("change", [renamed, removed], ids=["renamed", "removed"])


def serve(keys="", processes=2):
    text = APP.format(processes=processes).replace("[group.web]\n", f"[group.web]\n{keys}")
    return serving(text, files={"app.py": ECHO}, keeps_address=True)


def records(balancer):
    """Their texts."""
    return [file.read_text() for file in (balancer.folder / "state/processes").iterdir() if not file.name.startswith(".")]


def visitors(balancer, count):
    """As many sessions, which are known to the state directory by now."""
    found = arriving(balancer, count)

    def is_known(pid):
        return any(re.search(rf"(?m)^process {pid} ", record) and "\nin_use 1\n" in record for record in records(balancer))

    for visitor in found:
        wait_until(lambda: is_known(visitor.json()["pid"]), what="the record")
    return found


def assert_they_continue(balancer, found):
    # A loop may take the new routes a moment after the reload was answered.
    for visitor in found:
        wait_until(lambda: balancer.request(cookie=visitor.cookie).status == 200, what="the new routes")
    assert_all_continue(balancer, found)


def edit(balancer, change):
    """Changes the file alone; what it was before."""
    text = balancer.file.read_text()
    balancer.file.write_text(change(text))
    return text


def processes(balancer, group="web"):
    answer = balancer.admin(f"/stats/{group}")
    return answer.json()["processes"] if answer.status == 200 else []


def draining(balancer, group="web"):
    return {process["pid"] for process in processes(balancer, group) if process["state"] == "draining"}


@GONE
@NEXT
def test_sessions_of_a_group_that_a_reload_took_away_outlive_the_balancer(change, change_balancer):
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 4)
        before = reload(balancer, change)
        # The second time as the first.
        for _ in range(2):
            change_balancer(balancer)
            assert draining(balancer) == pids
            assert_nothing_appears_twice(balancer)
            assert balancer.request("/other").status == 200
        reload(balancer, lambda _: before)
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)
        assert set(balancer.pids("web")) == pids
        assert {balancer.request().json()["pid"] for _ in range(6)} == pids
        # They are watched again, and no process was started beside them.
        assert balancer.group("web")["spawn"]["spawned_total"] == 0


@GONE
@NEXT
def test_a_file_without_the_group_is_as_good_as_a_reload(change, change_balancer):
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 4)
        before = edit(balancer, change)
        change_balancer(balancer)
        assert draining(balancer) == pids
        assert "group web is not in the configuration any more; processes that are kept for their sessions: 2" in balancer.log
        # And a start with the file of before as good as a reload with it.
        edit(balancer, lambda _: before)
        change_balancer(balancer)
        assert set(balancer.wait_ready("web", 2)) == pids
        assert_they_continue(balancer, found)
        assert {balancer.request().json()["pid"] for _ in range(6)} == pids
        killed(balancer)
        assert set(balancer.wait_ready("web", 2)) == pids


@NEXT
def test_a_process_without_sessions_is_stopped(change_balancer):
    # After a kill or a take-over it may have got a first visitor in the last moment.
    with serve('affinity = { unconfirmed = "2s" }\n') as balancer:
        pids = set(balancer.wait_ready("web", 2))
        visitor, = visitors(balancer, 1)
        edit(balancer, renamed)
        change_balancer(balancer)
        own = visitor.json()["pid"]
        idle, = pids - {own}
        wait_until(lambda: not is_alive(idle), what="the idle one to end")
        assert own in draining(balancer)


def test_it_ends_with_its_last_session():
    with serve('affinity = { idle = "2s", unconfirmed = "1s" }\n', processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        edit(balancer, renamed)
        killed(balancer)
        assert draining(balancer) == {pid}
        wait_until(lambda: not is_alive(pid), what="the end of the session")
        wait_until(lambda: not processes(balancer), what="the group to go")
        assert balancer.admin("/stats/web").status == 404
        assert not [record for record in records(balancer) if "group web\n" in record]


def test_no_balancer_begins_the_drain_timeout_anew():
    with serve('drain_timeout = "5s"\n', processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        reload(balancer, renamed)
        began = time.monotonic()
        for _ in range(3):
            killed(balancer)
            assert draining(balancer) == {pid}
        wait_until(lambda: not is_alive(pid), what="the drain timeout")
        assert 3 < time.monotonic() - began < 8


def test_other_limits_that_a_reload_brought_are_the_ones_it_is_kept_by():
    with serve(processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        reload(balancer, lambda text: text.replace("[group.web]\n", '[group.web]\ndrain_timeout = "7s"\n'))
        wait_until(lambda: any("drain_timeout 7000000000\n" in record for record in records(balancer)), what="the record")
        edit(balancer, renamed)
        killed(balancer)
        process, = processes(balancer)
        assert process["pid"] == pid and 0 < process["drain_seconds_left"] <= 7


@NEXT
def test_cookies_of_such_a_group_begin_a_session_elsewhere_as_after_a_reload(change_balancer):
    with serve() as balancer:
        balancer.wait_ready("web", 2)
        found = visitors(balancer, 1)
        edit(balancer, renamed)
        change_balancer(balancer)
        balancer.wait_ready("web2", 2)
        answer = balancer.request(cookie=found[0].cookie)
        assert answer.json()["affinity"] == "new" and answer.json()["pid"] in balancer.pids("web2")
        wait_until(lambda: ["other_group", "pinned"] in balancer.verdicts(), what="the access log")


def test_a_new_group_of_the_name_with_another_launch_has_them_beside_its_own():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 2)
        before = reload(balancer, renamed)
        killed(balancer)
        edit(balancer, lambda _: before.replace("[group.web]\n", '[group.web]\nenv = { A = "b" }\n'))
        killed(balancer)
        wait_until(lambda: len(set(balancer.pids("web")) - pids) == 2, what="the new ones")
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)
        assert balancer.request().json()["pid"] not in pids
        assert draining(balancer) == pids


def test_a_group_of_servers_of_the_name_is_shown_as_one_with_them():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 2)
        before = edit(balancer, lambda text: re.sub(
            r'wsgi = "app.py"\n(allow_root = true\n)?processes = 2', 'servers = ["127.0.0.1:9"]', text, count=1))
        killed(balancer)
        assert_nothing_appears_twice(balancer)
        assert balancer.group("web")["kind"] == "external" and draining(balancer) == pids
        reload(balancer, lambda _: before)
        assert_nothing_appears_twice(balancer)
        assert_they_continue(balancer, found)


def test_a_change_of_the_launch_while_it_was_away_starts_a_generation_of_its_own():
    with serve() as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 2)
        before = edit(balancer, removed)
        killed(balancer)
        reload(balancer, lambda _: before.replace("[group.web]\n", '[group.web]\nenv = { A = "b" }\n'))
        wait_until(lambda: len(set(balancer.pids("web")) - pids) == 2, what="the new ones")
        assert_they_continue(balancer, found)
        assert draining(balancer) == pids


def test_groups_with_places_for_sessions_come_back_with_them():
    with serve("sessions_per_process = 2\n") as balancer:
        pids = set(balancer.wait_ready("web", 2))
        found = visitors(balancer, 4)
        wait_until(lambda: "".join(records(balancer)).count("\nsession ") == 4, what="the sessions on record")
        before = edit(balancer, renamed)
        killed(balancer)
        group = balancer.group("web")
        assert (group["sessions"]["live"], group["state"]) == (4, "stopped") and draining(balancer) == pids
        reload(balancer, lambda _: before)
        assert_they_continue(balancer, found)
        # There is no place for another one.
        assert balancer.group("web")["state"] == "full"


def test_processes_are_killed_with_the_balancer_where_on_exit_says_so():
    with serve('on_exit = "kill"\n', processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        found = visitors(balancer, 1)
        before = edit(balancer, renamed)
        taken_over(balancer)
        assert draining(balancer) == {pid}
        taken_over(balancer)
        edit(balancer, lambda _: before)
        taken_over(balancer)
        assert_they_continue(balancer, found)
        edit(balancer, renamed)
        killed(balancer)
        wait_until(lambda: not is_alive(pid), what="the guardian")
        assert not processes(balancer)


def test_they_count_among_the_processes_of_all_groups():
    with serving(APP.format(processes=1), top="max_processes = 2\n", files={"app.py": ECHO}) as balancer:
        pid, = balancer.wait_ready("web", 1)
        balancer.wait_ready("other", 1)
        visitors(balancer, 1)
        edit(balancer, renamed)
        killed(balancer)
        assert draining(balancer) == {pid} and not balancer.pids("web2")
        id, = (process["id"] for process in processes(balancer))
        assert balancer.admin(f"/processes/{id}/stop", "POST").status in (200, 202, 204)
        balancer.wait_ready("web2", 1)


def test_a_tunnel_through_the_balancer_before_lives_on_though_the_group_has_left_the_file():
    text = '[group.app]\ncommand = ["python3", "app.py"]\nprocesses = 1\nthreads = 10\n'
    with serving(text, files={"app.py": TUNNELS}, keeps_address=True) as balancer:
        balancer.wait_ready("app", 1)
        first = balancer.request("/page")
        tunnel = Tunnel(balancer, first.cookie)
        pid = tunnel.say(b"before")
        edit(balancer, lambda text: text.replace("[group.app]", "[group.new]"))
        old = replace(balancer)
        assert tunnel.say(b"after") == pid and draining(balancer, "app") == {pid}
        tunnel.close()
        assert ended(old) == 0
        assert draining(balancer, "app") == {pid}, "its session may come back"


FORGED = {
    "a timeout that is none": (r"drain_timeout \d+", "drain_timeout 99999999999999999999"),
    "more processes than there can be": (r"processes \d+ \d+", "processes 1 99999999"),
    "no slots": (r"threads \d+", "threads 0"),
    "an output that is no path": (r"on_exit adopt", "on_exit adopt\noutput x"),
}


@pytest.mark.parametrize("lie", FORGED)
def test_a_record_that_lies_about_the_group_is_told_of_and_changes_nothing(lie):
    with serve(processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        edit(balancer, renamed)
        balancer.crash()
        record, = (file for file in (balancer.folder / "state/processes").iterdir() if "group web\n" in file.read_text())
        text = record.read_text()
        forged, count = re.subn(FORGED[lie][0], FORGED[lie][1], text)
        assert count == 1
        record.write_text(forged)
        balancer.start()
        assert f"ignored {record}" in balancer.log and is_alive(pid)
        assert not processes(balancer)
        balancer.crash()
        # Mended, it is what it was.
        record.write_text(text)
        balancer.start()
        assert draining(balancer) == {pid}


def test_a_record_of_long_ago_is_kept_by_the_defaults():
    with serve(processes=1) as balancer:
        pid, = balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        edit(balancer, renamed)
        balancer.crash()
        record, = (file for file in (balancer.folder / "state/processes").iterdir() if "group web\n" in file.read_text())
        later = ("in_use ", "processes ", "threads ", "places ", "idle ", "unconfirmed_idle ", "drain_timeout ",
                 "stop_timeout ")
        lines = record.read_text().splitlines(keepends=True)
        former = [line for line in lines if not line.startswith(later)]
        assert len(lines) - len(former) == len(later)
        record.write_text("".join(former))
        balancer.start()
        process, = processes(balancer)
        assert process["pid"] == pid and 3500 < process["drain_seconds_left"] <= 3600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
@pytest.mark.parametrize("place", ["socket", "port"])
def test_processes_of_another_user_come_back_too(place):
    text = (f'[group.app]\ncommand = ["/usr/bin/python3", "app.py", "{{{place}}}"]\nuser = "nobody"\nprocesses = 1\n'
            "threads = 4\n")
    with serving(text, files={"app.py": PROGRAM}, keeps_address=True,
                 prepare=lambda folder: folder.chmod(0o755)) as balancer:
        pid, = balancer.wait_ready("app", 1)
        first = balancer.request()
        assert balancer.request(cookie=first.cookie).status == 200
        before = edit(balancer, lambda text: text.replace("[group.app]", "[group.new]"))
        killed(balancer)
        assert draining(balancer, "app") == {pid}
        reload(balancer, lambda _: before)
        wait_until(lambda: balancer.request(cookie=first.cookie).body == first.body, what="its own process")
        assert balancer.pids("app") == [pid]


def test_status_and_metrics_show_what_is_left():
    with serve(processes=1) as balancer:
        balancer.wait_ready("web", 1)
        visitors(balancer, 1)
        edit(balancer, renamed)
        killed(balancer)
        said = subprocess.run([BINARY, "status", "-c", str(balancer.file)], capture_output=True, text=True, check=True).stdout
        id, = (process["id"] for process in processes(balancer))
        assert len(re.findall(r"(?m)^web\b", said)) >= 1 and id in said, said
        assert balancer.admin("/metrics").body.decode().count('mooring_group_threads{group="web"') <= 1
        assert_nothing_appears_twice(balancer)
