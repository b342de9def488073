"""One balancer takes the place of another: connections go over, and who waits is served."""

import ssl
import threading

import tls
from balancer import serving, wait_until
from takeover import (  # noqa: F401
    APP, CONFIGURATION, STARTS_ON_A_WORD, Kept, Tunnel, balancer, ended, replace)
from tls import secure


def test_a_kept_connection_goes_over_with_its_session(balancer):
    kept, unused = Kept(balancer.address), Kept(balancer.address)
    response, facts = kept.ask()
    cookie = response.headers["Set-Cookie"].split(";")[0]
    old = replace(balancer)
    assert ended(old) == 0, "nothing holds the old balancer"
    for count in range(2, 5):
        response, now = kept.ask(headers=f"Cookie: {cookie}\r\n")
        assert (now["pid"], now["count"]) == (facts["pid"], count)
        assert "Connection" not in response.headers, "the client was told to connect anew"
    assert unused.ask()[0].status == 200
    kept.close()
    unused.close()


def test_a_connection_whose_answer_is_under_way_goes_over_after_it(balancer):
    kept = Kept(balancer.address)
    kept.send("/hold", "X-Seconds: 1\r\n")
    wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 1)
    old = replace(balancer)
    response, _ = kept.answer()
    assert response.status == 200 and "Connection" not in response.headers
    assert ended(old) == 0
    assert kept.ask()[0].status == 200
    kept.close()


def test_what_was_sent_ahead_is_answered_before_the_connection_goes_over(balancer):
    kept = Kept(balancer.address)
    kept.send("/hold", "X-Seconds: 1\r\nX-Nonce: one\r\n")
    kept.send(headers="X-Nonce: two\r\n")
    wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) == 1)
    old = replace(balancer)
    kept.send(headers="X-Nonce: three\r\n")
    assert kept.nonces(3) == ["one", "two", "three"]
    assert ended(old) == 0
    kept.close()


def test_who_waits_for_a_process_that_starts_is_served_by_the_new_balancer():
    configuration = CONFIGURATION.format(drain="30s").replace(
        '["python3", "app.py"]', STARTS_ON_A_WORD)
    with serving(
            configuration.replace("processes = 2", "processes = { min = 0, max = 1 }"), files={"app.py": APP},
            keeps_address=True) as balancer:
        kept, partial = Kept(balancer.address), Kept(balancer.address)
        kept.send(headers="X-Nonce: one\r\n")
        kept.send(headers="X-Nonce: two\r\n")
        partial.socket.sendall(b"GET /page HTTP/1.1\r\nHo")
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 1)
        old = replace(balancer)
        assert ended(old) == 0, "nothing is under way"
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 1)
        partial.socket.sendall(b"st: a\r\n\r\n")
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 2)
        (balancer.folder / "go").touch()
        assert partial.answer()[0].status == 200
        assert kept.nonces(2) == ["one", "two"]
        kept.close()
        partial.close()


def test_who_waits_with_a_body_is_served_by_the_old_balancer_when_the_process_is_ready():
    configuration = CONFIGURATION.format(drain="30s").replace('["python3", "app.py"]', STARTS_ON_A_WORD)
    with serving(
            configuration.replace("processes = 2", "processes = { min = 0, max = 1 }"), files={"app.py": APP},
            keeps_address=True) as balancer:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            balancer.request("/page", method="POST", body=b"x" * 1000)))
        thread.start()
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 1)
        old = replace(balancer)
        (balancer.folder / "go").touch()
        thread.join(20)
        assert answers[0].status == 200 and answers[0].json()["length"] == 1000
        assert ended(old) == 0
        wait_until(lambda: balancer.pids("app") == [answers[0].json()["pid"]], what="the new balancer to know it")


def test_a_connection_goes_on_through_several_takeovers(balancer):
    kept, tunnel = Kept(balancer.address), Tunnel(balancer, balancer.request("/page").cookie)
    late = Kept(balancer.address)
    late.send("/hold", "X-Seconds: 2\r\n")
    wait_until(lambda: sum(p["in_flight"] for p in balancer.group("app")["processes"]) >= 1)
    first = replace(balancer)
    second = replace(balancer)
    assert kept.ask()[0].status == 200
    # Its answer ends in the first balancer, and it goes over to the third by way of the second.
    assert late.answer()[0].status == 200
    tunnel.close()
    assert (ended(first), ended(second)) == (0, 0)
    assert late.ask()[0].status == 200 and kept.ask()[0].status == 200
    late.close()
    kept.close()


def test_whom_a_proxy_header_has_named_is_known_after_the_takeover():
    configuration = "proxy_protocol = true\n" + CONFIGURATION.format(drain="30s")
    with serving(configuration, files={"app.py": APP}, keeps_address=True) as balancer:
        kept = Kept(balancer.address, b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n")
        silent = Kept(balancer.address)
        assert kept.ask()[1]["client"] == "192.0.2.7"
        assert ended(replace(balancer)) == 0
        silent.socket.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.8 4711 80\r\n")
        assert (kept.ask()[1]["client"], silent.ask()[1]["client"]) == ("192.0.2.7", "192.0.2.9")
        kept.close()
        silent.close()


def test_a_kept_connection_with_tls_is_told_to_come_anew(certificates):
    """Its keys are in the old balancer, so it cannot go over; no request on it is lost."""
    with serving(
            secure(certificates, CONFIGURATION.format(drain="30s")), files={"app.py": APP},
            keeps_address=True) as balancer:
        context = tls.trusting(certificates)
        kept = [Kept(balancer.address) for _ in range(2)]
        for connection in kept:
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
            assert "Connection" not in connection.ask()[0].headers
        kept[1].send("/hold", "X-Seconds: 1\r\n")
        old = replace(balancer)
        for answer in (kept[0].ask, kept[1].answer):
            response, _ = answer()
            assert (response.status, response.headers["Connection"]) == (200, "close")
        assert ended(old) == 0
        for connection in kept:
            connection.close()


def test_a_takeover_gives_no_handshake_less_time(certificates):
    """A crowd's handshakes take long, and the old balancer cannot hand them over."""
    with serving(
            secure(certificates, CONFIGURATION.format(drain="30s")), files={"app.py": APP},
            keeps_address=True) as balancer:
        context = tls.trusting(certificates)
        kept = Kept(balancer.address)
        kept.socket = context.wrap_socket(kept.socket, server_hostname="localhost")
        kept.ask()
        crowd = [Handshake(balancer.address, context) for _ in range(4)]
        old = replace(balancer)
        assert kept.socket.recv(100) == b"", "its second has not passed"
        for handshake in crowd:
            handshake.finish()
        for handshake in crowd:
            assert handshake.ask().startswith(b"HTTP/1.1 200 ")
        assert ended(old) == 0
        kept.close()


class Handshake:
    """A TLS client that has the server's part of the handshake and holds its own part back."""

    def __init__(self, address, context):
        self.connection = Kept(address)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.step()
        self.connection.socket.sendall(self.outgoing.read())
        while not self.step():
            self.incoming.write(self.connection.socket.recv(65536))

    def step(self):
        """Whether the client's part is complete."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def finish(self):
        self.connection.socket.sendall(self.outgoing.read())

    def ask(self):
        """The beginning of the response."""
        self.tls.write(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
        self.connection.socket.sendall(self.outgoing.read())
        while True:
            try:
                return self.tls.read(100)
            except ssl.SSLWantReadError:
                piece = self.connection.socket.recv(65536)
                if not piece:
                    return b""
                self.incoming.write(piece)


def test_a_session_that_only_the_new_balancer_knows_is_not_lost_in_the_old_one(certificates):
    """It has begun on a process of the new one's; another connection of its user is still with the old."""
    with serving(
            secure(certificates, CONFIGURATION.format(drain="30s")), files={"app.py": APP},
            keeps_address=True) as balancer:
        def connect():
            connection = Kept(balancer.address)
            connection.socket = tls.trusting(certificates).wrap_socket(
                connection.socket, server_hostname="localhost")
            return connection

        kept = connect()
        kept.ask()
        old = replace(balancer)
        balancer.admin("/groups/app/restart", method="POST")
        wait_until(lambda: balancer.group("app")["generation"] == 2)
        fresh = connect()
        response, facts = fresh.ask()
        cookie = f"Cookie: {response.headers['Set-Cookie'].split(';')[0]}\r\n"
        kept.send(headers=cookie)
        assert kept.socket.recv(100) == b"", "it was answered by who does not know the session"
        _, again = fresh.ask(headers=cookie)
        assert (again["pid"], again["count"]) == (facts["pid"], facts["count"] + 1)
        assert ended(old) == 0
        fresh.close()
        kept.close()
