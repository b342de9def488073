"""A client that comes back: always without a full handshake, with the newest ticket it was given."""

import socket
import ssl

import pytest

import tls
from balancer import serving
from origin import Origin


@pytest.fixture(scope="module")
def balancer(certificates):
    with Origin() as origin:
        configuration = tls.secure(certificates, f"[group.app]\nservers = [{origin.server}]\n")
        with serving(configuration) as balancer:
            yield balancer


def visit(balancer, context, protocol, session):
    """One connection with a request where the protocol is simple; whether it was resumed, and the newest session."""
    with socket.create_connection(balancer.address, 20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
            assert connection.selected_alpn_protocol() == protocol
            if protocol == "http/1.1":
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            else:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            assert connection.recv(65536)
            return connection.session_reused, connection.session


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_keeps_its_newest_ticket_is_resumed_every_time(
        balancer, certificates, version, protocol):
    context = tls.trusting(certificates, protocols=[protocol])
    context.minimum_version = context.maximum_version = version
    resumed, session = visit(balancer, context, protocol, None)
    assert not resumed
    used = set()
    for _ in range(20):
        if version == ssl.TLSVersion.TLSv1_3:
            # A client uses a ticket of TLS 1.3 once (RFC 8446 section C.4).
            assert session.id not in used, "no new ticket came"
        used.add(session.id)
        resumed, session = visit(balancer, context, protocol, session)
        assert resumed
