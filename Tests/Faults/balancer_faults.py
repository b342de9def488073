"""Faults of the balancer and of what it stands on: killed, replaced, reloaded, disks, clocks."""

import errno
import os
import re
import signal
import threading

from world import Session, is_alive, wait_until


def killed_and_started_again(world, random):
    """Every process is taken over as it is; no session notices."""
    pids = {p["pid"] for p in world.living() if p["state"] == "ready"}
    for session in world.sessions:
        session.visit()
    world.balancer.crash()
    assert all(is_alive(pid) for pid in pids)
    world.balancer.start()
    for session in [*world.sessions, world.calm]:
        session.visit()
    ours = {p["pid"] for p in world.living()}
    assert all(pid in ours for pid in pids if is_alive(pid)), (pids, ours)


def taken_over(world, random):
    """A successor takes over while requests are under way: none fails."""
    failures, done = [], threading.Event()

    def load():
        while not done.is_set():
            answer = world.ask("/calm/page")
            if answer.status != 200:
                failures.append((answer.status, answer.body[:100]))
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        world.balancer.take_over()
    finally:
        done.set()
        for thread in threads:
            thread.join(10)
    assert not failures, failures[:5]
    for session in [*world.sessions, world.calm]:
        session.visit()


def reloaded(world, random):
    """A reload under load: no failed request, every pin stays."""
    answer = world.balancer.admin("/reload", method="POST")
    assert answer.status == 200, answer.body
    for session in world.sessions:
        session.visit()


def reloaded_with_a_mistake(world, random):
    """An invalid file changes nothing and is reported."""
    good = world.balancer.file.read_text()
    world.balancer.file.write_text(good.replace("threads = 4", "thraeds = 4"))
    try:
        answer = world.balancer.admin("/reload", method="POST")
    finally:
        world.balancer.file.write_text(good)
    assert answer.status == 422 and b"thraeds" in answer.body, (answer.status, answer.body)
    world.calm.visit()


def group_taken_away_and_back(world, random):
    """A removed group's route is gone, its processes end; it can come back."""
    good = world.balancer.file.read_text()
    start = good.index("[group.one]")
    shorter = good[:start] + good[good.index("[routes]"):].replace('"/one" = "one"\n', "")
    pids = world.balancer.pids("one")
    world.balancer.file.write_text(shorter)
    try:
        assert world.balancer.admin("/reload", method="POST").status == 200
        wait_until(lambda: not any(is_alive(pid) for pid in pids), 10, "the group to end")
    finally:
        world.balancer.file.write_text(good)
        assert world.balancer.admin("/reload", method="POST").status == 200
    world.balancer.wait_ready("one", 1)


def deployed(world, random):
    """A new generation beside the old: sessions stay, new ones go to the new one."""
    for session in world.sessions:
        session.visit()
    old = {p["pid"] for p in world.living()}
    generation = world.balancer.admin("/groups/app/restart", method="POST").json()["generation"]
    wait_until(lambda: world.balancer.group("app")["generation"] == generation, 10, "the rollout")
    assert Session(world).visit()["pid"] not in old
    for session in world.sessions:
        session.visit()


def drained(world, random):
    """A draining process keeps its sessions and gets no others."""
    session = Session(world)
    session.visit()
    label = next(p["id"] for p in world.living() if p["pid"] == session.pid)
    answer = world.balancer.admin(f"/processes/{label}/drain", method="POST")
    assert answer.status == 202, answer.body
    for _ in range(3):
        assert Session(world).visit()["pid"] != session.pid
    # Its time may be up meanwhile; then the session learns of the loss.
    facts = session.get().json()
    assert facts["pid"] == session.pid or facts["affinity"] == "lost", facts


def scaled(world, random):
    """More and fewer processes; the surplus goes when its sessions have."""
    for bounds in [{"min": 2, "max": 4}, {"min": 1, "max": 4}]:
        answer = world.balancer.admin("/groups/app/scale", method="POST", body=bounds)
        assert answer.status == 202, answer.body
    wait_until(lambda: world.balancer.group("app")["state"] == "ok", 10, "the group to be well")


def log_reopened(world, random):
    """SIGUSR1 in the middle of traffic loses nothing."""
    thread = threading.Thread(target=world.calm.visit)
    thread.start()
    os.kill(world.balancer.pid, signal.SIGUSR1)
    thread.join(10)


def log_disk_full(world, random):
    """Lines that the full disk of the access log does not take are counted; serving goes on."""
    world.calm.visit()
    wait_until(lambda: int(re.search(r"(?m)^mooring_access_log_dropped_total (\d+)$",
                                     world.metrics).group(1)) > 0, 5, "the lines to be counted")
    world.calm.visit()


def state_folder_read_only(world, random):
    """No state can be written: that is logged, and serving continues."""
    state = world.balancer.folder / "state"
    hidden = world.balancer.folder / "state-hidden"
    state.rename(hidden)
    try:
        told = len(world.balancer.log)
        state.write_text("not a folder")
        world.balancer.admin("/groups/one/restart", method="POST")
        wait_until(lambda: "state directory cannot be written" in world.balancer.log[told:], 5,
                   "it to be said")
        world.calm.visit()
    finally:
        state.unlink()
        hidden.rename(state)
    world.balancer.wait_ready("one", 1)
    # What could not be recorded is recorded as soon as it can be.
    wait_until(lambda: {p["id"] for p in world.living() if p["state"] == "ready"}
               <= {file.name for file in (state / "processes").iterdir()}, 5, "the records")


def state_disk_full(world, random):
    """What cannot be recorded is served, and recorded as soon as there is room."""
    told = len(world.balancer.log)
    with world.scarcity.of(write_errno=errno.ENOSPC):
        world.balancer.admin("/groups/one/restart", method="POST")
        wait_until(lambda: "state directory cannot be written: No space" in world.balancer.log[told:],
                   5, "it to be said")
        for session in [*world.sessions, world.calm]:
            session.visit()
    records = world.balancer.folder / "state" / "processes"
    world.balancer.wait_ready("one", 1)
    wait_until(lambda: {p["id"] for p in world.living() if p["state"] == "ready"}
               <= {file.name for file in records.iterdir()}, 10, "the records")
    assert all(file.stat().st_size for file in records.iterdir()), "half a record"


def clock_set(world, random):
    """A wall clock that jumps by days moves no session and ends nothing early or late."""
    for session in world.sessions:
        session.visit()
    with world.scarcity.of(clock_offset=random.choice([-2, -1, 1, 2]) * 86_400):
        # `visit` checks that a living process keeps its sessions, with their state.
        for session in [*world.sessions, world.calm]:
            session.visit()
        fresh = Session(world)
        fresh.visit()
    fresh.visit()


def no_process_to_be_had(world, random):
    """For lack of processes or memory nothing is started: a 503 for who needs it, and later it is."""
    for process in world.balancer.group("odd")["processes"]:
        world.balancer.admin(f"/processes/{process['id']}/stop", method="POST")
    wait_until(lambda: not world.balancer.group("odd")["processes"], 5, "odd to be empty")
    with world.scarcity.of(clone_errno=random.choice([errno.EAGAIN, errno.ENOMEM])):
        answer = world.ask("/odd/page")
        assert answer.status == 503, answer.status
        for session in world.sessions:
            session.visit()
    world.balancer.admin("/groups/odd/reset", method="POST")
    wait_until(lambda: world.ask("/odd/page", timeout=12).status == 200, 12, "odd to come back")


def no_socket_to_be_had(world, random):
    """No connection to a process for lack of descriptors: a 503, and no session loses the process."""
    for session in world.sessions:
        session.visit()
    pids = world.balancer.pids("calm")
    with world.scarcity.of(socket_errno=random.choice([errno.EMFILE, errno.ENOBUFS])):
        for _ in range(3):
            answer = world.ask("/calm/page")
            assert answer.status == 503, answer.status
    assert world.balancer.pids("calm") == pids


FAULTS = [
    killed_and_started_again, taken_over, reloaded, reloaded_with_a_mistake,
    group_taken_away_and_back, deployed, drained, scaled, log_reopened, log_disk_full,
    state_folder_read_only, state_disk_full, clock_set, no_process_to_be_had, no_socket_to_be_had,
]
