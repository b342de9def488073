"""How many processes there are: spare ones, the room of all groups together, what each is recycled for."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from balancer import BINARY, is_alive, serving, wait_until

APP = (Path(__file__).resolve().parents[1] / "Faults/app.py").read_text()
# Holds a process while it starts, until the file `go` is there. It works all the time: what only sleeps
# would not count as starting for long.
SLOW = '''
import os, time
while not os.path.exists("go"):
    time.sleep(0.0001)
''' + APP


def group(name="app", *lines, program="app.py"):
    return "\n".join([
        f"[group.{name}]", f'command = ["python3", "{program}"]', "keepalive = false", *lines, ""])


def serve(*parts, **options):
    files = {"app.py": APP, "slow.py": SLOW}
    return serving("[limits]\nspawns_per_source = 0\n" + "".join(parts), files=files, **options)


ROUTES = '[routes]\n"/" = "app"\n"/other" = "other"\n'


def processes(balancer, name="app"):
    return balancer.group(name)["processes"]


def reasons(balancer, kind, name="app"):
    return [d["reason"] for d in balancer.group(name)["decisions"] if d["kind"] == kind]


def test_a_spare_process_is_ready_before_it_is_needed_and_another_when_it_is_taken():
    with serve(group("app", "processes = { min = 1, max = 4, spare = 1 }", "threads = 1")) as balancer:
        balancer.wait_ready("app", 1)
        first = threading.Thread(target=balancer.request, args=("/hold",), kwargs={"headers": {"X-Seconds": "2"}})
        first.start()
        balancer.wait_ready("app", 2)
        assert "spare" in reasons(balancer, "spawning")
        started = time.monotonic()
        # No request waits for a start.
        assert balancer.request("/page").status == 200
        assert time.monotonic() - started < 0.5
        first.join()
        # Both have sessions now, and the next visitor's is there again.
        balancer.wait_ready("app", 3)


def test_all_groups_together_have_no_more_processes_than_allowed_and_a_group_in_need_gets_room():
    with serve(group("app", "processes = { min = 0, max = 4 }", "threads = 1", "affinity = { pin = \"never\" }"),
               group("other", "processes = { min = 0, max = 4 }", "threads = 1", "affinity = { pin = \"never\" }"),
               ROUTES, top="max_processes = 2\n") as balancer, ThreadPoolExecutor(4) as clients:
        held = [clients.submit(balancer.request, "/hold", headers={"X-Seconds": "1"}) for _ in range(4)]
        wait_until(lambda: len(balancer.pids("app")) == 2, what="as many as are allowed")
        assert {answer.result().status for answer in held} == {200}
        assert balancer.group("app")["spawn"]["spawned_total"] == 2
        # The idle one that is of least use ends for it, at once and not after its idle timeout.
        assert balancer.request("/other/page").status == 200
        assert len(processes(balancer)) + len(processes(balancer, "other")) <= 2
        assert reasons(balancer, "gone") == ["make_room"]


def test_a_process_with_a_session_never_makes_room():
    with serve(group("app", "processes = { min = 0, max = 4 }"),
               group("other", "processes = { min = 0, max = 4 }", 'queue_timeout = "500ms"'),
               ROUTES, top="max_processes = 1\n") as balancer:
        first = balancer.request("/page")
        answer = balancer.request("/other/page")
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        facts = balancer.request("/page", cookie=first.cookie).json()
        assert (facts["pid"], facts["affinity"]) == (first.json()["pid"], "kept")


def test_no_more_processes_start_at_once_than_allowed():
    with serve(group("app", "processes = 3", program="slow.py"),
               group("other", "processes = 3", program="slow.py"), ROUTES, top="spawn_concurrency = 2\n") as balancer:
        wait_until(lambda: len(processes(balancer)) + len(processes(balancer, "other")) >= 3)
        # Two are held, and the first of a group that has nothing; another would be there by the time that
        # both of these have been answered.
        for _ in range(20):
            starting = [len(processes(balancer, name)) for name in ("app", "other")]
            assert sorted(starting) == [1, 2]
        (balancer.folder / "go").touch()
        balancer.wait_ready("app", 3)
        balancer.wait_ready("other", 3)


def test_starts_that_only_sleep_hold_up_no_other_start():
    sleepy = "import socket\nsocket.create_server(('127.0.0.1', 0)).accept()\n"
    with serving("[group.app]\ncommand = [\"python3\", \"sleepy.py\"]\nprocesses = 1\nstart_timeout = \"1m\"\n"
                 "[group.other]\ncommand = [\"python3\", \"app.py\"]\nprocesses = 3\n" + ROUTES,
                 files={"app.py": APP, "sleepy.py": sleepy}, top="spawn_concurrency = 1\n") as balancer:
        start = time.monotonic()
        balancer.wait_ready("other", 3)
        # Without regard to their sleep they would count for 5 s.
        assert time.monotonic() - start < 4.5
        assert [process["state"] for process in processes(balancer)] == ["starting"]


def test_a_process_that_is_old_is_replaced_before_it_drains_and_its_session_stays():
    with serve(group("app", "processes = 1", 'max_age = "2s"', 'drain_timeout = "30s"')) as balancer:
        first = balancer.request("/page")
        old = first.json()["pid"]
        wait_until(lambda: balancer.pids("app") and balancer.pids("app") != [old], what="the replacement")
        assert reasons(balancer, "spawning") == ["min", "recycle"], reasons(balancer, "spawning")
        kinds = [(d["kind"], d["reason"]) for d in balancer.group("app")["decisions"]]
        assert kinds.index(("spawning", "recycle")) < kinds.index(("draining", "max_age")), kinds
        facts = balancer.request("/page", cookie=first.cookie).json()
        assert (facts["pid"], facts["affinity"]) == (old, "kept")
        assert balancer.request("/page").json()["pid"] != old


def test_a_process_that_has_grown_is_replaced_and_the_others_are_not():
    grower = APP.replace("    def do_deaf(self):", '''    def do_grow(self):
        global held
        held = bytearray(80 << 20)
        for place in range(0, len(held), 4096):
            held[place] = 1
        self.say(self.facts())

    def do_deaf(self):''')
    text = group("app", "processes = 2", 'max_memory = "60MiB"')
    with serving(text, files={"app.py": grower}) as balancer:
        balancer.wait_ready("app", 2)
        grown = balancer.request("/grow").json()["pid"]
        other, = set(balancer.pids("app")) - {grown}
        wait_until(lambda: grown not in balancer.pids("app") and len(balancer.pids("app")) == 2, 30, "the replacement")
        assert other in balancer.pids("app")
        assert "max_memory" in reasons(balancer, "draining"), reasons(balancer, "draining")


def test_a_request_that_runs_too_long_is_answered_504_and_only_its_process_is_replaced():
    with serve(group("app", "processes = 2", "threads = 4", 'request_timeout = "500ms"', 'drain_timeout = "1s"')) \
            as balancer:
        balancer.wait_ready("app", 2)
        first = balancer.request("/page")
        slow = first.json()["pid"]
        other, = set(balancer.pids("app")) - {slow}
        answer = balancer.request("/hold", cookie=first.cookie, headers={"X-Seconds": "20"})
        assert answer.status == 504
        wait_until(lambda: not is_alive(slow) and len(balancer.pids("app")) == 2, 15, "the replacement")
        assert other in balancer.pids("app")


def test_one_process_a_session_is_kept_over_a_crash_of_the_balancer():
    with serve(group("app", "processes = { min = 0, max = 3 }", "sessions_per_process = 1"), keeps_address=True) \
            as balancer:
        visitors = [balancer.request("/page") for _ in range(3)]
        homes = {answer.cookie: answer.json()["pid"] for answer in visitors}
        assert len(set(homes.values())) == 3
        balancer.crash()
        balancer.start()
        # Another client does not get the process, though no cookie of its owner has been seen yet.
        stranger = threading.Thread(target=lambda: strangers.append(balancer.request("/page", timeout=60)))
        strangers = []
        stranger.start()
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 1, what="the stranger to wait")
        for cookie, pid in homes.items():
            facts = balancer.request("/page", cookie=cookie).json()
            assert (facts["pid"], facts["affinity"], facts["count"]) == (pid, "kept", 2)
        assert not strangers
        label = next(p["id"] for p in processes(balancer) if p["pid"] == visitors[0].json()["pid"])
        assert balancer.admin(f"/processes/{label}/stop", method="POST").status == 202
        stranger.join(30)
        assert strangers[0].json()["pid"] not in homes.values()


def test_drain_waits_and_tells_what_is_left_until_the_last_session_has_ended():
    text = group("app", "processes = 2", 'affinity = { idle = "2s" }', 'drain_timeout = "1m"')
    with serve(text) as balancer:
        balancer.wait_ready("app", 2)
        first = balancer.request("/page")
        pid = first.json()["pid"]
        label = next(p["id"] for p in processes(balancer) if p["pid"] == pid)
        drain = subprocess.Popen(
            [BINARY, "drain", label, "--wait", "-c", str(balancer.file)], stdout=subprocess.PIPE, text=True)
        state = wait_until(lambda: next(
            (p for p in processes(balancer) if p["id"] == label and p["state"] == "draining"), None))
        assert state["sessions"] == 1 and 30 < state["drain_seconds_left"] <= 60, state
        assert balancer.request("/page", cookie=first.cookie).json()["pid"] == pid
        out = drain.communicate(timeout=30)[0]
        assert drain.returncode == 0 and "1 sessions" in out, out
        wait_until(lambda: not is_alive(pid))


def test_processes_are_adopted_by_no_more_than_one_of_two_balancers_in_a_row():
    with serve(group("app", "processes = 2"), keeps_address=True) as balancer:
        pids = set(balancer.wait_ready("app", 2))
        for _ in range(3):
            os.kill(balancer.pid, signal.SIGKILL)
            balancer.process.wait()
            balancer.process.stdout.close()
            balancer.start()
            assert set(balancer.pids("app")) == pids


def test_a_deployment_that_finds_no_room_says_so_and_changes_nothing():
    with serve(group("app", "processes = 2", 'start_timeout = "2s"'), top="max_processes = 2\n") as balancer:
        pids = balancer.wait_ready("app", 2)
        first = balancer.request("/page")
        said = subprocess.run(
            [BINARY, "restart", "app", "--wait", "-c", str(balancer.file)], capture_output=True, text=True,
            check=False, timeout=30)
        assert said.returncode == 1 and "raise max_processes" in said.stderr, said
        assert "a start waits: max_processes are running" in balancer.log
        assert balancer.pids("app") == pids
        assert balancer.request("/page", cookie=first.cookie).json()["affinity"] == "kept"
