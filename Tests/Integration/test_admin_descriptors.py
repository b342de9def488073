"""Few descriptors, and crowds at the listener and at the admin API at once."""

import contextlib
import os
import socket

from balancer import wait_until
from test_descriptors import crowd, limited


def test_two_crowds_leave_the_descriptors_that_the_program_itself_needs():
    with limited(256) as balancer, contextlib.ExitStack() as stack:
        old = balancer.wait_ready("app", 2)
        crowd(balancer, stack, 300)
        for _ in range(300):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(balancer.admin_socket)
            client.sendall(b"GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")

        def is_well():
            # Until the last of the crowd is accepted the backlog may be full.
            with contextlib.suppress(BlockingIOError):
                return balancer.admin("/healthz").status == 200

        wait_until(is_well, 5, "an answer about health")
        # Connections to processes may take their share besides.
        assert len(os.listdir(f"/proc/{balancer.pid}/fd")) < 210
        assert balancer.admin("/groups/app/restart", method="POST").status == 202
        wait_until(lambda: len(set(balancer.pids("app")) - set(old)) == 2, what="a new generation")
