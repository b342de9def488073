"""A process is sent its first request as soon as it listens."""

import pytest

import readiness


@pytest.mark.alone
@pytest.mark.parametrize("kind", readiness.KINDS)
def test_a_process_gets_its_first_request_within_milliseconds_of_its_listen(kind):
    delays = readiness.delays(kind, 8)
    # 2 ms for Mooring, and some for both ends of the request; polling every 25 ms holds up nearly all.
    assert delays[2] < 6, delays
