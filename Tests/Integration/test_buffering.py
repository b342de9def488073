"""Slow clients hold no process: request bodies before the slot, responses behind it."""

import contextlib
import http.client
import random
import re
import socket
import threading
import time
from pathlib import Path

import pytest

from balancer import serving, wait_until
from origin import Origin

MEBIBYTE = 1 << 20

# A WSGI application that counts what it is sent, and answers with as many numbered lines as fit.
SIZES = """
def application(environ, start_response):
    stream, got = environ["wsgi.input"], 0
    while piece := stream.read(65536):
        got += len(piece)
    size = int(environ["QUERY_STRING"] or 0)
    body = b"".join(b"%07d\\n" % n for n in range(size // 8)) or (b"x" if size else str(got).encode())
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def post(path, length, *fields):
    lines = [f"POST {path} HTTP/1.1", "Host: a", "Connection: close", f"Content-Length: {length}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def finish(connection):
    out = b""
    while piece := connection.recv(65536):
        out += piece
    return out


@pytest.fixture(scope="module")
def two():
    """Two processes of one thread."""
    configuration = '[group.app]\nwsgi = "app.py"\nprocesses = 2\nthreads = 1\nserver = "wsgiref"\nqueue = 300\n'
    with serving(configuration, files={"app.py": SIZES}) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


def busy(balancer):
    return sum(process["in_flight"] for process in balancer.group("app")["processes"])


@pytest.mark.parametrize("size", [5, 40_000, 60_000])
def test_a_body_that_comes_slowly_holds_no_slot(two, size):
    connections = [socket.create_connection(two.address, timeout=20) for _ in range(50)]
    for connection in connections:
        connection.sendall(post("/up", size) + b"x")
    assert two.request("/up", method="POST", body=b"abc").body == b"3"
    assert busy(two) == 0
    for connection in connections:
        connection.sendall(b"x" * (size - 1))
    for connection in connections:
        assert finish(connection).endswith(b"\r\n\r\n%d" % size)
        connection.close()


def test_chunks_that_come_slowly_hold_no_slot_and_arrive_whole(two):
    with socket.create_connection(two.address, timeout=20) as connection:
        connection.sendall(b"POST /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        assert two.request("/up", method="POST", body=b"abc").body == b"3"
        assert busy(two) == 0
        connection.sendall(b"lo\r\n1\r\n!\r\n0\r\n\r\n")
        assert finish(connection).endswith(b"\r\n\r\n6")


def slow_readers(address, count, size):
    """Clients that have asked and take next to nothing."""
    connections = []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(address)
        connection.sendall(f"GET /?{size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        connections.append(connection)
    return connections


def assert_free(balancer):
    wait_until(lambda: balancer.group("app")["queue"]["length"] == 0 and busy(balancer) == 0, what="free processes")
    started = time.monotonic()
    assert balancer.request("/?1").body == b"x"
    assert time.monotonic() - started < 2


def test_two_hundred_slow_readers_do_not_keep_two_processes_busy(two):
    size = 300_000
    connections = slow_readers(two.address, 200, size)
    assert_free(two)
    for connection in connections[::20]:
        assert len(finish(connection)) > size
    for connection in connections:
        connection.close()


def test_what_the_kernel_does_not_take_for_a_slow_reader_is_kept_and_arrives_unchanged():
    """More than socket buffers hold, so that it is the balancer's own buffer that frees the process."""
    size = 4 * MEBIBYTE
    configuration = (
        '[limits]\nresponse_buffer = "8MiB"\n[group.app]\nwsgi = "app.py"\nprocesses = 1\nthreads = 1\n'
        'server = "wsgiref"\nqueue = 300\n')
    with serving(configuration, files={"app.py": SIZES}) as balancer:
        balancer.wait_ready("app", 1)
        numbered = balancer.request(f"/?{size}").body
        assert len(numbered) == size and numbered.endswith(b"%07d\n" % (size // 8 - 1))
        connections = slow_readers(balancer.address, 3, size)
        assert_free(balancer)
        for connection in connections:
            head, body = finish(connection).split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200 ") and body == numbered
            connection.close()


def test_a_body_larger_than_the_buffer_streams_with_back_pressure():
    held = threading.Event()
    with Origin(before_body=lambda connection: held.wait(20)) as origin:
        with serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
            size = 64 * MEBIBYTE
            with socket.create_connection(balancer.address, timeout=20) as connection:
                connection.sendall(post("/up", size))
                connection.settimeout(1)
                sent, block = 0, b"x" * 65536
                with pytest.raises(TimeoutError):
                    while sent < size:
                        sent += connection.send(block)
                assert sent < size / 2, "nobody reads, and yet it was taken"
                held.set()
                connection.settimeout(30)
                while sent < size:
                    sent += connection.send(block[:size - sent])
                assert b"200 OK" in finish(connection)
            assert origin.requests[-1][2] == size


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def test_memory_stays_flat_while_a_gibibyte_passes_either_way():
    size = 1024 * MEBIBYTE

    def down(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        block = b"x" * MEBIBYTE
        for _ in range(size // len(block)):
            connection.sendall(block)

    with Origin({"/down": down}) as origin, serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        balancer.request("/warm")
        before = resident(balancer.process.pid)
        with socket.create_connection(balancer.address, timeout=60) as connection:
            connection.sendall(post("/up", size))
            block = b"x" * MEBIBYTE
            for _ in range(size // len(block)):
                connection.sendall(block)
            assert b"200 OK" in finish(connection)
        assert origin.requests[-1][2] == size
        with socket.create_connection(balancer.address, timeout=60) as connection:
            connection.sendall(b"GET /down HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            got, buffer = 0, bytearray(MEBIBYTE)
            while count := connection.recv_into(buffer):
                got += count
        assert got > size
        assert resident(balancer.process.pid) - before < 8 * MEBIBYTE


def test_an_idempotent_request_with_its_body_is_sent_again_and_a_post_is_not():
    """The process closes without a word after it has read the request."""
    with Origin({"/drop!": b""}) as origin, serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        for body in (b"small", b"x" * 50_000):
            before = len(origin.requests)
            assert balancer.request("/drop!", method="PUT", body=body).status == 502
            assert [r[2] for r in origin.requests[before:]] == [len(body)] * 2
            before = len(origin.requests)
            assert balancer.request("/drop!", method="POST", body=body).status == 502
            assert [r[2] for r in origin.requests[before:]] == [len(body)]


def test_a_request_behind_a_buffered_body_is_its_own():
    with Origin() as origin, serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        with socket.create_connection(balancer.address, timeout=5) as connection:
            connection.sendall(b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
            connection.sendall(b"llo\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            out = finish(connection)
        assert out.count(b"200 OK") == 2 and out.index(b"POST /one") < out.index(b"GET /two")
        assert [r[2] for r in origin.requests] == [5, 0]


def test_a_body_that_stops_is_answered_408_without_a_process():
    with Origin() as origin:
        with serving(f'[timeouts]\nbody_idle = "300ms"\n[group.app]\nservers = [{origin.server}]\n') as balancer:
            out = balancer.raw(post("/up", 10) + b"x")
            assert out.startswith(b"HTTP/1.1 408 ") and not origin.requests and not origin.connections


def test_a_body_that_turns_out_too_large_is_answered_413_without_a_process():
    limits = '[limits]\nrequest_body = "1KiB"\n'
    with Origin() as origin, serving(f"{limits}[group.app]\nservers = [{origin.server}]\n") as balancer:
        chunks = b"300\r\n" + b"x" * 0x300 + b"\r\n"
        head = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert balancer.raw(head + chunks * 2).startswith(b"HTTP/1.1 413 ")
        assert not origin.requests and not origin.connections


def echo(connection, request, body):
    """The body as it came, in the framing that its path asks for."""
    if "chunked" in request:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 7000):
            piece = body[start:start + 7000]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
    else:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Echo(Origin):
    """Reads with the parser of the standard library, and sends back what it has read."""

    def serve(self, connection):
        reader = connection.makefile("rb")
        with contextlib.suppress(OSError):
            while line := reader.readline():
                fields = http.client.parse_headers(reader)
                body = b""
                if fields["Transfer-Encoding"]:
                    while size := int(reader.readline(), 16):
                        body += reader.read(size)
                        reader.readline()
                    reader.readline()
                elif fields["Content-Length"]:
                    body = reader.read(int(fields["Content-Length"]))
                echo(connection, line.decode(), body)
        connection.close()


def ask_and_compare(address, seed):
    """Some exchanges on one connection, in random framing, pieces and speed."""
    rnd = random.Random(seed)
    with socket.create_connection(address, timeout=30) as connection:
        reader = connection.makefile("rb")
        for _ in range(4):
            body = rnd.randbytes(rnd.choice([0, 1, 100, 30_000, 36_864, 65_536, 200_000, 600_000]))
            path = rnd.choice(["/chunked", "/length"])
            if rnd.random() < 0.5:
                data, start = b"", 0
                while start < len(body):
                    size = rnd.choice([3, 5000, 40_000])
                    data += b"%x\r\n%s\r\n" % (len(body[start:start + size]), body[start:start + size])
                    start += size
                data += b"0\r\n\r\n"
                framing = "Transfer-Encoding: chunked"
            else:
                data, framing = body, f"Content-Length: {len(body)}"
            data = f"PUT {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + data
            sender = threading.Thread(target=send_in_pieces, args=(connection, data, rnd.choice([100, 20_000, 10 ** 7])))
            sender.start()
            assert reader.readline().startswith(b"HTTP/1.1 200 ")
            fields = http.client.parse_headers(reader)
            if fields["Transfer-Encoding"]:
                got = b""
                while size := int(reader.readline(), 16):
                    got += reader.read(size)
                    reader.readline()
                reader.readline()
            else:
                got = reader.read(int(fields["Content-Length"]))
            sender.join()
            assert got == body, f"seed {seed}: {len(got)} of {len(body)}"


def send_in_pieces(connection, data, size):
    pieces = 0
    while data and pieces < 100:
        connection.sendall(data[:size])
        data, pieces = data[size:], pieces + 1
        time.sleep(0.0005)
    connection.sendall(data)


@pytest.mark.parametrize("limits", ["", '[limits]\nrequest_buffer = "300KiB"\nresponse_buffer = "1MiB"\n',
                                    '[limits]\nrequest_buffer = "0"\nresponse_buffer = "0"\n'])
def test_bodies_of_many_clients_at_once_arrive_unchanged(limits):
    with Echo() as origin, serving(f"{limits}[group.app]\nservers = [{origin.server}]\nthreads = 8\n") as balancer:
        failures = []

        def run(seed):
            try:
                ask_and_compare(balancer.address, seed)
            except BaseException as error:
                failures.append(error)

        clients = [threading.Thread(target=run, args=(seed,)) for seed in range(40)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert not failures, failures[0]
