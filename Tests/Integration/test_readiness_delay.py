"""A process is sent its first request as soon as it listens."""

import pytest

import readiness


@pytest.mark.parametrize("kind", readiness.KINDS)
def test_a_process_gets_its_first_request_within_milliseconds_of_its_listen(kind):
    delays = readiness.delays(kind, 8)
    # Beside other tests some starts are held up by them; polling every 25 ms holds up nearly all.
    assert delays[2] < 5, delays
