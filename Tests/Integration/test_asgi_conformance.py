"""ASGI as an application may use it (`asgi_application`): the same under every server that the host knows."""

import contextlib
import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from asgi_host import PLAIN, SERVERS, News, hosting
from wsgi_client import Client
from wsgi_host import UnixConnection, exchange, wait_until

WHOLE = [
    ("/plain", 200, b"a body"), ("/404", 404, b"nothing here"), ("/empty", 200, b""), ("/parts", 200, b"a body"),
    ("/minimal", 200, b""), ("/buffers", 200, b"one two"), ("/sized", 200, b"a body"), ("/sized-parts", 200, b"a body"),
    ("/long", 200, b"more"), ("/hop-by-hop", 200, b"a body"),
]
FAILURES = [
    ("/raise", "RuntimeError: on purpose"), ("/exit", "SystemExit: 3"), ("/interrupt", "KeyboardInterrupt"),
    ("/generator-exit", "GeneratorExit"), ("/cancelled", "CancelledError"), ("/memory", "MemoryError"),
    ("/early", "RuntimeError: on purpose"), ("/task-exit", "SystemExit: 3"), ("/silent", "returned without a response"),
    ("/only-start", "returned without a response"), ("/no-start", "before http.response.start"),
    ("/twice", "sent twice"), ("/unknown", "not a message of a response: 'http.response.nonsense'"),
    ("/bad-status", "not a status: 20"), ("/interim", "not a status: 100"), ("/bad-name", "not the name of a field"),
    ("/bad-value", "not the value of the field x"), ("/type", "not of str"), ("/short", "46 bytes shorter"),
]


@pytest.fixture(scope="module", params=[*SERVERS, PLAIN])
def host(request):
    with hosting(request.param) as host:
        yield host.wait_until_ready()


@pytest.fixture
def client(host):
    return Client(host)


@pytest.mark.parametrize("path, status, body", WHOLE)
def test_the_answer_is_what_the_application_said(client, path, status, body):
    answer = client.ask(path)
    assert (answer.status, answer.body, answer.is_whole) == (status, body, True)
    assert client.ask("/plain").body == b"a body"


@pytest.mark.parametrize("path, status, body", WHOLE)
def test_the_answer_to_head_has_no_body(client, path, status, body):
    assert client.ask(path, method="HEAD").status == status
    assert client.ask("/plain", method="HEAD").fields["content-length"] == "6"
    assert client.ask("/plain").body == b"a body"


@pytest.mark.parametrize("path, status", [("/204", 204), ("/304", 304)])
def test_a_status_without_a_body_has_none(client, path, status):
    for method in ("GET", "HEAD"):
        answer = client.ask(path, method=method)
        assert answer.status == status
        assert not {"transfer-encoding", "content-length"} & set(answer.fields)
        assert client.ask("/plain").body == b"a body"


def test_a_known_length_is_sent(client):
    assert client.ask("/plain").fields["content-length"] == "6"
    assert client.ask("/empty").fields["content-length"] == "0"
    assert client.ask("/many").fields["transfer-encoding"] == "chunked"


def test_much_passes_both_ways(client):
    assert client.ask("/large").body == b"x" * (8 << 20)
    assert client.ask("/many").body.endswith(b"998;999;")
    body = b"y" * (3 << 20)
    assert client.ask("/upload", method="POST", fields=f"Content-Length: {len(body)}\r\n", body=body).body == b"3145728"


@pytest.mark.parametrize("path, said", FAILURES)
def test_a_failure_is_500_with_its_traceback_and_the_process_lives(host, client, path, said):
    for method in ("GET", "HEAD"):
        answer = client.ask(path, method=method)
        assert (answer.status, answer.is_whole) == (500, True) or (path, method) == ("/short", "HEAD")
    assert client.tell()["pid"] == host.process.pid
    report = host.log[host.log.index(f"The application failed in GET {path}:\n"):]
    assert said in report.split("The application failed", 2)[1] and "uvicorn" not in report


@pytest.mark.parametrize("path", ["/late", "/late-exit", "/late-sized", "/never-ends"])
def test_a_response_that_fails_in_the_middle_is_not_taken_for_whole(host, client, path):
    answer = client.ask(path)
    assert (answer.status, answer.body, answer.is_whole) == (200, b"first", False)
    assert client.ask(path, method="HEAD").is_whole
    assert client.ask("/plain").body == b"a body"
    assert f"The application failed in GET {path}:" in host.log


def test_behind_the_end_nothing_is_sent_and_the_client_has_left(host, client):
    news = News(host)
    assert client.ask("/after-end").body == b"whole"
    wait_until(lambda: "sent after the end of the response" in host.log)
    assert news.all == ["http.disconnect"]


def test_a_task_that_ends_the_process_does_not(host, client):
    assert client.ask("/leaving-a-task").body == b"left"
    wait_until(lambda: "The application tried to end the process:" in host.log)
    assert client.tell()["pid"] == host.process.pid


def test_the_scope_is_complete_and_of_the_request_alone(host, client):
    told = client.tell("/a%20b//c?x=%2F", fields="X-Name: Jos\xe9\r\nUPPER: y\r\n")
    wanted = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/a b//c", "raw_path": "/a%20b//c", "query_string": "x=%2F", "root_path": "",
        "client": None, "server": ["x", 80], "extensions": {}, "body": ""}
    assert {key: told[key] for key in wanted} == wanted
    assert told["headers"] == [["host", "x"], ["x-name", "Jos\xe9"], ["upper", "y"]]
    assert told["mooring"] == {"group": "crew", "process": "k3f9", "multiprocess": False, "session": "", "affinity": ""}


def test_what_mooring_says_of_client_session_and_mount_is_believed(client):
    told = client.tell("/x%20y?q", fields=(
        "Host: example.org:8443\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
        "Mooring-Session: abc\r\nMooring-Affinity: kept\r\nX-Forwarded-Prefix: /outer/sh%C3%B6p\r\n").replace("Host", "X-Host"))
    assert (told["client"], told["scheme"]) == (["203.0.113.9", 0], "https")
    assert (told["mooring"]["session"], told["mooring"]["affinity"]) == ("abc", "kept")
    assert (told["root_path"], told["path"]) == ("/outer/sh\xf6p", "/outer/sh\xf6p/x y")
    assert (told["raw_path"], told["query_string"]) == ("/outer/sh%C3%B6p/x%20y", "q")
    assert told["server"] == ["x", 443]


@pytest.mark.parametrize("prefix", ["//evil.example", "evil", "", "/"])
def test_what_is_no_prefix_is_no_mount(client, prefix):
    told = client.tell("/x", fields=f"X-Forwarded-Prefix: {prefix}\r\n")
    assert (told["root_path"], told["path"]) == ("", "/x")


@pytest.mark.parametrize("target, path", [("/%C3%A9%FF", "/\xe9\ufffd"), ("//double//x", "//double//x"), ("/;a=1/~x", "/;a=1/~x")])
def test_paths_are_decoded_once(client, target, path):
    told = client.tell(target)
    assert (told["path"], told["raw_path"]) == (path, target)


def test_the_target_that_mooring_repeats_is_the_target(client):
    told = client.tell("/a%7Cb", fields="Mooring-Target: /a%7Cb?x\r\nMooring-Octets: X-Name=Jos%E9\r\nX-Name: Jos\xe9\r\n")
    assert (told["raw_path"], told["path"]) == ("/a%7Cb", "/a|b")
    assert [field for field in told["headers"] if field[0] != "host"] == [["x-name", "Jos\xe9"]]


def test_cookies_stay_below_the_mount(host, client):
    with hosting(host.server, {"app.py": COOKIES}) as other:
        mounted = Client(other.wait_until_ready())
        assert mounted.ask("/", fields="X-Forwarded-Prefix: /shop\r\n").fields["set-cookie"] == "a=b; path=/shop"
        assert mounted.ask("/").fields["set-cookie"] == "a=b; path=/"


COOKIES = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"a=b; path=/")]})
    await send({"type": "http.response.body"})
"""


def test_each_request_has_a_copy_of_the_lifespan_s_state(client):
    for _ in range(2):
        told = client.tell()
        assert told["state"] == {"shared": "'of the lifespan'", "count": "1"}
    assert told["life"] == ["lifespan.startup"]


def test_a_chunked_body_ends_where_it_ends(client):
    told = client.tell(
        method="POST", fields="Transfer-Encoding: chunked\r\n", body=b"4\r\nhalf\r\n5\r\n done\r\n0\r\n\r\n")
    assert told["body"] == "half done"


def test_a_large_head_is_taken(client):
    told = client.tell(f"/?{'x' * 30_000}", fields=f"Cookie: a={'x' * 30_000}\r\n")
    assert (len(told["query_string"]), len(dict(told["headers"])["cookie"])) == (30_000, 30_002)


def test_fields_keep_their_octets(client):
    fields = client.ask("/latin").fields
    assert (fields["x-name"], fields["x-odd"]) == ("Jos\xc3\xa9", "Jos\xe9")


def test_an_application_names_the_server_and_the_time_itself(client):
    lines = [line.lower() for line in client.ask("/server").lines]
    assert [line for line in lines if line.startswith("server:")] == ["server: mine"]
    assert [line for line in lines if line.startswith("date:")] == ["date: thu, 01 jan 1970 00:00:00 gmt"]


@contextlib.contextmanager
def raw(host, head):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(15)
        connection.connect(host.socket)
        connection.sendall(head.encode())
        yield connection


def test_parts_are_answered_before_the_next_ones_come(host):
    with raw(host, "POST /duplex HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") as connection:
        answer = b""
        for word in (b"one", b"two", b"three"):
            connection.sendall(b"%x\r\n%b\r\n" % (len(word), word))
            while word.upper() not in answer:
                answer += connection.recv(65536)
        connection.sendall(b"0\r\n\r\n")
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += connection.recv(65536)


def test_an_application_that_listens_hears_that_the_client_has_left(host):
    for path, word in (("/listening", "listening"), ("/listening-while-sending", "streaming")):
        news = News(host)
        with raw(host, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"):
            news.wait_for(word)
        news.wait_for("http.disconnect")


def test_one_that_does_not_listen_ends_where_it_sends(host):
    news = News(host)
    with raw(host, "GET /sending-for-ever HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        connection.recv(100)
    news.wait_for("failed")
    assert "sending-for-ever" not in host.log


def test_a_body_that_breaks_off_does_not_pass_for_the_whole(host):
    for fields, body in (("Content-Length: 10", "half"), ("Transfer-Encoding: chunked", "4\r\nhalf\r\n")):
        news = News(host)
        with raw(host, f"POST /half HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}"):
            wait_until(lambda: 4 in news.all or host.server == "granian")
        wait_until(lambda: any("cut after" in str(note) for note in news.all))
        assert not [note for note in news.all if "whole" in str(note)]


def test_as_many_requests_run_at_once_as_come(host):
    news = News(host)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(host.get("/waiting"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: news.all.count("waiting") == 20)
    host.get("/open")
    for thread in threads:
        thread.join()
    assert answers == [(200, b"waited")] * 20


def test_it_is_one_process_with_a_private_socket(host, client):
    assert client.tell()["pid"] == host.process.pid
    assert Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text() == ""
    assert stat.S_IMODE(os.stat(host.socket).st_mode) & 0o077 == 0


def test_connections_are_kept(host):
    connection = UnixConnection(host.socket)
    exchange(connection, "/plain")
    first = connection.sock
    for path in ("/many", "/204", "/404", "/large"):
        exchange(connection, path)
        assert connection.sock is first
    assert json.loads(exchange(connection, "/tell", "POST", iter([b"in ", b"chunks"]))[1])["body"] == "in chunks"
    assert connection.sock is first
    connection.close()
