"""Sessions whose cookie never comes back: they last shortly, and give their place to those who wait."""

import re
import time

from balancer import ECHO, serving, wait_until

APP = """
[group.app]
wsgi = "app.py"
processes = {processes}
threads = 4
{more}
[routes]
"/" = "app"
"""


def serve(more="", processes="1"):
    return serving(APP.format(processes=processes, more=more), files={"app.py": ECHO})


def test_a_session_that_never_sends_its_cookie_ends_after_unconfirmed():
    with serve('affinity = { unconfirmed = "1s" }\nidle_timeout = "1s"', "{ min = 0, max = 1 }") as balancer:
        first = balancer.request("/")
        sessions = balancer.group("app")["sessions"]
        assert (sessions["live"], sessions["unconfirmed"]) == (1, 1)
        wait_until(lambda: balancer.group("app")["sessions"]["live"] == 0, 5, "the session's end")
        wait_until(lambda: not balancer.group("app")["processes"], 5, "the process's end")
        assert first.cookie


def test_a_session_whose_cookie_came_back_lasts_for_idle():
    with serve('affinity = { unconfirmed = "1s" }\nidle_timeout = "1s"', "{ min = 0, max = 1 }") as balancer:
        first = balancer.request("/")
        assert balancer.request("/", cookie=first.cookie).json()["session"] == first.json()["session"]
        assert balancer.group("app")["sessions"]["unconfirmed"] == 0
        ended = time.monotonic() + 3.5
        while time.monotonic() < ended:
            sessions = balancer.group("app")["sessions"]
            assert sessions["live"] == 1 and len(balancer.pids("app")) == 1
            time.sleep(0.1)


def test_a_waiting_visitor_gets_the_place_of_a_session_that_was_never_confirmed():
    with serve("sessions_per_process = 1", "2") as balancer:
        balancer.wait_ready("app", 2)
        kept = balancer.request("/")
        assert balancer.request("/", cookie=kept.cookie).json()["session"] == kept.json()["session"]
        robot = balancer.request("/")
        began = time.monotonic()
        visitor = balancer.request("/")
        assert visitor.status == 200 and 8 <= time.monotonic() - began <= 13
        assert visitor.json()["pid"] == robot.json()["pid"]
        assert balancer.group("app")["sessions"]["given_way_total"] == 1
        assert balancer.request("/", cookie=kept.cookie).json()["count"] == 3


def test_a_session_that_was_never_confirmed_is_so_for_the_next_balancer_too():
    with serve("sessions_per_process = 1", "2") as balancer:
        balancer.wait_ready("app", 2)
        kept = balancer.request("/")
        balancer.request("/", cookie=kept.cookie)
        robot = balancer.request("/")
        records = balancer.folder / "state/processes"
        wait_until(
            lambda: sorted(word for record in records.iterdir()
                           for word in re.findall(r"^(session|unconfirmed) ", record.read_text(), re.M))
            == ["session", "unconfirmed"], what="the records")
        balancer.crash()
        balancer.start()
        sessions = balancer.group("app")["sessions"]
        assert (sessions["live"], sessions["unconfirmed"]) == (2, 1)
        visitor = balancer.request("/")
        assert visitor.status == 200 and visitor.json()["pid"] == robot.json()["pid"]
        assert balancer.request("/", cookie=kept.cookie).json()["session"] == kept.json()["session"]
