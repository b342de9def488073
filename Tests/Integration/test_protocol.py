"""HTTP/1.1 on both sides, over raw sockets and a scripted backend."""

import random
import select
import socket
import threading
import time
from pathlib import Path

import pytest

from balancer import serving, wait_until
from origin import Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MEBIBYTE = 1 << 20


def big(connection, request):
    size = int(request[0].split("size=")[1].split(" ")[0])
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    block = b"x" * 65536
    for _ in range(size // len(block)):
        connection.sendall(block)


SCRIPTS = {
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "/close!": b"HTTP/1.1 200 OK\r\n\r\nuntil close",
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n", "/304": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, "/big": big,
    # What a process must not do, and what the client is to see of it.
    "/nothing!": b"", "/half-status!": b"HTTP/1.1 20", "/half-head!": b"HTTP/1.1 200 OK\r\nX: y\r\n",
    "/garbage": b"blah\r\n\r\n", "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "/nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", "/status": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "/101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "/split": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b=c\r\nContent-Length: 0\r\n\r\n",
    "/large": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "/short!": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "/cut!": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "/bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\n",
    "/more": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
}


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"[group.app]\nservers = [{origin.server}]\nthreads = 50\n") as balancer:
        yield balancer


def get(path, *fields, close=True):
    lines = [f"GET {path} HTTP/1.1", "Host: a", *fields] + (["Connection: close"] if close else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_pipelined_requests_are_answered_in_order_on_one_connection(balancer):
    out = balancer.raw(get("/1", close=False) + get("/chunked", close=False) + get("/2"))
    places = [out.index(text) for text in (b"'GET /1 ", b"Transfer-Encoding: chunked", b"'GET /2 ")]
    assert places == sorted(places) and out.count(b"HTTP/1.1 200 OK") == 3


def test_chunked_bodies_pass_both_ways_and_the_next_request_is_its_own(balancer, origin):
    body = b"5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nTrailer-Field: z\r\n\r\n"
    out = balancer.raw(b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + get("/next"))
    assert out.count(b"HTTP/1.1 200 OK") == 2 and b"GET /next" in out
    assert [r for r in origin.requests if r[0].startswith("POST /up ")][-1][2] == 8
    down = balancer.raw(get("/chunked")).split(b"\r\n\r\n", 1)[1]
    # Chunks may be split differently on the way; the data may not change.
    data, rest = b"", down
    while (size := int(rest.split(b"\r\n", 1)[0], 16)):
        rest = rest.split(b"\r\n", 1)[1]
        data, rest = data + rest[:size], rest[size + 2:]
    assert data == b"hello world" and rest == b"0\r\n\r\n"


def test_a_body_until_close_becomes_chunks_and_the_client_keeps_its_connection(balancer):
    out = balancer.raw(get("/close!", close=False) + get("/after"))
    assert b"until close\r\n0\r\n\r\n" in out and b"GET /after" in out


def test_http_1_0_gets_no_chunks_and_its_connection_ends(balancer):
    out = balancer.raw(b"GET /chunked HTTP/1.0\r\n\r\n")
    assert out.endswith(b"\r\n\r\nhello world") and b"chunked" not in out.lower().split(b"\r\n\r\n")[0]


def test_head_204_and_304_have_no_body(balancer):
    for request in (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", get("/204", close=False), get("/304", close=False)):
        out = balancer.raw(request + get("/after"))
        assert out.split(b"\r\n\r\n", 1)[1].startswith(b"HTTP/1.1 200 OK")


def test_early_hints_are_passed_on(balancer):
    out = balancer.raw(get("/hints"))
    assert out.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK")


def test_a_body_that_is_held_back_is_asked_for_once_there_is_a_slot(balancer):
    head = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with socket.create_connection(balancer.address, timeout=5) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_has_finished_sending_still_gets_its_answer(balancer):
    assert b"200 OK" in balancer.raw(get("/half"), half_close=True)


def test_the_backend_is_told_about_the_client_and_the_client_cannot_lie(balancer, origin):
    balancer.raw(get(
        "/facts", "X-Forwarded-For: 6.6.6.6", "X_Forwarded_For: 7.7.7.7", "Mooring-Session: stolen",
        "Forwarded: for=8", "Proxy: http://evil", "Connection: x-hop, host", "X-Hop: 1", "TE: trailers"))
    fields = dict([r for r in origin.requests if r[0].startswith("GET /facts ")][-1][1])
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields["x-forwarded-proto"] == "http"
    assert fields["x-forwarded-host"] == "a" and fields["via"] == "1.1 mooring" and fields["host"] == "a"
    assert fields["mooring-session"] != "stolen" and fields["mooring-affinity"] == "new"
    assert not {"x_forwarded_for", "forwarded", "proxy", "x-hop", "te", "connection"} & set(fields)


@pytest.mark.parametrize("path", [
    "/nothing!", "/half-status!", "/half-head!", "/garbage", "/two-lengths", "/both", "/nul", "/status",
    "/101", "/split", "/large"])
def test_a_bad_response_is_a_502(balancer, path):
    out = balancer.raw(get(path))
    assert out.startswith(b"HTTP/1.1 502 Bad Gateway") and b"Proxy-Status: mooring; error=" in out


@pytest.mark.parametrize("path, body", [("/short!", b"abc"), ("/cut!", b"3\r\nhel\r\n"), ("/bad-chunk", b"2\r\nok\r\n")])
def test_a_response_that_breaks_off_never_looks_whole(balancer, path, body):
    out = balancer.raw(get(path, close=False) + get("/after", close=False))
    assert out.endswith(b"\r\n\r\n" + body) and b"0\r\n\r\n" not in out.split(b"\r\n\r\n", 1)[1]


def test_bytes_behind_a_response_never_reach_another_request(balancer):
    for _ in range(5):
        assert b"evil" not in balancer.raw(get("/more", close=False) + get("/after"))


def test_a_post_is_never_delivered_twice_and_a_get_at_most_twice(balancer, origin):
    before = len(origin.requests)
    balancer.raw(b"POST /nothing! HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert len(origin.requests) == before + 1
    balancer.raw(get("/nothing!"))
    assert len(origin.requests) <= before + 3


def resident(balancer):
    status = Path(f"/proc/{balancer.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def test_large_bodies_stream_both_ways_and_memory_stays_flat(balancer, origin):
    balancer.raw(get(f"/big?size={MEBIBYTE}"))
    before, size = resident(balancer), 64 * MEBIBYTE
    with socket.create_connection(balancer.address, timeout=30) as connection:
        connection.sendall(get(f"/big?size={size}"))
        got = 0
        # A reader that pauses holds up the backend, not the balancer's memory.
        while piece := connection.recv(1 << 20):
            got += len(piece)
            if got < 4 * MEBIBYTE:
                time.sleep(0.001)
        assert got > size
    with socket.create_connection(balancer.address, timeout=30) as connection:
        connection.sendall(f"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
        for _ in range(size // 65536):
            connection.sendall(b"y" * 65536)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert [r for r in origin.requests if r[0].startswith("POST /sink ")][-1][2] == size
    assert resident(balancer) - before < 16 * MEBIBYTE


def test_a_process_that_reads_slowly_is_not_taken_for_a_slow_client():
    size, gate = 16 * MEBIBYTE, threading.Event()

    def pause(connection):
        gate.wait(10)

    with Origin(before_body=pause) as origin:
        text = f'[timeouts]\nbody_idle = "500ms"\n[group.app]\nservers = [{origin.server}]\n'
        with serving(text) as balancer:
            with socket.create_connection(balancer.address, timeout=30) as connection:
                connection.sendall(
                    f"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
                connection.setblocking(False)
                # Fill all buffers on the way, then let more than body_idle pass.
                sent, full_since = 0, None
                while full_since is None or time.monotonic() - full_since < 1.2:
                    try:
                        sent += connection.send(b"y" * min(65536, size - sent))
                        full_since = None
                    except BlockingIOError:
                        full_since = full_since or time.monotonic()
                        select.select([], [connection], [], 0.05)
                gate.set()
                connection.setblocking(True)
                connection.settimeout(20)
                connection.sendall(b"y" * (size - sent))
                assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_goes_away_at_any_byte_leaves_nothing_behind(balancer):
    request = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    before = balancer.admin("/stats").json()["connections"]["accepted_total"]
    for cut in range(1, len(request)):
        with socket.create_connection(balancer.address) as connection:
            connection.sendall(request[:cut])

    def nothing_left():
        stats = balancer.admin("/stats").json()
        return (stats["connections"]["accepted_total"] == before + len(request) - 1
                and stats["connections"]["active"] == 0 and stats["requests"]["active"] == 0
                and stats["groups"][0]["processes"][0]["in_flight"] == 0)

    wait_until(nothing_left)


def test_a_seeded_flood_of_garbage_harms_nobody(balancer):
    rnd = random.Random(20261122)
    seeds = [get("/g", "Cookie: mooring=AAAA; b=1"), b"POST /g HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
             b"GET http://a/b HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, te\r\nTE: x\r\n\r\n"]
    for _ in range(1200):
        data = bytearray(rnd.choice(seeds) + rnd.choice(seeds))
        for _ in range(rnd.randint(1, 6)):
            place = rnd.randrange(len(data))
            data[place:place + rnd.randint(0, 9)] = bytes(rnd.randrange(256) for _ in range(rnd.randint(0, 9)))
        with socket.create_connection(balancer.address) as connection:
            connection.settimeout(0.005)
            try:
                connection.sendall(data)
                connection.recv(4096)
            except OSError:
                pass
    assert balancer.process.poll() is None
    assert b"200 OK" in balancer.raw(get("/still-here"))


def test_a_server_that_refuses_is_left_out_and_its_sessions_go_on_elsewhere():
    with Origin() as one, Origin() as two:
        with serving(f"[group.app]\nservers = [{one.server}, {two.server}]\nthreads = 10\n") as balancer:
            cookies = [balancer.request(f"/{n}").cookie for n in range(6)]
            assert one.requests and two.requests
            of_one = len(one.requests)
            one.hang_up()
            for cookie in cookies:
                assert balancer.request("/again", cookie=cookie).status == 200
            assert len(one.requests) == of_one
            states = {p["address"]: p["state"] for p in balancer.group("app")["processes"]}
            assert states == {f"127.0.0.1:{one.port}": "down", f"127.0.0.1:{two.port}": "ready"}
