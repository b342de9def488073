"""`processes = { min, max }`: visitors fill the permanent processes evenly, before they all click at once."""

import collections
import threading

from balancer import ECHO, serving, wait_until


def click(balancer, cookies):
    """All at once; the answers."""
    answers = [None] * len(cookies)

    def ask(number):
        answers[number] = balancer.request(cookie=cookies[number])

    clicks = [threading.Thread(target=ask, args=(number,)) for number in range(len(cookies))]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    return answers


def test_sixty_visitors_one_after_another_can_all_click_at_once():
    group = '[group.app]\nwsgi = "app.py"\nprocesses = { min = 2, max = 4 }\n'
    with serving(group, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        visits = [balancer.request() for _ in range(60)]
        homes = [visit.json()["pid"] for visit in visits]
        assert sorted(collections.Counter(homes).values()) == [30, 30]
        answers = click(balancer, [visit.cookie for visit in visits])
        assert [answer.status for answer in answers] == [200] * 60
        assert [answer.json()["pid"] for answer in answers] == homes


def test_the_next_process_starts_before_the_session_places_run_out():
    group = '[group.app]\nwsgi = "app.py"\nprocesses = { min = 1, max = 2 }\nsessions_per_process = 5\n'
    with serving(group, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        for _ in range(4):
            assert balancer.request().status == 200
        balancer.wait_ready("app", 2)
        wait_until(lambda: len(balancer.group("app")["processes"]) == 2)
        assert balancer.group("app")["processes"][1]["reason"] == "sessions"


def test_readyz_is_ready_only_while_a_new_session_would_be_placed_at_once():
    with serving('[group.app]\nwsgi = "app.py"\nthreads = 1\n', files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        assert balancer.admin("/readyz").status == 200
        slow = threading.Thread(target=balancer.request, args=("/slow",))
        slow.start()
        busy = wait_until(
            lambda: (answer := balancer.admin("/readyz")).status == 503 and answer, what="a busy group")
        assert b"group app: its processes have no free slot" in busy.body
        slow.join()
        wait_until(lambda: balancer.admin("/readyz").status == 200, what="a free slot")
