"""slowhttptest in its four modes with a thousand connections: the others do not notice."""

import shutil
import subprocess
import time

import pytest

from balancer import ECHO, Balancer

pytestmark = pytest.mark.alone
MODES = {"head": ["-H", "-i", "1"], "body": ["-B", "-i", "1", "-s", "8192"],
         "range": ["-R", "-a", "1", "-b", "200"],
         "read": ["-X", "-w", "1", "-y", "2", "-n", "1", "-z", "8", "-k", "2"]}


@pytest.fixture(scope="module")
def balancer():
    balancer = Balancer(
        '[timeouts]\nheader = "5s"\n[limits]\nspawns_per_source = 0\n[group.app]\n'
        'wsgi = "echo.py"\nprocesses = 2\nthreads = 10\nqueue = 2000\n', files={"echo.py": ECHO})
    try:
        balancer.wait_ready("app", 2)
        yield balancer
    finally:
        balancer.stop()


def latency(balancer, seconds):
    """The 99th percentile of a visitor's requests within the time."""
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 200:
        started = time.monotonic()
        assert balancer.request().status == 200
        times.append(time.monotonic() - started)
    return sorted(times)[int(len(times) * 0.99)]


@pytest.mark.skipif(not shutil.which("slowhttptest"), reason="there is no slowhttptest here")
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_slow_connections_do_not_slow_the_others(balancer, mode):
    host, port = balancer.address
    idle = latency(balancer, 1)
    attack = subprocess.Popen(
        ["slowhttptest", *MODES[mode], "-c", "1000", "-r", "1000", "-l", "8", "-p", "30",
         "-u", f"http://{host}:{port}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # Requests for a thousand ranges are answered at once; the others hold their connections.
        while mode != "range" and balancer.admin("/stats").json()["connections"]["active"] < 300:
            assert attack.poll() is None, "the attack is over before it has begun"
        attacked = latency(balancer, 4)
    finally:
        attack.terminate()
        attack.wait(30)
    # Below some milliseconds it is this machine's own noise that is measured.
    assert attacked < max(2 * idle, 0.02), f"{mode}: {attacked * 1000:.1f} ms, {idle * 1000:.1f} ms idle"
