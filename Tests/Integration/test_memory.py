"""`limits.buffer_memory`: clients that read nothing hold little, and nothing once they have left."""

import contextlib
import subprocess
import time

import pytest

import stalled
import tls
from balancer import BINARY, serving, wait_until
from http2 import Connection, request
from origin import Origin
from stalled import Firehose, resident

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </" + b"a" * 14_000 + b">\r\n\r\n"


@pytest.fixture(autouse=True)
def descriptors():
    stalled.allow_descriptors()


def group(hose, budget):
    return (f'[limits]\nbuffer_memory = "{budget}MiB"\n[log]\naccess = "off"\n'
            f"[group.app]\nservers = [{hose.server}]\nthreads = 10000\n")


def settle(hose):
    """Waits until the backend cannot get rid of more."""
    def is_silent():
        before = hose.sent
        time.sleep(0.5)
        return hose.sent == before and before > 0
    wait_until(is_silent, 60, "a backend that is held up")


def ask_small(balancer, context):
    protocol = context and "http/1.1"
    with contextlib.closing(stalled.connect(balancer.address, context, protocol)) as connection:
        started = time.monotonic()
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        out = b""
        while piece := connection.recv(4096):
            out += piece
        assert out.endswith(b"\r\n\r\nok")
        return time.monotonic() - started


# Connections, requests on each, MiB of budget, and KiB that a request may hold above half of it.
CROWDS = {"plain": (2000, 1, 32, 64), "tls": (400, 1, 4, 64), "http2": (20, 100, 16, 20),
          "http2 on tls": (20, 100, 16, 20), "beyond the budget": (1000, 1, 1, 20)}


@pytest.mark.parametrize("kind", CROWDS)
def test_clients_that_read_nothing_hold_little_and_leave_nothing(certificates, kind):
    connections, requests, budget, each = CROWDS[kind]
    has_tls, is_http2 = "tls" in kind, "http2" in kind
    protocol = "h2" if is_http2 else "http/1.1"
    context = tls.trusting(certificates, protocols=[protocol]) if has_tls else None
    simple = tls.trusting(certificates, protocols=["http/1.1"]) if has_tls else None
    with Firehose() as hose, contextlib.ExitStack() as clients:
        configuration = group(hose, budget)
        with serving(tls.secure(certificates, configuration) if has_tls else configuration) as balancer:
            for _ in range(20):
                ask_small(balancer, simple)
            before, started = resident(balancer.pid), hose.sent
            for _ in range(connections):
                connection = stalled.connect(balancer.address, context, protocol)
                clients.enter_context(contextlib.closing(connection))
                stalled.ask_streams(connection, requests) if is_http2 else stalled.ask(connection)
            settle(hose)
            assert hose.sent - started > connections * requests * 4 * KIBIBYTE, "they were served"
            held = resident(balancer.pid) - before
            assert held < budget * MEBIBYTE / 2 + connections * requests * each * KIBIBYTE, held / MEBIBYTE
            assert min(ask_small(balancer, simple) for _ in range(5)) < 1
            clients.close()
            left = time.monotonic()
            wait_until(lambda: resident(balancer.pid) - before < 24 * MEBIBYTE, 10, "memory to be released")
            assert time.monotonic() - left < 2


def test_slow_clients_get_all_of_it_where_memory_is_short():
    """Half and all of the budget come and go while they read: nothing is lost or out of order."""
    pattern = b"".join(b"%07d\n" % n for n in range(100_000))

    def numbers(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(pattern), 9973):
            piece = pattern[start:start + 9973]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    with Origin({"/large": numbers}) as origin:
        configuration = f'[limits]\nbuffer_memory = "1MiB"\n[group.app]\nservers = [{origin.server}]\nthreads = 1000\n'
        with serving(configuration) as balancer, contextlib.ExitStack() as clients:
            connections = []
            for _ in range(60):
                connection = clients.enter_context(contextlib.closing(stalled.connect(balancer.address)))
                connection.sendall(b"GET /large HTTP/1.0\r\nHost: a\r\n\r\n")
                connections.append((connection, bytearray()))
            multiplexed = clients.enter_context(Connection(balancer.address))
            streams = [multiplexed.ask(request("/large")) for _ in range(20)]
            time.sleep(1)
            # Each takes a little in turn.
            while connections:
                for entry in list(connections):
                    piece = entry[0].recv(10_000)
                    entry[1].extend(piece)
                    if not piece:
                        connections.remove(entry)
                        assert bytes(entry[1]).partition(b"\r\n\r\n")[2] == pattern
            for stream in streams:
                assert multiplexed.wait(stream, 60).body == pattern


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_endless_1xx_responses_to_a_client_that_does_not_read_take_no_memory(protocol):
    with Firehose(endless=HINT) as hose, serving(group(hose, 1024)) as balancer, contextlib.ExitStack() as clients:
        ask_small(balancer, None)
        before = resident(balancer.pid)
        for _ in range(10):
            connection = clients.enter_context(contextlib.closing(stalled.connect(balancer.address)))
            stalled.ask_streams(connection, 10) if protocol == "h2" else stalled.ask(connection)
        wait_until(lambda: hose.sent > 300 * MEBIBYTE, 60, "300 MiB of hints")
        assert resident(balancer.pid) - before < 40 * MEBIBYTE
        assert ask_small(balancer, None) < 5


def many_hints(connection, _):
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_client_gets_some_1xx_responses_of_one_exchange_and_the_final_one():
    with Origin({"/hints": many_hints}) as origin:
        with serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
            for _ in range(2):
                out = balancer.raw(b"GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert 1 <= out.count(b"HTTP/1.1 103 ") <= 100 and out.endswith(b"\r\n\r\nok")
            with Connection(balancer.address) as connection:
                for _ in range(2):
                    answer = connection.get(request("/hints"))
                    assert 1 < len(answer.heads) <= 101 and answer.status == 200 and answer.body == b"ok"


def test_what_was_given_for_the_buffers_is_printed_and_refused_when_it_is_none(tmp_path):
    file = tmp_path / "mooring.toml"
    for value, code in [("auto", 0), ("64MiB", 0), ("much", 2)]:
        file.write_text(f'[limits]\nbuffer_memory = "{value}"\n[group.app]\nservers = ["127.0.0.1:1"]\n')
        out = subprocess.run([BINARY, "check", "--print", "-c", str(file)], capture_output=True, text=True)
        assert out.returncode == code, out.stderr
        assert code or f'buffer_memory = "{value}"' in out.stdout
