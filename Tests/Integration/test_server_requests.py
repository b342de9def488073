"""What is asked of the server itself, and what is no request: answered without a process, and seen in the log."""

import socket

import http2
from balancer import ECHO, serving, wait_until

APP = '[group.app]\nwsgi = "app.py"\n'
STAR = b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
ABSOLUTE = b"OPTIONS http://a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def exchange(balancer, request):
    with socket.create_connection(balancer.address, 20) as client:
        client.sendall(request)
        answer = b""
        while data := client.recv(65536):
            answer += data
    return answer


def test_options_of_the_server_begin_no_session():
    with serving(APP, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        for request in (STAR, ABSOLUTE):
            answer = exchange(balancer, request)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nAllow: GET, " in answer, answer
            assert b"Set-Cookie" not in answer and b"mooring; details=" in answer
        connection = http2.Connection(balancer.address)
        answer = connection.get(http2.request("*", "OPTIONS"))
        assert answer.status == 200 and answer.fields["allow"].startswith("GET, ")
        group = balancer.group("app")
        assert group["sessions"]["created_total"] == 0 and group["processes"][0]["requests_total"] == 0
        # For a resource the application answers.
        assert b"Set-Cookie" in exchange(balancer, STAR.replace(b"*", b"/x"))


def test_a_path_that_is_too_long_is_414_over_http2():
    with serving(APP, files={"app.py": ECHO}) as balancer:
        connection = http2.Connection(balancer.address)
        path = "/" + "a" * 40_000
        fields = [(":method", "GET"), (":path", path), (":authority", "a"), (":scheme", "http")]
        stream, block, size = connection.fresh(), connection.encoder.encode(fields), 16384
        connection.send(http2.frame(http2.HEADERS, http2.END_STREAM, stream, block[:size]))
        for start in range(size, len(block), size):
            last = http2.END_HEADERS if start + size >= len(block) else 0
            connection.send(http2.frame(http2.CONTINUATION, last, stream, block[start:start + size]))
        assert connection.wait(stream).status == 414


def test_the_log_shows_what_was_refused_as_no_request():
    with serving(APP + '[log]\naccess = "access.log"\n', files={"app.py": ECHO}) as balancer:
        log = balancer.folder / "access.log"
        for request, shown in (
                (b"GET /nothing HTTP/9.9\r\nHost: a\r\n\r\n", '"GET /nothing HTTP/9.9" 505'),
                (b"\r\nBREW\t/\"pot\r\n\r\n", 'BREW'), (b"\x16\x03\x01\x02\x00\x01\x00\x01", "\\x16\\x03\\x01"),
                (b"GET / HTTP/1.1\r\nno field\r\n\r\n", '"GET / HTTP/1.1" 400'),
                (b"G" * 100_000, "G" * 2000)):
            exchange(balancer, request)
            line = wait_until(lambda: log.exists() and next((line for line in log.read_text().splitlines() if shown in line),
                                                            None), what=shown)  # noqa: B023
            assert len(line) < 9000 and all(0x20 <= ord(letter) < 0x7F for letter in line), line
