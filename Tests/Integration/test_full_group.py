"""A group that has no session place left reports it: `full`, in `/stats`, `/metrics` and `mooring status`."""

import subprocess

from balancer import BINARY, ECHO, serving, wait_until

APP = """
[group.app]
wsgi = "app.py"
server = "waitress"
processes = {processes}
threads = 4
sessions_per_process = {places}
queue_timeout = "1s"
[group.free]
wsgi = "app.py"
[routes]
"/" = "app"
"/free" = "free"
"""


def serve(processes="2", places=1):
    return serving(APP.format(processes=processes, places=places), files={"app.py": ECHO})


def states(balancer):
    """As /stats, /metrics and `status` say them."""
    metrics = [line for line in balancer.admin("/metrics").body.decode().splitlines()
               if line.startswith("mooring_group_state{") and 'group="app"' in line and line.endswith(" 1")]
    assert len(metrics) == 1, metrics
    table = subprocess.run(
        [BINARY, "status", "-c", str(balancer.file)], capture_output=True, text=True, check=True, timeout=20).stdout
    line = next(line for line in table.splitlines() if line.startswith("app: "))
    return balancer.group("app")["state"], metrics[0].split('state="')[1].split('"')[0], line.split()[1].rstrip(",")


def test_it_is_full_when_the_last_place_is_taken_and_not_before():
    with serve(places=2) as balancer:
        balancer.wait_ready("app", 2)
        for _ in range(3):
            balancer.request()
            assert states(balancer) == ("ok", "ok", "ok")
        balancer.request()
        assert states(balancer) == ("full", "full", "full")
        assert balancer.group("free")["state"] == "ok"
        assert balancer.request().status == 503


def test_it_is_not_full_as_long_as_it_may_start_another_process():
    with serve("{ min = 0, max = 2 }") as balancer:
        balancer.request()
        assert states(balancer)[0] == "ok"
        balancer.request()
        assert states(balancer)[0] == "full"


def test_a_place_that_is_free_again_ends_it():
    with serve("1") as balancer:
        balancer.wait_ready("app", 1)
        first = balancer.request()
        assert states(balancer)[0] == "full"
        # A confirmed session does not give way; its process's end frees the place.
        balancer.request(cookie=first.cookie)
        process = balancer.group("app")["processes"][0]
        balancer.admin(f"/processes/{process['id']}/stop", "POST")
        wait_until(lambda: states(balancer)[0] == "ok", what="the place")


def test_a_group_without_places_of_its_own_is_never_full():
    with serve() as balancer:
        for _ in range(5):
            balancer.request("/free")
        assert balancer.group("free")["state"] == "ok"
