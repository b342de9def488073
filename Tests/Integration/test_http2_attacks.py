"""Floods over HTTP/2: ended with GOAWAY, cheap for all others (CVE-2019-9511 to 9518, 2023-44487, 2024-27316)."""

import struct
import threading
import time

import pytest

import http2
from balancer import serving, wait_until
from http2 import Connection, frame, request
from origin import Origin


@pytest.fixture(scope="module")
def origin():
    def slow(connection, _):
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with Origin({"/slow": slow}) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"[group.app]\nservers = [{origin.server}]\nthreads = 20\n") as balancer:
        yield balancer


class Bystander:
    """Another client, which must notice nothing: it asks all the time on a connection of its own."""

    def __init__(self, balancer):
        self.balancer, self.over, self.times, self.failures = balancer, False, [], []
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.times or self.failures)
        return self

    def run(self):
        with Connection(self.balancer.address) as connection:
            while not self.over:
                before = time.monotonic()
                answer = connection.get(request("/by"))
                if answer.status != 200:
                    self.failures.append((answer.status, answer.reset, connection.goaway))
                    return
                self.times.append(time.monotonic() - before)

    def __exit__(self, *_):
        count = len(self.times)
        wait_until(lambda: len(self.times) > count + 5 or self.failures)
        self.over = True
        self.thread.join()
        assert not self.failures, self.failures
        assert max(self.times) < 2, max(self.times)


def flooded(balancer, flood, allowed=(http2.ENHANCE_YOUR_CALM, http2.PROTOCOL_ERROR)):
    """Runs a flood until it is ended, beside a client that must not notice."""
    with Bystander(balancer), Connection(balancer.address) as connection:
        assert connection.get(request("/first")).status == 200
        flood(connection)
        assert connection.read(lambda: connection.error in allowed, 10), (
            connection.goaway, connection.closed)
        assert connection.read(lambda: connection.closed, 10) or connection.closed
        return connection


def test_a_rapid_reset_reaches_the_process_a_few_times_and_is_ended(balancer, origin):
    before = len(origin.requests)

    def flood(connection):
        for _ in range(2000):
            stream = connection.fresh()
            reset = frame(http2.RST_STREAM, 0, stream, struct.pack("!I", http2.CANCEL))
            if not connection.send(connection.head(stream, request("/slow")) + reset):
                return
    flooded(balancer, flood)
    reached = [r for r in origin.requests[before:] if "/slow" in r[0]]
    assert len(reached) < 300, len(reached)
    # Nothing is left over of the streams that were begun.
    wait_until(lambda: {p["in_flight"] for p in balancer.group("app")["processes"]} == {0})


def test_streams_that_provoke_resets_are_counted_as_well(balancer, origin):
    before = len(origin.requests)

    def flood(connection):
        for _ in range(2000):
            stream = connection.fresh()
            # No window may be enlarged by nothing (RFC 9113 section 6.9): the server has to reset.
            nothing = frame(http2.WINDOW_UPDATE, 0, stream, struct.pack("!I", 0))
            if not connection.send(connection.head(stream, request("/slow")) + nothing):
                return
    flooded(balancer, flood)
    assert len([r for r in origin.requests[before:] if "/slow" in r[0]]) < 300


def repeated(piece, times=100_000, batch=500):
    def flood(connection):
        for _ in range(times // batch):
            if not connection.send(piece * batch):
                return
    return flood


@pytest.mark.parametrize("name, piece", [
    ("pings", frame(http2.PING, payload=b"12345678")),
    ("settings", frame(http2.SETTINGS, payload=struct.pack("!HI", 4, 65535))),
    ("settings without anything", frame(http2.SETTINGS)),
    ("priorities", frame(http2.PRIORITY, 0, 5, struct.pack("!IB", 0, 1))),
    ("windows", frame(http2.WINDOW_UPDATE, payload=struct.pack("!I", 1))),
])
def test_frames_that_carry_nothing_are_ended_when_there_are_too_many(balancer, name, piece):
    flooded(balancer, repeated(piece), allowed=(
        http2.ENHANCE_YOUR_CALM, http2.PROTOCOL_ERROR, 3))


def test_empty_pieces_of_a_body_are_ended_when_there_are_too_many(balancer):
    def flood(connection):
        stream = connection.ask(request("/slow", "POST"), end=False)
        repeated(frame(http2.DATA, 0, stream))(connection)
    flooded(balancer, flood)


def test_a_head_that_never_ends_is_ended(balancer):
    def flood(connection):
        stream = connection.fresh()
        connection.send(frame(http2.HEADERS, 0, stream, connection.encoder.encode(request("/"))))
        field = connection.encoder.encode([("x-filler", "y" * 4000)])
        repeated(frame(http2.CONTINUATION, 0, stream, field), 10_000, 10)(connection)
    flooded(balancer, flood)


def test_empty_continuations_are_ended(balancer):
    def flood(connection):
        stream = connection.fresh()
        connection.send(frame(http2.HEADERS, 0, stream, connection.encoder.encode(request("/"))))
        repeated(frame(http2.CONTINUATION, 0, stream))(connection)
    flooded(balancer, flood)


def test_a_small_block_that_unpacks_to_a_large_head_is_refused(balancer):
    with Bystander(balancer), Connection(balancer.address) as connection:
        stream = connection.fresh()
        first = connection.encoder.encode(request("/") + [("x-bomb", "z" * 3000)])
        # The field's place in the table: one octet for each further copy.
        again = connection.encoder.encode([("x-bomb", "z" * 3000)])
        assert len(again) == 1
        connection.send(frame(
            http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream, first + again * 10_000))
        assert connection.read(
            lambda: connection.answers[stream].over or connection.goaway or connection.closed, 10)
        assert connection.answers[stream].status in (None, 431)


def test_as_many_streams_as_offered_are_answered_and_more_end_the_connection(balancer):
    with Bystander(balancer), Connection(balancer.address) as connection:
        assert connection.get(request("/")).status == 200
        most = connection.peer_settings[3]
        assert 32 <= most <= 256
        streams = [connection.ask(request("/slow")) for _ in range(most)]
        assert {connection.wait(stream).status for stream in streams} == {200}
        for _ in range(most + 50):
            connection.ask(request("/slow"))
        assert connection.read(lambda: connection.closed, 10)
        assert connection.error in (http2.PROTOCOL_ERROR, http2.ENHANCE_YOUR_CALM)


def test_a_client_that_gives_no_window_holds_no_slot_and_little_memory(origin):
    def big(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"b" * 100_000)
    origin.scripts["/big"] = big
    configuration = f"""
[group.app]
servers = [{origin.server}]
threads = 2
[timeouts]
body_idle = "1s"
"""
    with serving(configuration) as balancer, Connection(
            balancer.address, settings=[(4, 0)], window=0) as connection:
        streams = [connection.ask(request("/big")) for _ in range(20)]
        # Two slots, twenty unread answers: all of them have left their process.
        wait_until(lambda: len([r for r in origin.requests if "/big" in r[0]]) >= 20)
        wait_until(lambda: {p["in_flight"] for p in balancer.group("app")["processes"]} == {0})
        assert balancer.request().status == 200
        assert connection.read(
            lambda: connection.closed or connection.goaway
            or all(connection.answers[s].reset is not None for s in streams), 15)
