"""Processes that authenticate a connection (NTLM, Negotiate): no other client is served on it."""

import contextlib
import socket

import pytest

from balancer import serving
from http2 import Connection, request
from origin import Origin
from proxies import proxy


class Authenticator(Origin):
    """Answers with the name of the user who has signed in on the connection, in two steps as NTLM has."""

    def __init__(self, challenge="NTLM"):
        super().__init__()
        self.challenge = challenge

    def serve(self, connection):
        user, offered = None, False
        reader = connection.makefile("rb")
        with contextlib.suppress(OSError), connection:
            while reader.readline():
                fields = {}
                while (line := reader.readline().strip()):
                    name, _, value = line.decode().partition(":")
                    fields[name.lower()] = value.strip()
                scheme, _, word = fields.get("authorization", "").partition(" ")
                extra = f"WWW-Authenticate: {self.challenge}\r\n"
                if word == "hello":
                    user, offered, extra = None, True, f"WWW-Authenticate: {scheme} challenge\r\n"
                elif word and offered:
                    user = word
                if user:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(user), user.encode()))
                else:
                    connection.sendall(f"HTTP/1.1 401 Unauthorized\r\n{extra}Content-Length: 0\r\n\r\n".encode())


class Client:
    """One connection to the balancer; cookies are not kept."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, 10)
        self.reader = self.socket.makefile("rb")

    def get(self, authorization=None, *fields):
        lines = ["GET / HTTP/1.1", "Host: a", *fields]
        if authorization:
            lines.append(f"Authorization: {authorization}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, self.reader.read(length).decode()

    def sign_in(self, user, scheme="NTLM"):
        assert self.get(f"{scheme} hello")[0] == 401
        return self.get(f"{scheme} {user}")

    def close(self):
        self.reader.close()
        self.socket.close()


def configuration(*servers, pin="always"):
    return (f'[group.app]\nservers = [{", ".join(s.server for s in servers)}]\n'
            f'affinity = {{ pin = "{pin}" }}\n')


@pytest.mark.parametrize("challenge", [
    "NTLM", "Negotiate", "nEGOTIATE", 'Basic realm="a, b", ntlm', "NTLM\r\nWWW-Authenticate: Basic realm=x"])
def test_a_sign_in_counts_for_its_client_alone(challenge):
    with Authenticator(challenge) as one, serving(configuration(one, pin="never")) as balancer:
        ann = Client(balancer.address)
        assert ann.get()[0] == 401
        assert ann.sign_in("ann") == (200, "ann")
        for _ in range(20):
            eve = Client(balancer.address)
            assert eve.get()[0] == 401
            eve.close()
            assert ann.get() == (200, "ann")
        ann.close()
        for _ in range(10):
            assert Client(balancer.address).get()[0] == 401


def test_a_client_that_signs_in_unasked_is_not_shared_either():
    with Authenticator() as one, serving(configuration(one, pin="never")) as balancer:
        assert Client(balancer.address).sign_in("ann", "Negotiate") == (200, "ann")
        assert {Client(balancer.address).get()[0] for _ in range(10)} == {401}


def test_a_client_without_cookies_signs_in_with_one_of_several_processes():
    with Authenticator() as one, Authenticator() as two, serving(configuration(one, two)) as balancer:
        for user in ("ann", "ben", "cia"):
            client = Client(balancer.address)
            assert client.get()[0] == 401
            assert client.sign_in(user) == (200, user)
            assert client.get() == (200, user)


def test_a_proxy_in_front_does_not_lend_a_sign_in_to_its_other_clients():
    with Authenticator() as one, serving(configuration(one)) as balancer:
        proxied = Client(balancer.address)
        assert proxied.get(None, "X-Real-IP: 1.1.1.1")[0] == 401
        assert proxied.get("NTLM hello", "X-Real-IP: 1.1.1.1")[0] == 401
        assert proxied.get("NTLM ann", "X-Real-IP: 1.1.1.1") == (200, "ann")
        assert proxied.get(None, "X-Real-IP: 1.1.1.1")[0] == 401


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_behind_a_real_proxy_nobody_is_served_as_somebody_who_signed_in(kind):
    with Authenticator() as one, serving(configuration(one)) as balancer, proxy(kind, balancer) as address:
        for turn in range(2500):
            if turn % 250 == 0:
                # nginx takes a thousand requests on a connection.
                ann, eve = Client(address), Client(address)
            # The proxy may lend her connection to others in between: then she is not signed in.
            for word in ("NTLM hello", "NTLM ann", None):
                assert ann.get(word) in [(401, ""), (200, "ann")]
            assert eve.get() == (401, "")


def test_over_http2_no_connection_is_used_again_after_a_challenge():
    with Authenticator() as one, serving(configuration(one, pin="never")) as balancer, \
            Connection(balancer.address) as browser:
        assert browser.get(request("/", "GET", "a", ("authorization", "NTLM hello"))).status == 401
        assert browser.get(request("/", "GET", "a", ("authorization", "NTLM ann"))).status == 401
        assert Client(balancer.address).get()[0] == 401


def test_an_idle_sign_in_holds_no_slot_and_ends_with_its_client():
    with Authenticator() as one, serving(configuration(one, pin="never")) as balancer:
        clients = [Client(balancer.address) for _ in range(30)]
        assert {client.sign_in("ann") for client in clients} == {(200, "ann")}
        assert balancer.group("app")["processes"][0]["in_flight"] == 0
        for client in clients:
            client.close()
