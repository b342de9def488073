"""Backends that misbehave: what their clients see, and that no other client is affected."""

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from balancer import serving, wait_until
from origin import Origin

OK = b"HTTP/1.1 200 OK\r\n"
TWO = b"Content-Length: 2\r\n\r\nok"


def breaking(data, abortively):
    """Sends the bytes and closes, with FIN or with RST."""

    def script(connection, request):
        connection.sendall(data)
        if abortively:
            # What was sent is to arrive before the RST overtakes it.
            time.sleep(0.1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise OSError("closed by whoever called")

    return script


BEFORE_THE_HEAD_IS_WHOLE = {"nothing": b"", "half-status": b"HTTP/1.1 20", "half-head": OK + b"X: y\r\nContent-Le"}
IN_THE_BODY = {
    # The bytes, and what of them the client gets.
    "short": (OK + b"Content-Length: 10\r\n\r\nabc", b"abc"),
    "cut-chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"3\r\nhel\r\n"),
    "no-last-chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"5\r\nhello\r\n"),
}
NO_RESPONSES = {
    "garbage": b"blah blah\r\n\r\n", "version-0.9": b"<html>hello</html>", "other-protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "length-and-chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "two-lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", "length-list": OK + b"Content-Length: 2, 2\r\n\r\nok",
    "signed-length": OK + b"Content-Length: +2\r\n\r\nok", "endless-length": OK + b"Content-Length: 99999999999999999999\r\n\r\nok",
    "chunks-in-1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "other-coding": OK + b"Transfer-Encoding: gzip\r\n\r\nok", "nul": OK + b"X: a\0b\r\n" + TWO,
    "space-before-colon": OK + b"X : a\r\n" + TWO, "no-colon": OK + b"X\r\n" + TWO, "folded": OK + b"X: a\r\n b\r\n" + TWO,
    "status-2000": b"HTTP/1.1 2000 OK\r\n" + TWO, "status-99": b"HTTP/1.1 099 OK\r\n" + TWO,
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
    "large": OK + b"X: " + b"a" * 70_000 + b"\r\n" + TWO, "bare-cr": OK + b"X: a\rSet-Cookie: b=c\r\n" + TWO,
}
SCRIPTS = {f"/{name}": data for name, data in NO_RESPONSES.items()} | {
    f"/{name}-{end}": breaking(data, end == "rst")
    for name, data in BEFORE_THE_HEAD_IS_WHOLE.items() for end in ("fin", "rst")} | {
    f"/{name}-{end}": breaking(data, end == "rst")
    for name, (data, _) in IN_THE_BODY.items() for end in ("fin", "rst")} | {
    "/more": OK + b"Content-Length: 3\r\n\r\nabcdef",
    "/bad-size": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\nno\r\n0\r\n\r\n",
    "/bad-first-size": OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + TWO,
    "/no-content": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
    "/until-close!": OK + b"\r\nuntil close", "/never": lambda connection, request: time.sleep(3),
    "/in-the-middle": lambda connection, request: connection.sendall(OK + b"Content-Length: 9\r\n\r\nabc") or time.sleep(3),
}


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    timeouts = '[timeouts]\nresponse = "700ms"\nidle = "700ms"\n'
    with serving(f"{timeouts}[group.app]\nservers = [{origin.server}]\nthreads = 10\n") as balancer:
        yield balancer


def get(path, close=False):
    return (f"GET {path} HTTP/1.1\r\nHost: a\r\n" + ("Connection: close\r\n" if close else "") + "\r\n").encode()


@pytest.fixture(autouse=True)
def nobody_else_notices(balancer):
    yield
    assert b"GET /others" in balancer.raw(get("/others", close=True))
    wait_until(lambda: balancer.group("app")["processes"][0]["in_flight"] == 0, what="the slot")


@pytest.mark.parametrize("end", ["fin", "rst"])
@pytest.mark.parametrize("name", BEFORE_THE_HEAD_IS_WHOLE)
def test_a_process_that_closes_before_its_head_is_whole_is_a_502(balancer, origin, name, end):
    before = len(origin.requests)
    out = balancer.raw(get(f"/{name}-{end}", close=True))
    assert out.startswith(b"HTTP/1.1 502 ") and b"Proxy-Status: mooring; error=connection_terminated" in out
    # Once more on a fresh connection where nothing at all came back.
    assert len(origin.requests) - before == (2 if name == "nothing" else 1)


@pytest.mark.parametrize("end", ["fin", "rst"])
@pytest.mark.parametrize("name", IN_THE_BODY)
def test_a_body_that_breaks_off_ends_with_the_connection_and_never_cleanly(balancer, name, end):
    out = balancer.raw(get(f"/{name}-{end}") + get("/after"))
    assert out.endswith(b"\r\n\r\n" + IN_THE_BODY[name][1]) and b"GET /after" not in out


@pytest.mark.parametrize("name", NO_RESPONSES)
def test_what_is_no_response_is_a_502_and_nothing_of_it_is_passed_on(balancer, name):
    out = balancer.raw(get(f"/{name}", close=True))
    assert out.startswith(b"HTTP/1.1 502 ") and b"Proxy-Status: mooring; error=" in out
    assert b"\r\nSet-Cookie" not in out and b"\r\nX" not in out.replace(b"\r\nX-Request-Id: ", b"")


def test_bytes_behind_the_length_are_dropped_with_the_connection(balancer, origin):
    before = len(origin.connections)
    out = balancer.raw(get("/more") + get("/after", close=True))
    assert b"\r\n\r\nabcHTTP/1.1 200 OK" in out and b"def" not in out
    assert len(origin.connections) >= before + 1


@pytest.mark.parametrize("path, end", [("/bad-size", b"2\r\nok\r\n"), ("/bad-first-size", b"\r\n\r\n")])
def test_a_bad_chunk_size_is_no_clean_end(balancer, path, end):
    out = balancer.raw(get(path) + get("/after"))
    assert out.endswith(end) and b"0\r\n\r\n" not in out and b"GET /after" not in out


def test_early_hints_and_the_response_are_both_passed_on(balancer):
    out = balancer.raw(get("/hints", close=True))
    assert out.startswith(b"HTTP/1.1 103 Early Hints\r\n") and out.endswith(b"\r\n\r\nok")
    assert out.count(b"HTTP/1.1 ") == 2


def test_a_204_has_no_body_whatever_its_length_says(balancer):
    out = balancer.raw(get("/no-content") + get("/after", close=True))
    head, rest = out.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 204 ") and b"content-length" not in head.lower()
    assert rest.startswith(b"HTTP/1.1 200 OK") and b"GET /after" in rest


def test_a_body_until_close_is_whole_and_the_client_keeps_its_connection(balancer):
    out = balancer.raw(get("/until-close!") + get("/after", close=True))
    assert b"until close\r\n0\r\n\r\n" in out and b"GET /after" in out


def test_a_process_that_never_answers_is_a_504(balancer):
    started = time.monotonic()
    out = balancer.raw(get("/never", close=True), seconds=2.5)
    assert out.startswith(b"HTTP/1.1 504 ") and b"error=http_response_timeout" in out
    assert 0.6 < time.monotonic() - started


def test_a_process_that_falls_silent_in_the_body_is_no_clean_end(balancer):
    out = balancer.raw(get("/in-the-middle") + get("/after"), seconds=2.5)
    assert out.endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize("closes", [True, False])
def test_a_413_before_the_body_was_read_reaches_its_client(closes):
    """The process answers when it has seen the head, and reads no more."""
    listener = socket.create_server(("127.0.0.1", 0))
    with serving(f'[group.app]\nservers = ["127.0.0.1:{listener.getsockname()[1]}"]\n') as balancer:
        with socket.create_connection(balancer.address, timeout=10) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000)
            process, _ = listener.accept()
            process.recv(65536)
            process.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch")
            if closes:
                process.close()
            # The client notices late, and goes on sending meanwhile.
            client.settimeout(0.2)
            sent = 0
            try:
                while sent < 4 << 20:
                    sent += client.send(b"x" * 65536)
            except TimeoutError:
                pass
            client.settimeout(10)
            out = b""
            while piece := client.recv(65536):
                out += piece
            assert out.startswith(b"HTTP/1.1 413 ") and out.endswith(b"\r\n\r\nmuch")
            process.close()
    listener.close()


DEAF = """
import os, socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["MOORING_SOCKET"])
listener.listen(0)
while not os.path.exists("accept"):
    time.sleep(0.01)
while True:
    client = listener.accept()[0]
    if client.recv(65536):
        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    client.close()
"""


def test_a_full_backlog_is_waited_for_as_long_as_a_connection_may_take():
    configuration = ('[timeouts]\nconnect = "800ms"\n[group.app]\ncommand = ["python3", "deaf.py"]\n'
                     'threads = 10\n')
    with serving(configuration, files={"deaf.py": DEAF}) as balancer, ThreadPoolExecutor(8) as clients:
        balancer.wait_ready("app", 1)
        started = time.monotonic()
        refused = next(
            answer for answer in (
                done.result() for done in as_completed(clients.submit(balancer.request) for _ in range(4)))
            if answer.status == 503)
        assert b"the process is behind" in refused.body and refused.headers["Retry-After"] == "1"
        assert time.monotonic() - started > 0.7
        (balancer.folder / "accept").touch()
        answers = list(clients.map(lambda _: balancer.request(), range(8)))
        assert {answer.status for answer in answers} == {200}
