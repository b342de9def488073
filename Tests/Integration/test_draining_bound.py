"""Recycling under traffic without cookies: processes on their way out are bounded."""

import threading

from balancer import ECHO, serving, wait_until

APP = """
[group.app]
wsgi = "app.py"
processes = {{ min = 2, max = 2 }}
threads = 4
max_requests = 20
{more}
[routes]
"/" = "app"
"""


def flood(balancer, until):
    """Robots that keep no cookie, until the condition holds: the most processes that there were."""
    most, done, statuses = 0, threading.Event(), []

    def robot():
        while not done.is_set():
            statuses.append(balancer.request("/").status)

    robots = [threading.Thread(target=robot) for _ in range(4)]
    for thread in robots:
        thread.start()
    try:
        def look():
            nonlocal most
            most = max(most, len(balancer.group("app")["processes"]))
            return until()

        wait_until(look, 60, "the flood's end")
    finally:
        done.set()
        for thread in robots:
            thread.join()
    assert set(statuses) == {200}
    return most


def test_robots_leave_no_more_processes_behind_than_may_drain():
    with serving(APP.format(more=""), files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        # Two serve, one stands in, two drain; and they are recycled all the same.
        most = flood(balancer, lambda: balancer.group("app")["spawn"]["spawned_total"] >= 9)
        assert most <= 5
        assert "recycling waits for processes that drain" in balancer.log


def test_a_confirmed_session_stays_on_its_draining_process_during_a_flood():
    with serving(APP.format(more="draining_max = 1"), files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        first = balancer.request("/")
        user = {"pid": first.json()["pid"], "cookie": first.cookie}

        def recycled():
            answer = balancer.request("/", cookie=user["cookie"])
            user["cookie"] = answer.cookie or user["cookie"]
            assert answer.json()["pid"] == user["pid"] and answer.json()["affinity"] == "kept"
            draining = balancer.pids("app", "draining")
            return draining == [user["pid"]] and len(balancer.group("app")["processes"]) == 3

        assert flood(balancer, recycled) <= 4
        assert balancer.request("/", cookie=user["cookie"]).json()["pid"] == user["pid"]
