"""Processes that answer before the upload is over, to clients that go on sending."""

import socket
import threading

from balancer import serving, wait_until
from origin import Origin

BODY = 4 << 20
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY + bytes(BODY)
CONFIGURATION = """[limits]
request_buffer = "0"
response_buffer = "16MiB"
[group.app]
servers = [{server}]
"""


def test_a_client_that_sends_on_behind_a_whole_early_answer_harms_nobody():
    asked = threading.Event()

    def early(connection):
        asked.set()
        connection.sendall(ANSWER)

    in_flight = lambda: balancer.group("app")["processes"][0]["in_flight"]
    with Origin(before_body=early) as origin, \
            serving(CONFIGURATION.format(server=origin.server)) as balancer, \
            socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(balancer.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + bytes(1000))
        assert asked.wait(20)
        # The client has read nothing, and yet the process is done with it.
        wait_until(lambda: in_flight() == 0)
        client.sendall(bytes(1000))
        assert balancer.request().status == 200
        client.sendall(bytes(1000))
        assert balancer.request().status == 200
        received = 0
        while piece := client.recv(1 << 20):
            received += len(piece)
        assert received > BODY
