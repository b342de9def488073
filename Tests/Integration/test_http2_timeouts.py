"""HTTP/2: a request head, and the preface, have `timeouts.header`, whatever `timeouts.keepalive` is."""

import socket
import time

import pytest

import tls
from balancer import serving, wait_until
from http2 import CONTINUATION, DATA, HEADERS, PREFACE, Connection, frame, request
from origin import Origin

HEADER = 1.0
TIMES = '[timeouts]\nheader = "1s"\nkeepalive = "1h"\nbody_idle = "1h"\n'


@pytest.fixture(scope="module", params=["clear", "tls"])
def connect(request, certificates):
    """Makes connections; without frames when `raw`."""
    with Origin() as origin:
        configuration = f"{TIMES}[group.app]\nservers = [{origin.server}]\n"
        if request.param == "tls":
            configuration = tls.secure(certificates, configuration)
        with serving(configuration) as balancer:
            def connect(raw=False):
                context = tls.trusting(certificates, protocols=["h2"]) if request.param == "tls" else None
                if not raw:
                    return Connection(balancer.address, context)
                plain = socket.create_connection(balancer.address, 20)
                return context.wrap_socket(plain, server_hostname="localhost") if context else plain
            connect.balancer, connect.is_tls = balancer, request.param == "tls"
            yield connect


def assert_closed_in_time(connection, started):
    connection.settimeout(20)
    while connection.recv(65536):
        pass
    assert HEADER * 0.8 < time.monotonic() - started < HEADER + 2


@pytest.mark.parametrize("length", [0, 1, 18, 20, 24, 30])
def test_a_preface_that_does_not_come_to_its_end_closes_the_connection(connect, length):
    if length == 0 and not connect.is_tls:
        pytest.skip("on clear text nothing has said yet that it is HTTP/2")
    with connect(raw=True) as connection:
        started = time.monotonic()
        connection.sendall((PREFACE + frame(4))[:length])
        assert_closed_in_time(connection, started)


def assert_given_up(c, started):
    assert c.read(lambda: c.closed, 20)
    assert c.error == 0, c.goaway
    assert HEADER * 0.8 < time.monotonic() - started < HEADER + 2


@pytest.mark.parametrize("kind", ["frame head", "half a HEADERS", "no END_HEADERS"])
def test_a_head_that_does_not_come_to_its_end_closes_the_connection(connect, kind):
    with connect() as c:
        assert c.get(request("/before")).status == 200
        whole = c.head(c.fresh(), request("/", "GET", "a", ("x-filler", "x" * 500)))
        data = {"frame head": whole[:5], "half a HEADERS": whole[:-50],
                "no END_HEADERS": whole[:4] + b"\1" + whole[5:]}[kind]
        started = time.monotonic()
        c.send(data)
        assert_given_up(c, started)


def test_continuations_that_trickle_in_buy_no_time(connect):
    with connect() as c:
        assert c.get(request("/before")).status == 200
        stream, block = c.fresh(), c.encoder.encode(request())
        started = time.monotonic()
        c.send(frame(HEADERS, 1, stream, block))
        for _ in range(4):
            c.read(lambda: c.closed, HEADER / 3)
            if not c.closed:
                c.send(frame(CONTINUATION, 0, stream))
        assert_given_up(c, started)


def test_other_requests_do_not_buy_a_head_time(connect):
    """Each read ends within another frame; none of them is complete late, so none is given up."""
    with connect() as c:
        assert c.get(request("/before")).status == 200
        pieces = b"".join(c.head(c.fresh(), request(f"/{n}", "HEAD")) for n in range(6))
        step = len(pieces) // 6 + 3
        for start in range(0, len(pieces), step):
            c.send(pieces[start:start + step])
            c.read(lambda: c.closed, HEADER / 2)
        assert c.read(lambda: all(a.over for a in c.answers.values()), 20)
        assert all(a.status == 200 for a in c.answers.values()) and not c.goaway


def test_an_idle_connection_and_a_slow_upload_outlive_the_time_for_a_head(connect):
    with connect() as c:
        assert c.get(request("/before")).status == 200
        c.read(lambda: c.closed, HEADER * 1.5)
        upload = c.ask(request("/up", "POST"), end=False)
        body = frame(DATA, 1, upload, b"x" * 1000)
        c.send(body[:500])
        c.read(lambda: c.closed, HEADER * 1.5)
        c.send(body[500:])
        assert c.wait(upload).status == 200 and not c.goaway


def test_a_client_that_neither_reads_nor_finishes_a_head_is_not_kept(connect):
    active = lambda: connect.balancer.admin("/stats").json()["connections"]["active"]  # noqa: E731
    wait_until(lambda: active() == 0)
    with connect() as c:
        c.send(c.head(c.fresh(), request())[:-1])
        wait_until(lambda: active() == 1)
        wait_until(lambda: active() == 0, HEADER + 8)
