"""Faults of backend processes: killed, stopped, deaf, flooding, not starting."""

import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from world import Session, descendants, is_alive, kill, wait_until

MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")


def killed_while_idle(world, random):
    """The next request of its session is answered by another process, with a fresh cookie."""
    session = random.choice(world.sessions)
    session.visit()
    gone, before = session.pid, session.cookie
    kill(gone)
    wait_until(lambda: not is_alive(gone), 3, "the process to end")
    facts = session.visit()
    assert facts["pid"] != gone and facts["affinity"] == "lost", facts
    assert session.cookie != before


def killed_in_the_middle(world, random):
    """The client sees a body that is cut off, never a clean end, and nothing is repeated."""
    session = random.choice(world.sessions)
    action = random.choice(["die-in-length", "die-in-chunk"])
    answer = session.get(action)
    assert answer.status == 0 and b"Incomplete" in answer.body, answer.body[:200]
    session.visit()


def killed_before_a_byte(world, random):
    """A GET may be tried once more on the same process, and ends no other."""
    session = Session(world)
    answer = session.get("die-before")
    assert answer.status == 502, answer.status


def post_killed_before_a_byte(world, random):
    """A POST is never repeated; `check` counts its deliveries."""
    answer = Session(world).get("die-before", method="POST", body=b"x" * 100)
    assert answer.status == 502, answer.status


def all_killed_at_once(world, random):
    """Every one is collected and what is needed comes back."""
    pids = [process["pid"] for process in world.living()]
    for pid in pids:
        kill(pid)
    # A second request to a dying process gets an error.
    wait_until(lambda: not any(map(is_alive, pids)), 3, "them to end")
    for session in [*world.sessions, world.calm]:
        session.visit()
    world.balancer.wait_ready("one", 1)


def never_starts(world, random):
    """Waiters get an error at once or at the start timeout, without the program's output."""
    how = random.choice(["exit", "hang", "crash"])
    for process in group(world, "odd")["processes"]:
        world.balancer.admin(f"/processes/{process['id']}/stop", method="POST")
    wait_until(lambda: not group(world, "odd")["processes"], 5, "odd to be empty")
    (world.balancer.folder / "odd").write_text(how)
    try:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(world.ask("/odd/page")))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15)
        statuses = [answer.status for answer in answers]
        assert len(statuses) == 3 and set(statuses) <= {200, 502, 503, 504}, statuses
        assert how == "crash" or 200 not in statuses, statuses
        assert not any(b"database" in answer.body for answer in answers)
        world.calm.visit()
    finally:
        (world.balancer.folder / "odd").unlink()
        world.balancer.admin("/groups/odd/reset", method="POST")
    wait_until(lambda: not group(world, "odd")["spawn"]["starting"], 10, "the start to be over")


def ends_after_each_request(world, random):
    """A program that dies over and over is started at growing distances; others do not notice."""
    begun = group(world, "odd")["spawn"]["spawned_total"]
    cpu = world.cpu_seconds()
    started = time.monotonic()
    while time.monotonic() - started < 1:
        answer = world.ask("/odd/last", timeout=12)
        # Cut off: it died of the request before while it answered this one.
        assert answer.status in (0, 200, 502, 503), answer.status
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1
            break
    spent, passed = world.cpu_seconds() - cpu, time.monotonic() - started
    assert spent < max(0.5, passed), f"{spent:.2f} s of CPU in {passed:.2f} s"
    assert group(world, "odd")["spawn"]["spawned_total"] - begun <= 10
    world.calm.visit()
    world.balancer.admin("/groups/odd/reset", method="POST")


def cannot_be_executed(world, random):
    """A start that fails for lack of processes or descriptors is a 503, and is tried again."""
    world.balancer.admin("/groups/odd/reset", method="POST")
    pid = world.balancer.pid
    subprocess.run(["prlimit", f"--pid={pid}", "--nofile=40:"], check=True)
    try:
        answer = world.ask("/odd/page", timeout=12)
        assert answer.status in (0, 200, 503), answer.status
    finally:
        subprocess.run(["prlimit", f"--pid={pid}", "--nofile=4096:"], check=True)
    world.balancer.admin("/groups/odd/reset", method="POST")
    wait_until(lambda: world.ask("/odd/page", timeout=12).status == 200, 12, "odd to come back")


def no_such_program(world, random):
    """A missing program: its waiters get an error at once, and the log names what is missing."""
    answer = world.ask("/missing/page")
    assert answer.status == 503 and b"no-such-program" not in answer.body, answer.body
    assert "there-is-no-such-program" in world.balancer.log
    world.balancer.admin("/groups/missing/reset", method="POST")


def stopped_by_a_signal(world, random):
    """Others do not notice; with a health check the process is replaced."""
    session = random.choice(world.sessions)
    session.visit()
    kill(session.pid, signal.SIGSTOP)
    started = time.monotonic()
    world.calm.visit()
    assert time.monotonic() - started < 1, "another group waited"
    frozen = session.pid
    wait_until(lambda: not is_alive(frozen), 10, "the frozen process to be replaced")
    session.visit()


def stopped_and_continued(world, random):
    """Late bytes of a request that was given up never reach another one."""
    session = Session(world, "/one/")
    session.visit()
    kill(session.pid, signal.SIGSTOP)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(session.get(timeout=12)))
    thread.start()
    wait_until(lambda: sum(p["in_flight"] for p in group(world, "one")["processes"]) == 1, 5,
               "the request to be with the process")
    kill(session.pid, signal.SIGCONT)
    thread.join(12)
    assert answers and answers[0].status == 200, [a.status for a in answers]
    assert answers[0].json()["session"] == session.id
    session.visit()


def backlog_full(world, random):
    """A frozen process's queue is bounded: further requests get Retry-After."""
    session = Session(world, "/one/")
    session.visit()
    kill(session.pid, signal.SIGSTOP)
    try:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(world.ask(
            "/one/page", headers={"Cookie": f"mooring={session.cookie}"}, timeout=12)))
            for _ in range(20)]
        for thread in threads:
            thread.start()
        wait_until(lambda: any(a.status == 503 for a in answers), 5, "somebody to be refused")
    finally:
        kill(session.pid, signal.SIGCONT)
    for thread in threads:
        thread.join(15)
    assert {a.status for a in answers} <= {200, 503, 504}, [a.status for a in answers]
    assert all(a.headers["Retry-After"] for a in answers if a.status == 503)


def socket_gone(world, random):
    """An unreachable process is replaced."""
    session = Session(world)
    session.visit()
    session.get("unlink")
    gone = session.pid
    wait_until(lambda: session.get().status == 200 and session.get().json()["pid"] != gone, 10,
               "the unreachable process to be replaced")
    wait_until(lambda: not is_alive(gone), 5, "it to end")


def address_used_by_another(world, random):
    """Another program at the dead process's socket never gets its session."""
    session = Session(world)
    session.visit()
    process = next(p for p in world.living() if p["pid"] == session.pid)
    path = process["address"].removeprefix("unix:")
    kill(session.pid)
    wait_until(lambda: not is_alive(session.pid), 3, "the process to end")
    thief = socket.socket(socket.AF_UNIX)
    try:
        if not os.path.exists(path):
            thief.bind(path)
            thief.listen()
        facts = session.visit()
        assert facts["pid"] != process["pid"]
    finally:
        thief.close()
        if os.path.exists(path) and not any(p["address"] == f"unix:{path}" for p in world.living()):
            os.unlink(path)


def deaf_to_termination(world, random):
    """SIGTERM ignored: SIGKILL follows."""
    session = Session(world, "/one/")
    session.visit()
    session.get("deaf")
    pid = session.pid
    label = next(p["id"] for p in world.living() if p["pid"] == pid)
    world.balancer.admin(f"/processes/{label}/stop", method="POST")
    wait_until(lambda: not is_alive(pid), 5, "the deaf process to be killed")
    world.balancer.wait_ready("one", 1)


def family(world, random):
    """Helpers and strays that left the process group end with their process."""
    session = Session(world, "/one/")
    session.visit()
    members = session.get("family").json()["family"]
    label = next(p["id"] for p in world.living() if p["pid"] == session.pid)
    world.balancer.admin(f"/processes/{label}/stop", method="POST")
    wait_until(lambda: not any(is_alive(pid) for pid in [session.pid, *members]), 6,
               f"the family {members} to end")
    world.balancer.wait_ready("one", 1)


def flood(world, random):
    """A process that floods its output is slowed down, others are not."""
    session = Session(world, "/one/")
    session.visit()
    thread = threading.Thread(target=lambda: session.get("flood", timeout=20))
    thread.start()
    for _ in range(5):
        started = time.monotonic()
        world.calm.visit()
        assert time.monotonic() - started < 1
    thread.join(20)
    assert not thread.is_alive(), "the flooding process never came to its end"


def no_memory_left(world, random):
    """A process that gets no memory, or is killed for it, is a crash like others, and logged with its cause."""
    session = Session(world, "/one/")
    before = session.visit()["pid"]
    if MEMORY_CGROUPS.is_dir() and os.access(MEMORY_CGROUPS / "cgroup.procs", os.W_OK) and random.random() < 0.5:
        cgroup = MEMORY_CGROUPS / f"mooring-faults-{os.getpid()}"
        cgroup.mkdir()
        try:
            (cgroup / "memory.limit_in_bytes").write_text(str(48 << 20))
            (cgroup / "cgroup.procs").write_text(str(session.pid))
            answer, told = session.get("eat", method="POST"), "the kernel kills for want of memory"
            wait_until(lambda: not (cgroup / "cgroup.procs").read_text(), 5, "the process to be killed")
        finally:
            wait_until(lambda: not (cgroup / "cgroup.procs").read_text(), 10)
            cgroup.rmdir()
    else:
        now = int(re.search(r"VmSize:\s+(\d+)", Path(f"/proc/{session.pid}/status").read_text()).group(1)) << 10
        resource.prlimit(session.pid, resource.RLIMIT_AS, (now + (64 << 20),) * 2)
        answer, told = session.get("eat", method="POST"), r"killed by signal 6 \(SIGABRT\)"
    assert answer.status == 502, (answer.status, answer.body[:200])
    # The exit status of another program's child is known to its parent alone.
    told = f"({told}|as an adopted process it told its status to its parent).* pid={before} "
    wait_until(lambda: re.search(told, world.balancer.log), 5, f"{told} in the log")
    world.calm.visit()
    assert session.visit()["affinity"] == "lost"


def started_in_a_storm(world, random):
    """Starts while every loop is at work: each gets as far as its program, for nothing can lock before."""
    done, failures = threading.Event(), []

    def storm():
        while not done.is_set():
            answer = world.ask("/calm/page")
            if answer.status != 200:
                failures.append((answer.status, answer.body[:100]))
            world.balancer.admin("/stats")

    threads = [threading.Thread(target=storm) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        program = os.readlink(f"/proc/{world.balancer.pid}/exe")
        for _ in range(3):
            generation = world.balancer.admin("/groups/calm/restart", method="POST").json()["generation"]
            wait_until(lambda: group(world, "calm")["generation"] == generation, 10, "the new processes")
        assert not [pid for pid in descendants(world.balancer.pid) if stuck(pid, program)]
    finally:
        done.set()
        for thread in threads:
            thread.join(10)
    assert not failures, failures[:5]


def stuck(pid, program, seconds=2):
    """Whether a child is for long what it was forked from."""
    def is_copy():
        try:
            return os.readlink(f"/proc/{pid}/exe") == program
        except OSError:
            return False
    end = time.monotonic() + seconds
    while is_copy():
        if time.monotonic() > end:
            return True
        threading.Event().wait(0.05)
    return False


def no_descriptors_inherited(world, random):
    """A child has its three streams and its socket, and nothing of anybody else's."""
    found = Session(world, "/one/").get("descriptors").json()["descriptors"]
    strange = {name: link for name, link in found.items()
               if int(name) > 2 and not link.startswith(("socket:", "/proc/"))
               and "deliveries" not in link}
    assert not strange, strange


def group(world, name):
    return world.balancer.group(name)


FAULTS = [
    killed_while_idle, killed_in_the_middle, killed_before_a_byte, post_killed_before_a_byte,
    all_killed_at_once, never_starts, ends_after_each_request, cannot_be_executed, no_such_program, stopped_by_a_signal,
    stopped_and_continued, backlog_full, socket_gone, address_used_by_another, deaf_to_termination,
    family, flood, no_memory_left, started_in_a_storm, no_descriptors_inherited,
]
