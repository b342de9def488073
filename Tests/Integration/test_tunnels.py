"""WebSockets and other upgrades: bytes both ways behind a 101."""

import contextlib
import hashlib
import re
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import pytest

from balancer import serving, wait_until
from origin import Origin

MEBIBYTE = 1 << 20
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"


def echo(connection, request):
    """Sends back what comes, until the client has finished; then a last word."""
    connection.sendall(SWITCH % dict(request[1])["upgrade"].encode())
    while piece := connection.recv(65536):
        connection.sendall(piece)
    connection.sendall(b"bye")
    connection.shutdown(socket.SHUT_RDWR)


def talk_first(connection, request):
    """Speaks, finishes sending, and goes on listening."""
    connection.sendall(SWITCH % b"chat" + b"hello")
    connection.shutdown(socket.SHUT_WR)
    got = b""
    while piece := connection.recv(65536):
        got += piece
    heard.append(got)
    connection.close()


def flood(connection, request):
    connection.sendall(SWITCH % b"chat")
    block = b"x" * 65536
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(block)
            flooded[0] += len(block)


def reset(connection, request):
    connection.sendall(SWITCH % b"chat" + b"half a wo")
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise OSError("closed by whoever called")


# Takes any handshake and then only listens.
WEBSOCKET_SERVER = """
import os, socket, sys, threading

def serve(connection):
    data = b""
    while b"\\r\\n\\r\\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return
        data += piece
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n")
    while connection.recv(65536):
        pass

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(50)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

heard, flooded = [], [0]
SCRIPTS = {
    "/echo": echo, "/talk-first": talk_first, "/flood": flood, "/reset": reset,
    "/other": SWITCH % b"other", "/no-connection": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\n\r\n",
    "/old": b"HTTP/1.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
}


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"[group.app]\nservers = [{origin.server}]\nthreads = 1\n") as balancer:
        yield balancer


def handshake(path, *fields, protocol="chat", version="1.1", method="GET"):
    lines = [f"{method} {path} HTTP/{version}", "Host: a", "Connection: Upgrade", f"Upgrade: {protocol}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def websocket(path, *fields):
    return handshake(
        path, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", *fields,
        protocol="websocket")


def receive(connection, count):
    out = b""
    while len(out) < count:
        piece = connection.recv(count - len(out))
        assert piece, f"ended after {out!r}"
        out += piece
    return out


def head(connection):
    out = b""
    while not out.endswith(b"\r\n\r\n"):
        out += receive(connection, 1)
    return out.decode()


def rest(connection):
    out = b""
    while piece := connection.recv(65536):
        out += piece
    return out


@contextlib.contextmanager
def tunnel(balancer, path="/echo", early=b"", request=None):
    with socket.create_connection(balancer.address, timeout=10) as connection:
        connection.sendall((request or handshake(path)) + early)
        got = head(connection)
        assert got.startswith("HTTP/1.1 101 "), got
        yield connection, got


def test_a_tunnel_carries_bytes_both_ways_and_the_101_carries_the_cookie(balancer, origin):
    with tunnel(balancer) as (connection, got):
        fields = got.lower()
        assert "\r\nset-cookie: mooring=" in fields and "\r\nupgrade: chat\r\n" in fields
        assert "\r\nconnection: upgrade\r\n" in fields and "close" not in fields
        assert "transfer-encoding" not in fields and "content-length" not in fields
        for word in (b"one", b"\x00" * 70_000, b"two"):
            connection.sendall(word)
            assert receive(connection, len(word)) == word
    seen = dict([r for r in origin.requests if r[0].startswith("GET /echo ")][-1][1])
    assert seen["connection"] == "Upgrade" and seen["upgrade"] == "chat"
    assert seen["mooring-affinity"] == "new" and seen["mooring-session"]


def test_a_cookie_is_kept_through_a_tunnel(balancer, origin):
    cookie = balancer.request("/").cookie
    with tunnel(balancer, request=handshake("/echo", f"Cookie: mooring={cookie}")) as (_, got):
        assert "set-cookie" not in got.lower()
    assert dict(origin.requests[-1][1])["mooring-affinity"] == "kept"


def test_what_the_client_sends_behind_its_handshake_is_passed_on_after_the_101(balancer):
    with tunnel(balancer, early=b"early bird") as (connection, _):
        assert receive(connection, 10) == b"early bird"


def test_the_end_of_the_client_is_passed_on_and_the_process_may_still_speak(balancer):
    with tunnel(balancer) as (connection, _):
        connection.sendall(b"last")
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == b"lastbye"


def test_the_end_of_the_process_is_passed_on_and_the_client_may_still_speak(balancer):
    with tunnel(balancer, "/talk-first") as (connection, _):
        assert rest(connection) == b"hello"
        connection.sendall(b"and so am I")
        connection.shutdown(socket.SHUT_WR)
        wait_until(lambda: heard and heard[-1] == b"and so am I", what="the client's words")


def test_a_process_that_breaks_off_is_no_clean_end(balancer):
    with tunnel(balancer, "/reset") as (connection, _):
        assert receive(connection, 9) == b"half a wo"
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_an_open_tunnel_leaves_its_slot_to_others(balancer):
    with tunnel(balancer) as (connection, _):
        assert balancer.request("/plain", timeout=5).status == 200
        process = balancer.group("app")["processes"][0]
        assert process["in_flight"] == 0 and process["sessions"] >= 1
        assert balancer.admin("/stats").json()["connections"]["tunnels"] >= 1
        connection.sendall(b"still here")
        assert receive(connection, 10) == b"still here"


def test_a_tunnel_keeps_its_slot_where_the_group_says_so(origin):
    text = f"[group.app]\nservers = [{origin.server}]\nthreads = 1\ntunnel_slots = true\nqueue_timeout = '300ms'\n"
    with serving(text) as balancer:
        with tunnel(balancer):
            assert balancer.request("/plain").status == 503
        wait_until(lambda: balancer.request("/plain").status == 200, what="the slot")


def test_a_tunnel_without_a_byte_either_way_is_closed(origin):
    with serving(f'[timeouts]\ntunnel = "600ms"\n[group.app]\nservers = [{origin.server}]\n') as balancer:
        with tunnel(balancer) as (connection, _):
            for _ in range(6):
                time.sleep(0.2)
                connection.sendall(b"x")
                assert receive(connection, 1) == b"x"
            started = time.monotonic()
            assert connection.recv(1) == b""
            assert 0.4 < time.monotonic() - started < 3


def frame(opcode, data=b"", mask=None):
    head = bytes([0x80 | opcode, (0x80 if mask else 0) | len(data)]) + (mask or b"")
    return head + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)) if mask else head + data


@pytest.mark.parametrize("opcode, lives", [(0x1, True), (0x9, False)], ids=["messages", "pings"])
def test_messages_keep_a_session_and_pings_alone_do_not(opcode, lives):
    """The process goes when it is idle and its session has ended, whatever is open."""
    configuration = (
        f'[affinity]\nidle = "2s"\n[group.app]\ncommand = ["{sys.executable}", "server.py", "{{socket}}"]\n'
        'processes = { min = 0, max = 1 }\nidle_timeout = "500ms"\n')
    with serving(configuration, files={"server.py": WEBSOCKET_SERVER}) as balancer:
        with tunnel(balancer, request=websocket("/")) as (connection, _):
            pids = balancer.pids("app")
            assert len(pids) == 1
            ended = False
            for _ in range(12):
                connection.sendall(frame(opcode, b"hello", mask=b"abcd"))
                time.sleep(0.5)
                if not balancer.pids("app"):
                    ended = True
                    break
            assert ended != lives
            if lives:
                assert balancer.pids("app") == pids


def test_a_gibibyte_passes_unchanged_with_little_memory(balancer):
    size, block = 1024 * MEBIBYTE, bytes(range(256)) * 4096
    before = resident(balancer.process.pid)
    with tunnel(balancer) as (connection, _):
        connection.settimeout(30)

        def send():
            for _ in range(size // len(block)):
                connection.sendall(block)
            connection.shutdown(socket.SHUT_WR)

        threading.Thread(target=send, daemon=True).start()
        got, digest, buffer = 0, hashlib.sha1(), bytearray(MEBIBYTE)
        while count := connection.recv_into(buffer):
            digest.update(memoryview(buffer)[:count])
            got += count
    wanted = hashlib.sha1()
    for _ in range(size // len(block)):
        wanted.update(block)
    wanted.update(b"bye")
    assert got == size + 3 and digest.digest() == wanted.digest()
    assert resident(balancer.process.pid) - before < 8 * MEBIBYTE


def test_a_client_that_does_not_read_holds_back_its_process(balancer):
    flooded[0] = 0
    with tunnel(balancer, "/flood") as (connection, _):
        last = -1
        while flooded[0] != last:
            last = flooded[0]
            time.sleep(0.3)
        assert 0 < last < 64 * MEBIBYTE
        receive(connection, 16 * MEBIBYTE)
        wait_until(lambda: flooded[0] > last, what="more")


def test_idle_tunnels_hold_little_memory(balancer):
    with contextlib.ExitStack() as stack:
        before = resident(balancer.process.pid)
        for _ in range(300):
            connection, _ = stack.enter_context(tunnel(balancer))
            connection.sendall(b"x")
            assert receive(connection, 1) == b"x"
        assert resident(balancer.process.pid) - before < 300 * 8 * 1024


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024


def test_a_process_that_does_not_switch_answers_like_any_other(balancer):
    with socket.create_connection(balancer.address, timeout=5) as connection:
        connection.sendall(handshake("/plain") + b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        out = rest(connection)
    assert out.count(b"HTTP/1.1 200 OK") == 2 and b"GET /after" in out


@pytest.mark.parametrize("path", ["/other", "/no-connection", "/old"])
def test_a_switch_that_nobody_asked_for_is_a_502(balancer, path):
    """RFC 9110 section 7.8: a 101 names a protocol that the client has offered."""
    assert balancer.raw(handshake(path), seconds=1).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("request_bytes", [
    handshake("/facts", version="1.0"),
    handshake("/facts", "Content-Length: 1", method="POST") + b"x",
    b"GET /facts HTTP/1.1\r\nHost: a\r\nUpgrade: chat\r\n\r\n",
], ids=["HTTP/1.0", "with a body", "without Connection"])
def test_an_upgrade_that_cannot_be_is_not_passed_on(balancer, origin, request_bytes):
    """RFC 9110 section 7.8: not from HTTP/1.0, and not without Connection: upgrade."""
    assert b" 200 OK" in balancer.raw(request_bytes, seconds=1)
    assert "upgrade" not in dict(origin.requests[-1][1])


def test_a_handshake_that_breaks_is_not_sent_twice():
    with Origin({"/drop!": b""}) as origin, serving(f"[group.app]\nservers = [{origin.server}]\n") as balancer:
        assert balancer.raw(websocket("/drop!"), seconds=1).startswith(b"HTTP/1.1 502 ")
        assert len(origin.requests) == 1


def test_the_log_tells_the_bytes_of_both_ways_when_the_tunnel_has_ended(balancer):
    with tunnel(balancer, "/echo?logged") as (connection, _):
        connection.sendall(b"x" * 1000)
        receive(connection, 1000)
        assert "/echo?logged" not in balancer.log
        connection.shutdown(socket.SHUT_WR)
        rest(connection)
    line = wait_until(
        lambda: next((line for line in balancer.log.splitlines() if "/echo?logged" in line), None), what="the log")
    assert '"GET /echo?logged HTTP/1.1" 101 1003/1000 ' in line


def test_open_tunnels_end_with_the_time_for_draining(origin):
    with serving(f'[timeouts]\ndrain = "500ms"\n[group.app]\nservers = [{origin.server}]\n') as balancer:
        with tunnel(balancer) as (connection, _):
            balancer.process.terminate()
            connection.sendall(b"meanwhile")
            assert receive(connection, 9) == b"meanwhile"
            started = time.monotonic()
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            assert time.monotonic() - started < 5
