"""Requests of one HTTP/2 connection that wait for the session of the first, while there is no process."""

import time

import pytest

from balancer import serving
from http2 import Connection, request

NEVER = "import time\ntime.sleep(100)\n"


@pytest.fixture
def balancer():
    with serving(
            '[group.app]\nwsgi = "app.py"\nserver = "wsgiref"\nprocesses = { min = 0, max = 1 }\nqueue_timeout = "2s"\n',
            files={"app.py": NEVER}) as balancer:
        yield balancer


def refused(answers):
    assert [answer.status for answer in answers] == [503] * len(answers)
    assert all(b"waited too long" in answer.fields["proxy-status"].encode() for answer in answers)


def test_none_waits_longer_than_its_own_queue_timeout(balancer):
    with Connection(balancer.address) as client:
        since = time.monotonic()
        streams = [client.ask(request(f"/{number}")) for number in range(6)]
        refused([client.wait(stream) for stream in streams])
        # One after another they would take six times as long.
        assert 1.9 < time.monotonic() - since < 6

