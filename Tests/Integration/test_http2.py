"""HTTP/2 streams are requests like any other: what may be in one, and what becomes of it (RFC 9113)."""

import json
import re
import signal
import socket
import struct
import threading
import time

import pytest

import http2
from balancer import ECHO, serving, wait_until
from http2 import Connection, frame, request
from origin import Origin

APP = """
[group.app]
wsgi = "echo.py"
processes = 2
threads = 5
queue = 500
process_queue = 500
"""


def body(text, fields=b""):
    return b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(text) + text


def die_in_the_middle(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
    time.sleep(0.1)
    connection.shutdown(socket.SHUT_RDWR)


def die_in_a_chunk(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe")
    time.sleep(0.1)
    connection.shutdown(socket.SHUT_RDWR)


def slow(connection, _):
    time.sleep(0.5)
    connection.sendall(body(b"slow"))


def flood(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
    for _ in range(1024):
        connection.sendall(b"f" * 65536)


SCRIPTS = {
    "/dies": die_in_the_middle, "/dies-in-chunk": die_in_a_chunk, "/slow": slow, "/flood": flood,
    "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + body(b"hinted"),
    "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                 b"3\r\nabc\r\n0\r\nX-Sum: 42\r\nContent-Length: 7\r\n\r\n",
    "/connection": body(b"c", b"Connection: X-Own\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nX-Kept: 1\r\n"),
}


@pytest.fixture(scope="module")
def origin():
    with Origin(dict(SCRIPTS)) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    configuration = f"[group.app]\nservers = [{origin.server}]\nthreads = 50\nqueue_timeout = \"5s\"\n"
    with serving(configuration) as balancer:
        yield balancer


def seen(origin, path):
    """What the process got of the last request for a path: its line and fields."""
    line, fields, _ = [r for r in origin.requests if r[0].split(" ")[1] == path][-1]
    return line, fields


BAD = {
    "no leading slash": request("x"),
    "empty path": request(""),
    "space in the path": request("/a b"),
    "control character in the path": request("/a\x01b"),
    "line end in the path": request("/a\r\nX: y"),
    "space in the method": request("/", "GE T"),
    "line end in the method": request("/", "GET\r\nX: y"),
    "no method": [(":scheme", "http"), (":authority", "a"), (":path", "/")],
    "no path": [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
    "no scheme": [(":method", "GET"), (":authority", "a"), (":path", "/")],
    "the path twice": request("/") + [(":path", "/b")],
    "the authority twice": request("/") + [(":authority", "b")],
    "a pseudo-field that there is not": request("/") + [(":x", "y")],
    "a response's pseudo-field": request("/") + [(":status", "200")],
    "a pseudo-field behind a field": [("x-a", "b"), *request("/")],
    "upper case in a name": request("/") + [("X-Upper", "y")],
    "a control character in a name": request("/") + [("x\x01", "y")],
    "a colon in a name": request("/") + [("x:y", "z")],
    "an empty name": request("/") + [("", "z")],
    "a line end in a value": request("/") + [("x", "a\r\nb: c")],
    "NUL in a value": request("/") + [("x", "a\x00b")],
    "connection": request("/") + [("connection", "close")],
    "transfer-encoding": request("/") + [("transfer-encoding", "chunked")],
    "keep-alive": request("/") + [("keep-alive", "timeout=5")],
    "proxy-connection": request("/") + [("proxy-connection", "close")],
    "upgrade": request("/") + [("upgrade", "h2c")],
    "te with more than trailers": request("/") + [("te", "gzip")],
    "another host than the authority": request("/", "GET", "a") + [("host", "b")],
    "two hosts": [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "a"), ("host", "b")],
    "no host at all": [(":method", "GET"), (":scheme", "http"), (":path", "/")],
    "a user in the authority": request("/", "GET", "user@a"),
    "CONNECT with a path": request("/", "CONNECT"),
    "CONNECT": [(":method", "CONNECT"), (":authority", "a:80")],
    "TRACE": request("/", "TRACE"),
    "a length that is none": request("/") + [("content-length", "+3")],
    "a length and no body": request("/") + [("content-length", "3")],
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_request_may_have_in_it_is_refused_and_the_connection_goes_on(balancer, origin, name):
    before = len(origin.requests)
    with Connection(balancer.address) as connection:
        answer = connection.get(BAD[name])
        assert answer.reset == http2.PROTOCOL_ERROR or answer.status in (400, 405, 501), (
            answer.heads, answer.reset, connection.goaway)
        assert len(origin.requests) == before
        assert connection.get(request("/after")).status == 200


@pytest.mark.parametrize("sent", [2, 4])
def test_a_body_of_another_length_than_was_told_is_an_error(balancer, sent):
    with Connection(balancer.address) as connection:
        stream = connection.ask(request("/", "POST") + [("content-length", "3")], end=False)
        connection.send(frame(http2.DATA, http2.END_STREAM, stream, b"x" * sent))
        answer = connection.wait(stream)
        assert answer.reset == http2.PROTOCOL_ERROR or answer.status == 400
        assert connection.get(request("/after")).status == 200


def test_cookies_in_pieces_are_joined_before_the_session_is_looked_up():
    with serving(APP, files={"echo.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        with Connection(balancer.address) as connection:
            answer = connection.get(request("/"))
            cookie = answer.fields["set-cookie"].split(";")[0]
            session = json.loads(answer.body)["session"]
        for crumbs in ([cookie, "a=1", "b=2"], ["a=1", cookie, "b=2"], ["a=1; b=2", cookie]):
            with Connection(balancer.address) as connection:
                told = json.loads(connection.get(
                    request("/") + [("cookie", crumb) for crumb in crumbs]).body)
                assert told["session"] == session and told["affinity"] == "kept"
                assert told["cookie"] == "a=1; b=2"


def test_the_process_is_told_the_authority_as_its_host_and_http2_in_via(balancer, origin):
    with Connection(balancer.address) as connection:
        fields = [("host", "www.example"), ("te", "trailers"), ("x-forwarded-for", "6.6.6.6")]
        assert connection.get(request("/host", "GET", "www.example") + fields).status == 200
    line, fields = seen(origin, "/host")
    facts = dict(fields)
    assert line == "GET /host HTTP/1.1" and facts["host"] == "www.example"
    assert facts["via"] == "2.0 mooring" and facts["x-forwarded-for"] == "127.0.0.1"
    assert [name for name, _ in fields].count("host") == 1


def test_what_belongs_to_a_connection_of_the_process_never_comes_over_http2(balancer):
    with Connection(balancer.address) as connection:
        fields = connection.get(request("/connection")).fields
        assert fields["x-kept"] == "1"
        assert not {"connection", "keep-alive", "x-own", "transfer-encoding"} & fields.keys()


def test_early_hints_head_and_204_are_what_they_are(balancer):
    with Connection(balancer.address) as connection:
        hinted = connection.get(request("/hints"))
        assert [dict(head)[":status"] for head in hinted.heads] == ["103", "200"]
        assert dict(hinted.heads[0])["link"] == "</a.css>" and hinted.body == b"hinted"
        head = connection.get(request("/head", "HEAD"))
        assert head.status == 200 and head.body == b"" and int(head.fields["content-length"]) > 0
        empty = connection.get(request("/empty"))
        assert empty.status == 204 and empty.body == b"" and "content-length" not in empty.fields


def test_trailers_pass_both_ways_without_those_that_may_not_come_late(balancer, origin):
    with Connection(balancer.address) as connection:
        answer = connection.get(request("/trailers") + [("te", "trailers")])
        assert answer.body == b"abc" and answer.fields == {"x-sum": "42"}
        stream = connection.ask(request("/up", "POST") + [("trailer", "x-sum")], end=False)
        connection.send(frame(http2.DATA, 0, stream, b"abc"))
        connection.send(connection.head(stream, [("x-sum", "7")]))
        assert connection.wait(stream).status == 200
        late = connection.ask(request("/late", "POST"), end=False)
        connection.send(frame(http2.DATA, 0, late, b"abc"))
        connection.send(connection.head(late, [(":path", "/other")]))
        assert connection.wait(late).reset == http2.PROTOCOL_ERROR
        assert connection.get(request("/after")).status == 200
    assert not [r for r in origin.requests if "/late" in r[0] or "/other" in r[0]]


@pytest.mark.parametrize("path", ["/dies", "/dies-in-chunk"])
def test_a_process_that_breaks_off_resets_its_own_stream_and_no_other(balancer, path):
    with Connection(balancer.address) as connection:
        other, broken, third = (connection.ask(request(p)) for p in ("/slow", path, "/slow"))
        answer = connection.wait(broken)
        assert answer.status == 200 and not answer.ended and answer.reset is not None
        assert {connection.wait(s).body for s in (other, third)} == {b"slow"}
        assert connection.goaway is None


def test_a_stream_that_its_client_resets_gives_its_slot_back(balancer):
    with Connection(balancer.address) as connection:
        stream = connection.ask(request("/slow"))
        wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 1)
        connection.send(frame(http2.RST_STREAM, 0, stream, struct.pack("!I", http2.CANCEL)))
        wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 0)
        assert connection.get(request("/after")).status == 200


def test_a_client_that_stops_reading_holds_back_its_process_and_little_memory(balancer):
    def resident():
        with open(f"/proc/{balancer.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    with Connection(balancer.address, window=0) as connection:
        before = resident()
        stream = connection.ask(request("/flood"))
        assert connection.read(lambda: len(connection.answers[stream].data) == 65535)
        # Other streams of the connection have heads and small bodies that wait too; other clients do not.
        assert balancer.request("/other").status == 200
        assert not connection.read(lambda: connection.answers[stream].over, 1)
        assert resident() - before < 8 * 1024
        connection.gives_room = True
        for number in (0, stream):
            connection.send(frame(http2.WINDOW_UPDATE, 0, number, struct.pack("!I", 1 << 20)))
        assert connection.wait(stream, 60).ended
        assert len(connection.answers[stream].body) == 64 << 20


def test_a_hundred_cold_streams_are_one_session_on_one_process():
    with serving(APP.replace("= 2", "= { min = 0, max = 3 }"), files={"echo.py": ECHO}) as balancer, \
            Connection(balancer.address) as connection:
        streams = [connection.ask(request("/")) for _ in range(100)]
        told = [json.loads(connection.wait(stream).body) for stream in streams]
        assert len({t["session"] for t in told}) == 1 and len({t["pid"] for t in told}) == 1
        assert len(balancer.group("app")["processes"]) == 1


def test_requests_over_http2_are_in_the_access_log_like_others(balancer):
    with Connection(balancer.address) as connection:
        assert connection.get(request("/logged")).status == 200
    line = wait_until(lambda: [line for line in balancer.log.splitlines() if "GET /logged " in line])[0]
    assert "HTTP/2" in line and " 200 " in line


@pytest.mark.parametrize("answers_pings", [True, False])
def test_at_its_end_streams_under_way_are_answered_and_the_connection_is_closed(origin, answers_pings):
    configuration = f"[group.app]\nservers = [{origin.server}]\nthreads = 50\n"
    with serving(configuration) as balancer, \
            Connection(balancer.address, answers_pings=answers_pings) as connection:
        streams = [connection.ask(request("/slow")) for _ in range(5)]
        wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 5)
        balancer.process.send_signal(signal.SIGTERM)
        assert connection.read(lambda: connection.goaway is not None, 5)
        assert {connection.wait(stream).body for stream in streams} == {b"slow"}
        assert connection.error == 0
        assert connection.read(lambda: connection.closed, 5)


def test_a_websocket_over_http2_is_pinned_and_carries_both_ways():
    program = """
import asyncio, os, websockets

async def echo(connection):
    async for message in connection:
        await connection.send(f"{os.getpid()} {message}")

async def main():
    server = await websockets.unix_serve(echo, os.environ["MOORING_SOCKET"], ping_interval=None)
    await server.serve_forever()

asyncio.run(main())
"""
    group = '[group.app]\ncommand = ["python3", "echo.py"]\nprocesses = 2\nthreads = 1\n'

    def handshake(connection, *fields):
        stream = connection.ask([
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"),
            (":authority", "a"), ("sec-websocket-version", "13"), *fields], end=False)
        assert connection.read(lambda: connection.answers[stream].heads)
        return stream, connection.answers[stream]

    def say(connection, stream, text):
        size = len(connection.answers[stream].body)
        masked = bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text
        connection.send(frame(http2.DATA, 0, stream, masked))
        assert connection.read(lambda: len(connection.answers[stream].body) > size)
        return connection.answers[stream].body[size + 2:].decode()

    with serving(group, files={"echo.py": program}) as balancer:
        balancer.wait_ready("app", 2)
        with Connection(balancer.address) as connection:
            connection.read(lambda: connection.peer_settings)
            assert connection.peer_settings[8] == 1
            stream, answer = handshake(connection)
            assert answer.status == 200 and not answer.ended
            cookie = answer.fields["set-cookie"].split(";")[0]
            pid = say(connection, stream, b"one").split()[0]
            assert say(connection, stream, b"two") == f"{pid} two"
            again, answer = handshake(connection, ("cookie", cookie))
            assert say(connection, again, b"three") == f"{pid} three"
            assert {p["in_flight"] for p in balancer.group("app")["processes"]} == {0}
            tunnels = {str(p["pid"]): p["tunnels"] for p in balancer.group("app")["processes"]}
            assert tunnels[pid] == 2
            connection.send(frame(http2.RST_STREAM, 0, again, struct.pack("!I", http2.CANCEL)))
            assert say(connection, stream, b"four") == f"{pid} four"
        wait_until(lambda: {p["tunnels"] for p in balancer.group("app")["processes"]} == {0})


def test_a_slow_upload_over_http2_holds_no_slot(origin):
    configuration = f"[group.app]\nservers = [{origin.server}]\nthreads = 1\n"
    with serving(configuration) as balancer, Connection(balancer.address) as connection:
        stream = connection.ask(request("/up", "POST") + [("content-length", "6")], end=False)
        connection.send(frame(http2.DATA, 0, stream, b"abc"))
        threads = [threading.Thread(target=lambda: results.append(balancer.request("/o").status))
                   for _ in range(3)]
        results = []
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [200] * 3
        connection.send(frame(http2.DATA, http2.END_STREAM, stream, b"def"))
        assert connection.wait(stream).status == 200
        assert [r for r in origin.requests if "/up" in r[0]][-1][2] == 6
