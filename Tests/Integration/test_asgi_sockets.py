"""WebSockets of an ASGI application (`asgi_application`): the same under every server that the host knows."""

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asgi_host import PLAIN, SERVERS, News, connect, hosting
from wsgi_host import wait_until

MOUNTED = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /shop\r\nMooring-Session: abc"


@pytest.fixture(scope="module", params=[*SERVERS, PLAIN])
def host(request):
    with hosting(request.param) as host:
        yield host.wait_until_ready()


def closed(connection):
    """Code and reason with which the host closes."""
    with pytest.raises(ConnectionClosed) as raised:
        connection.recv(timeout=15)
    return raised.value.rcvd and (raised.value.rcvd.code, raised.value.rcvd.reason)


def test_messages_come_back_as_what_they_were_sent(host):
    with connect(host) as connection:
        for message in ("text", b"\0bytes", "", b"", "\u20ac" * 100_000, b"x" * 3_000_000):
            connection.send(message)
            assert connection.recv(timeout=15) == message


def test_the_subprotocol_is_the_application_s_choice(host):
    with connect(host, subprotocols=["one", "two"]) as connection:
        assert connection.subprotocol == "two"
    with connect(host) as connection:
        assert connection.subprotocol is None


def test_fields_of_the_handshake_are_sent(host):
    if host.server == "granian":
        pytest.skip("granian sends no fields of websocket.accept")
    with connect(host) as connection:
        assert connection.response.headers["x-of"] == "accept"
        assert connection.response.headers["set-cookie"] == "a=b; path=/"


def test_the_application_hears_how_the_client_has_closed(host):
    news = News(host)
    with connect(host) as connection:
        connection.close(4321, "enough")
    # It is told so, and what it sends afterwards fails; the one may come before the other.
    # granian does not tell the reason.
    closed = [4321, "" if host.server == "granian" else "enough"]
    wait_until(lambda: "not sent" in news.all and closed in news.all)


def test_it_hears_that_the_client_has_gone_without_a_word(host):
    news = News(host)
    with connect(host) as connection:
        connection.send("x")
        connection.recv(timeout=15)
        connection.socket.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: "not sent" in news.all)
    # granian takes it for a close without a code.
    assert news.all[1] == [1005 if host.server == "granian" else 1006, ""]


@pytest.mark.parametrize("how", ["close", "drop"])
def test_one_that_only_sends_ends_where_it_sends(host, how):
    news = News(host)
    with connect(host, "/only-sending") as connection:
        connection.recv(timeout=15)
        if how == "drop":
            connection.socket.shutdown(socket.SHUT_RDWR)
    news.wait_for("failed")
    assert "only-sending" not in host.log


def test_a_close_without_a_code_has_none(host):
    news = News(host)
    with connect(host) as connection:
        connection.socket.sendall(b"\x88\x80\0\0\0\0")
        wait_until(lambda: "not sent" in news.all)
    assert news.all[1] == [1005, ""]


@pytest.mark.parametrize("path, code, reason", [
    ("/close", 4001, "enough"), ("/close-plain", 1000, ""), ("/return", 1000, ""), ("/raise", 1011, ""),
    ("/exit", 1011, ""), ("/wrong", 1011, ""),
])
def test_it_closes_with_the_code_that_is_due(host, path, code, reason):
    with connect(host, path) as connection:
        assert closed(connection) == (code, reason)


def test_who_has_closed_hears_its_own_code(host):
    news = News(host)
    with connect(host, "/close") as connection:
        closed(connection)
    news.wait_for(4001)


def test_one_task_closes_while_another_waits_for_a_message(host):
    news = News(host)
    with connect(host, "/close-while-receiving") as connection:
        assert closed(connection) == (4002, "")
    news.wait_for(4002)


@pytest.mark.parametrize("path, status, body", [
    ("/reject", 403, b""), ("/deny", 401, b"who are you?"), ("/silent", 500, b"Internal Server Error\n"),
    ("/raise-early", 500, b"Internal Server Error\n"), ("/exit-early", 500, b"Internal Server Error\n"),
    ("/not-offered", 500, b"Internal Server Error\n"),
])
def test_a_handshake_can_be_refused(host, path, status, body):
    with pytest.raises(InvalidStatus) as raised:
        connect(host, path, subprotocols=["one"]).close()
    response = raised.value.response
    assert (response.status_code, bytes(response.body)) == (status, body)
    assert path != "/deny" or response.headers["x-why"] == "login"


@pytest.mark.parametrize("path, said", [
    ("/raise", "RuntimeError: on purpose"), ("/exit", "SystemExit: 3"), ("/raise-early", "RuntimeError: on purpose"),
    ("/silent", "returned without an answer to the handshake"), ("/wrong", "takes bytes or a text"),
    ("/not-offered", "the client has not offered the subprotocol 'other'"),
])
def test_a_failure_is_reported(host, path, said):
    try:
        with connect(host, path) as connection:
            closed(connection)
    except InvalidStatus:
        pass
    wait_until(lambda: f"The application failed in WebSocket {path}:\n" in host.log)
    report = host.log[host.log.index(f"The application failed in WebSocket {path}:\n"):]
    assert said in report.split("The application failed", 2)[1]


def test_the_scope_is_complete(host):
    with connect(host, "/a%20b?x=y", fields=MOUNTED, subprotocols=["one"]) as connection:
        told = json.loads(connection.recv(timeout=15))
    wanted = {
        "type": "websocket", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "wss",
        "path": "/shop/a b", "raw_path": "/shop/a%20b", "query_string": "x=y", "root_path": "/shop",
        "client": ["203.0.113.9", 0], "server": ["x", 443], "subprotocols": ["one"],
        "extensions": {"websocket.http.response": {}}}
    assert {key: told[key] for key in wanted} == wanted
    assert told["mooring"]["session"] == "abc"
