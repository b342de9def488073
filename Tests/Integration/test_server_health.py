"""External servers whose group has a health path are asked, and believed."""

import contextlib
import socket
import ssl

import tls
from balancer import Balancer, serving, wait_until
from origin import Origin


class Server(Origin):
    """Answers /healthz as set by the test, and everything else with its name."""

    def __init__(self, name, wrap=lambda connection: connection, **place):
        super().__init__(**place)
        self.name, self.status, self.checks, self.wrap = name, 200, 0, wrap
        self.last_check = b""

    def __exit__(self, *_):
        self.listener.close()

    def serve(self, connection):
        with contextlib.suppress(OSError):
            self.answer(self.wrap(connection))

    def answer(self, connection):
        with connection:
            head = connection.recv(65536)
            if not head:
                return
            status = 200
            if head.startswith(b"GET /healthz "):
                self.checks += 1
                self.last_check = head
                status = self.status
            connection.sendall(
                f"HTTP/1.1 {status} Any\r\nContent-Length: {len(self.name)}\r\nConnection: close\r\n\r\n{self.name}"
                .encode())


def states(balancer):
    return [p["state"] for p in balancer.group("a")["processes"]]


def configuration(servers, rise=3, fall=2, interval="100ms"):
    return (f'[group.a]\nservers = {servers}\nkeepalive = false\n'.replace("'", '"') +
            f'health = {{ path = "/healthz", interval = "{interval}", rise = {rise}, fall = {fall} }}\n')


def test_a_server_is_down_after_fall_bad_answers_and_up_after_rise_good_ones():
    one, other = Server("one"), Server("other")
    with serving(configuration([f"127.0.0.1:{s.port}" for s in (one, other)])) as balancer:
        wait_until(lambda: one.checks > 1 and other.checks > 1, what="checks of both")
        assert states(balancer) == ["ready", "ready"]
        one.status, before = 503, one.checks
        wait_until(lambda: states(balancer) == ["down", "ready"], what="the server to be down")
        assert one.checks - before >= 2
        assert {balancer.request().body for _ in range(6)} == {b"other"}
        # Its requests are answered well all the time; the checks are what counts.
        one.status, before = 200, one.checks
        wait_until(lambda: states(balancer) == ["ready", "ready"], what="the server to be back")
        assert one.checks - before >= 3
        assert "server answers again" in balancer.log
        assert b"one" in {balancer.request().body for _ in range(6)}


def test_a_server_that_refuses_connections_comes_back_by_its_checks():
    one, other = Server("one"), Server("other")
    with serving(configuration([f"127.0.0.1:{s.port}" for s in (one, other)], rise=2)) as balancer:
        one.hang_up()
        wait_until(lambda: states(balancer) == ["down", "ready"], what="the server to be down")
        assert "server gets a request again" not in balancer.log
        again = Server("one", port=one.port)
        wait_until(lambda: states(balancer) == ["ready", "ready"], what="the server to be back")
        assert again.checks >= 2


def test_a_server_at_localhost_is_asked_at_either_address():
    one = Server("one", host="::1")
    with serving(configuration([f"localhost:{one.port}"])) as balancer:
        wait_until(lambda: one.checks > 2, what="checks")
        assert states(balancer) == ["ready"] and balancer.request().body == b"one"
        one.hang_up()
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")


def test_checks_begin_change_and_end_with_a_reload():
    one, other = Server("one"), Server("other")
    plain = f'[group.a]\nservers = ["127.0.0.1:{one.port}"]\n'
    balancer = Balancer(plain)
    try:
        text = balancer.file.read_text()
        balancer.file.write_text(
            text + 'health = { path = "/healthz", interval = "100ms", rise = 1, fall = 1 }\n')
        assert balancer.admin("/reload", "POST").status == 200
        one.status = 500
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")
        one.status = 200
        wait_until(lambda: states(balancer) == ["ready"], what="the server to be up")
        balancer.file.write_text(
            text + f'[group.b]\nservers = [{other.server}]\nhealth = {{ path = "/healthz", interval = "100ms" }}\n'
            '[routes]\n"/" = "a"\n"/b" = "b"\n')
        assert balancer.admin("/reload", "POST").status == 200
        one.status, before, others = 500, one.checks, other.checks
        wait_until(lambda: other.checks > others + 5, what="the checks of another group")
        # One may have been under way.
        assert one.checks <= before + 1 and states(balancer) == ["ready"]
        assert balancer.request().status == 200
    finally:
        balancer.stop()


def test_checks_go_on_after_a_takeover():
    one = Server("one")
    balancer = Balancer(configuration([f"127.0.0.1:{one.port}"], rise=1, fall=1), keeps_address=True)
    try:
        balancer.take_over()
        one.status = 500
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")
        one.status = 200
        wait_until(lambda: states(balancer) == ["ready"], what="the server to be up")
    finally:
        balancer.stop()


def test_a_server_that_answers_badly_keeps_its_sessions_until_it_is_gone():
    one, other = Server("one"), Server("other")
    with serving(configuration([f"127.0.0.1:{s.port}" for s in (one, other)], rise=1)) as balancer:
        answer = next(a for a in (balancer.request() for _ in range(9)) if a.body == b"one")
        one.status = 503
        wait_until(lambda: states(balancer) == ["down", "ready"], what="the server to be down")
        assert "fails its health check at /healthz: status 503" in balancer.log
        for _ in range(5):
            assert balancer.request(cookie=answer.cookie).body == b"one"
            assert balancer.request().body == b"other"
        one.hang_up()
        assert balancer.request(cookie=answer.cookie).body == b"other"


def test_a_check_names_the_host_and_the_statuses_that_are_good():
    one = Server("one")
    text = configuration([f"127.0.0.1:{one.port}"], rise=1, fall=1).replace(
        "health = {", 'host_header = "inner"\nhealth = { status = "204,300-302",')
    with serving(text) as balancer:
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")
        one.status = 301
        wait_until(lambda: states(balancer) == ["ready"], what="the server to be up")
        assert b"Host: inner\r\n" in one.last_check
        file = balancer.file.read_text()
        balancer.file.write_text(file.replace("status =", 'host = "app:81", status ='))
        assert balancer.admin("/reload", "POST").status == 200
        wait_until(lambda: b"Host: app:81\r\n" in one.last_check, what="the other host")


def test_without_a_path_a_connection_is_the_check(tmp_path):
    place = f"{tmp_path}/s.sock"
    with socket.socket(socket.AF_UNIX) as listener, Server("one") as one:
        listener.bind(place)
        listener.listen()
        text = (f'[group.a]\nservers = ["127.0.0.1:{one.port}", "unix:{place}"]\n'
                'health = { interval = "50ms", rise = 1, fall = 2 }\n')
        with serving(text) as balancer:
            wait_until(lambda: one.connections, what="a check")
            assert states(balancer) == ["ready", "ready"]
            listener.close()
            one.hang_up()
            wait_until(lambda: states(balancer) == ["down", "down"], what="both to be down")
            again = Server("one", port=one.port)
            wait_until(lambda: states(balancer) == ["ready", "down"], what="the server to be up")
            assert again.checks == 0 and again.connections


def test_fastcgi_servers_are_checked_by_connections_only():
    one = Server("one")
    text = (f'[group.a]\nservers = ["127.0.0.1:{one.port}"]\nprotocol = "fastcgi"\n'
            'fastcgi = { script = "/srv/app.php" }\nhealth = { interval = "50ms", fall = 1 }\n')
    with serving(text) as balancer:
        wait_until(lambda: one.connections, what="a check")
        one.hang_up()
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")


def test_a_server_behind_tls_is_checked(tmp_path):
    tls.make_authority(tmp_path)
    tls.make_certificate(tmp_path, "one", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "one.pem", tmp_path / "one.key")
    one = Server("one", wrap=lambda connection: context.wrap_socket(connection, server_side=True))
    text = configuration(["x"], rise=1, fall=1).replace(
        '["x"]', f'[{{ address = "https://127.0.0.1:{one.port}", verify = false }}]')
    with serving(text) as balancer:
        wait_until(lambda: one.checks > 2, what="checks")
        assert states(balancer) == ["ready"] and balancer.request().body == b"one"
        one.status = 500
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")
        one.status = 200
        wait_until(lambda: states(balancer) == ["ready"], what="the server to be up")
        balancer.file.write_text(balancer.file.read_text().replace(", verify = false", ""))
        assert balancer.admin("/reload", "POST").status == 200
        wait_until(lambda: states(balancer) == ["down"], what="the server to be down")
        assert "fails its health check at /healthz: no TLS" in balancer.log
