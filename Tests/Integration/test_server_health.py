"""External servers whose group has a health path are asked, and believed."""

from balancer import Balancer, serving, wait_until
from origin import Origin


class Server(Origin):
    """Answers /healthz as set by the test, and everything else with its name."""

    def __init__(self, name, **place):
        super().__init__(**place)
        self.name, self.status, self.checks = name, 200, 0

    def serve(self, connection):
        with connection:
            head = connection.recv(65536)
            if not head:
                return
            status = 200
            if head.startswith(b"GET /healthz "):
                self.checks += 1
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
