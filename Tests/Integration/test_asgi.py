"""ASGI applications behind Mooring, under every server: over HTTP/1.1, HTTP/2 and TLS."""

import json
import shutil
import socket
import ssl
import struct

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asgi_host import APPLICATION, SERVERS
from balancer import serving, wait_until
from http2 import DATA, END_STREAM, Connection, frame, request

GROUPS = "".join(f'[group.{name}]\nasgi = "app.py"\nserver = "{name}"\nprocesses = 1\n' for name in SERVERS)
ROUTES = "".join(
    f'"/{name}" = {{ group = "{name}", strip_prefix = true }}\n"{name}.example/" = "{name}"\n' for name in SERVERS)


@pytest.fixture(scope="module")
def balancer(certificates):
    tls = (f'[[listen]]\naddress = "127.0.0.1:0"\n[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\n'
           f'certificate = "{certificates}/one.pem"\nkey = "{certificates}/one.key"\n')
    # Parts of a body are passed on as they come.
    with serving(f"{tls}{GROUPS}[routes]\n{ROUTES}[limits]\nrequest_buffer = \"0\"\n", prepare=lambda folder: shutil.copy(APPLICATION, folder / "app.py")) as balancer:
        for name in SERVERS:
            balancer.wait_ready(name, 1)
        secure = balancer.first_line.split("serving on ")[1].split(", ")[1].split(",")[0]
        balancer.secure = ("127.0.0.1", int(secure.rpartition(":")[2]))
        balancer.context = lambda: ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        yield balancer


@pytest.fixture(params=SERVERS)
def server(request):
    return request.param


@pytest.fixture
def host(server):
    """The name of the host that is one application's alone."""
    return f"{server}.example"


def ask(balancer, host, path, **options):
    return balancer.request(path, headers={"Host": host, **options.pop("headers", {})}, **options)


class News:
    """What the application has noted since."""

    def __init__(self, balancer, host):
        self.balancer, self.host, self.count = balancer, host, 0
        self.count = len(self.all)

    @property
    def all(self):
        return ask(self.balancer, self.host, "/tell").json()["seen"][self.count:]

    def wait_for(self, note):
        wait_until(lambda: note in self.all, what=note)


def connect(balancer, path, **options):
    connection = socket.create_connection(balancer.secure if options.get("ssl") else balancer.address, 15)
    scheme = "wss" if options.get("ssl") else "ws"
    return websockets.sync.client.connect(f"{scheme}://localhost{path}", sock=connection, **options)


def test_a_whole_answer_is_that_of_the_application(balancer, host):
    for path, status, body in (("/plain", 200, b"a body"), ("/404", 404, b"nothing here"), ("/many", 200, None), ("/204", 204, b"")):
        answer = ask(balancer, host, path)
        assert answer.status == status and (body is None or answer.body == body)
    assert ask(balancer, host, "/raise").status == 500
    assert ask(balancer, host, "/exit").status == 500


def test_the_application_knows_its_session_and_its_client(balancer, host):
    first = ask(balancer, host, "/tell")
    told = ask(balancer, host, "/tell", cookie=first.cookie).json()
    facts = first.json()["mooring"]
    assert facts["session"] and told["mooring"]["session"] == facts["session"]
    assert (facts["affinity"], told["mooring"]["affinity"]) == ("new", "kept")
    assert (facts["group"], facts["multiprocess"]) == (host.split(".")[0], True) and facts["process"]
    assert (told["client"], told["scheme"], told["server"]) == (["127.0.0.1", 0], "http", [host, 80])
    forged = ask(balancer, host, "/tell", headers={
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil", "Mooring-Session": "x",
        "Mooring-Target": "/evil", "Mooring-Octets": "x=y"}).json()
    assert (forged["client"], forged["scheme"], forged["root_path"], forged["path"]) == (["127.0.0.1", 0], "http", "", "/tell")


@pytest.mark.parametrize("target, path", [
    ("/a%20b//c?x=%2F", "/a b//c"), ("/%C3%A9|\"", "/\xe9|\""), ("/x%FF", "/x\ufffd")])
def test_the_path_is_the_client_s(balancer, host, target, path):
    data = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Name: Jos\xe9\r\nCookie: a=\xe9\r\nConnection: close\r\n\r\n"
    told = json.loads(balancer.raw(data.encode("latin-1"), seconds=15).partition(b"\r\n\r\n")[2])
    assert told["path"] == path
    fields = dict(told["headers"])
    assert (fields["x-name"], fields["cookie"]) == ("Jos\xe9", "a=\xe9")
    assert not [name for name in fields if name in ("mooring-target", "mooring-octets")]


def test_a_mount_is_the_root_path(balancer, server):
    told = balancer.request(f"/{server}/x%20y?q").json()
    assert (told["root_path"], told["path"], told["raw_path"]) == (f"/{server}", f"/{server}/x y", f"/{server}/x%20y")
    with connect(balancer, f"/{server}/where") as connection:
        told = json.loads(connection.recv(timeout=15))
    assert (told["root_path"], told["path"]) == (f"/{server}", f"/{server}/where")


def test_over_tls_the_scheme_is_https(balancer, host, server):
    with Connection(balancer.secure, balancer.context()) as client:
        told = json.loads(client.get(request("/tell", "GET", host)).body)
    assert (told["scheme"], told["server"]) == ("https", [host, 443])
    with connect(balancer, f"/{server}/where", ssl=balancer.context(), server_hostname="localhost") as connection:
        assert json.loads(connection.recv(timeout=15))["scheme"] == "wss"


def test_parts_are_answered_before_the_next_ones_come(balancer, host):
    head = f"POST /duplex HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(balancer.address, 15) as connection:
        connection.sendall(head.encode())
        answer = b""
        for word in (b"one" * 30_000, b"two" * 30_000, b"three"):
            connection.sendall(b"%x\r\n%b\r\n" % (len(word), word))
            while word[-5:].upper() not in answer[-8:]:
                answer += connection.recv(65536)
        connection.sendall(b"0\r\n\r\n")
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += connection.recv(65536)


def test_the_same_over_http2(balancer, host):
    with Connection(balancer.secure, balancer.context()) as client:
        stream = client.ask(request("/duplex", "POST", host), end=False)
        answer = client.answers[stream]
        for word in (b"one" * 4000, b"two" * 4000, b"three"):
            client.send(frame(DATA, 0, stream, word))
            assert client.read(lambda: answer.body.endswith(word.upper()), 5), (word[:9], answer.status, len(answer.body))
        client.send(frame(DATA, END_STREAM, stream))
        assert client.wait(stream).status == 200 and answer.reset is None
        assert [client.get(request("/many", "GET", host)).body[-8:] for _ in range(2)] == [b"998;999;"] * 2


@pytest.mark.parametrize("path, word", [("/listening", "listening"), ("/listening-while-sending", "streaming")])
def test_an_application_that_listens_hears_that_the_client_has_left(balancer, host, path, word):
    news = News(balancer, host)
    with socket.create_connection(balancer.address, 15) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        news.wait_for(word)
        # An end alone could be that of what the client sends.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    news.wait_for("http.disconnect")
    with Connection(balancer.address) as client:
        news = News(balancer, host)
        stream = client.ask(request(path, "GET", host))
        news.wait_for(word)
        client.send(frame(3, 0, stream, struct.pack("!I", 8)))
        news.wait_for("http.disconnect")


def test_one_that_does_not_listen_ends_where_it_sends(balancer, host):
    news = News(balancer, host)
    with socket.create_connection(balancer.address, 15) as connection:
        connection.sendall(f"GET /sending-for-ever HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        connection.recv(100)
    news.wait_for("failed")


def test_an_upload_that_breaks_off_does_not_pass_for_the_whole(balancer, host):
    news = News(balancer, host)
    with socket.create_connection(balancer.address, 15) as connection:
        head = f"POST /half HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"%x\r\n%b\r\n" % (200_000, b"x" * 200_000))
        wait_until(lambda: news.all)
    wait_until(lambda: any("cut after 200000" == note for note in news.all))


@pytest.mark.parametrize("path", ["/late", "/late-exit", "/late-sized", "/never-ends"])
def test_a_response_that_breaks_off_never_looks_whole(balancer, host, path):
    head, _, body = balancer.raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), seconds=15).partition(b"\r\n\r\n")
    assert b" 200 " in head and b"mooring-break" not in head.lower()
    assert b"first" in body and not body.endswith(b"0\r\n\r\n")
    with Connection(balancer.address) as client:
        broken, whole = [client.wait(stream) for stream in [client.ask(request(each, "GET", host)) for each in (path, "/plain")]]
        assert (broken.status, broken.body, broken.reset is None) == (200, b"first", False) or (
            # It may break off before Mooring has sent anything of it.
            broken.reset is not None and broken.body == b"")
        assert (whole.reset, whole.body) == (None, b"a body")


def test_websockets_with_codes_and_subprotocols(balancer, server, host):
    news = News(balancer, host)
    with connect(balancer, f"/{server}/echo", subprotocols=["one", "two"]) as connection:
        assert connection.subprotocol == "two"
        for message in ("text", b"\0bytes", "\u20ac" * 50_000):
            connection.send(message)
            assert connection.recv(timeout=15) == message
        connection.close(4321, "enough")
    wait_until(lambda: any(isinstance(note, list) and note[0] == 4321 for note in news.all))
    with connect(balancer, f"/{server}/close") as connection, pytest.raises(ConnectionClosed) as raised:
        connection.recv(timeout=15)
    assert (raised.value.rcvd.code, raised.value.rcvd.reason) == (4001, "enough")
    for path, status in (("reject", 403), ("deny", 401), ("raise-early", 500)):
        with pytest.raises(InvalidStatus) as raised:
            connect(balancer, f"/{server}/{path}").close()
        assert raised.value.response.status_code == status


def test_a_websocket_over_http2(balancer, host):
    news = News(balancer, host)
    with Connection(balancer.secure, balancer.context()) as client:
        stream = client.ask([
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/echo"),
            (":authority", host), ("sec-websocket-version", "13"), ("sec-websocket-protocol", "one, two")], end=False)
        answer = client.answers[stream]
        assert client.read(lambda: answer.heads) and answer.status == 200
        assert answer.fields["sec-websocket-protocol"] == "two"
        client.send(frame(DATA, 0, stream, masked(1, b"hello")))
        assert client.read(lambda: answer.body == b"\x81\x05hello")
        client.send(frame(DATA, 0, stream, masked(8, struct.pack("!H", 4000))))
        assert client.read(lambda: answer.body.endswith(b"\x88\x02" + struct.pack("!H", 4000)))
    wait_until(lambda: [4000, ""] in news.all)


def masked(kind, payload):
    """A frame of a client whose mask changes nothing."""
    return bytes([0x80 | kind, 0x80 | len(payload)]) + bytes(4) + payload


def test_a_client_of_websockets_that_goes_is_heard_of(balancer, server, host):
    news = News(balancer, host)
    with connect(balancer, f"/{server}/echo") as connection:
        connection.send("x")
        connection.recv(timeout=15)
        connection.socket.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: "not sent" in news.all)


def test_the_process_is_the_one_that_mooring_started(balancer, server, host):
    assert [ask(balancer, host, "/tell").json()["pid"]] == balancer.pids(server)


def test_a_start_whose_lifespan_fails_is_reported_with_its_reason():
    text = "async def app(scope, receive, send):\n    await receive()\n    raise OSError('no database')\n"
    with serving('[group.app]\nasgi = "app:app"\n', files={"app.py": text}) as balancer:
        failure = wait_until(lambda: balancer.group("app")["spawn"]["last_failure"])
        assert failure["output"][-1].endswith("OSError: no database"), failure
        assert "The application failed in its lifespan startup:" in balancer.log


def test_a_restart_ends_lifespans_and_lets_requests_finish():
    configuration = '[group.app]\nasgi = "app.py"\nprocesses = 1\nstop_timeout = "5s"\ndrain_timeout = "0"\n'
    with serving(configuration, prepare=lambda folder: shutil.copy(APPLICATION, folder / "app.py")) as balancer:
        old = balancer.wait_ready("app", 1)
        assert balancer.group("app")["threads"] == 100
        assert balancer.admin("/groups/app/restart", "POST").status in (200, 202)
        wait_until(lambda: balancer.pids("app") and balancer.pids("app") != old)
        wait_until(lambda: "the lifespan is over" in balancer.log)
