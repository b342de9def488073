"""Clients that ask and read nothing, by the thousand, and what the balancer holds for them."""

import re
import resource
import selectors
import socket
import threading
from pathlib import Path

import h2.config
import h2.connection

BODY = 1 << 20


def allow_descriptors(count=8192):
    """A test with thousands of connections has both ends of many of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


class Firehose:
    """A backend on one thread: `head` and as much of a body as each connection takes, for every request.

    `endless`: what is sent again and again before any head, for as long as the connection takes it.
    """

    def __init__(self, endless=b"", size=BODY):
        self.endless, self.size = endless, size
        self.head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector, self.over, self.sent = selectors.DefaultSelector(), False, 0
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.block = b"x" * 65536
        self.thread = threading.Thread(target=self.run, daemon=True)

    @property
    def server(self):
        return f'"127.0.0.1:{self.port}"'

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def run(self):
        while not self.over:
            for key, events in self.selector.select(0.1):
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    try:
                        self.serve(key.fileobj, key.data, events)
                    except BlockingIOError:
                        pass
                    except OSError:
                        self.drop(key.fileobj)

    def accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                connection.setblocking(False)
                self.selector.register(connection, selectors.EVENT_READ, {"left": b"", "asked": b""})
        except BlockingIOError:
            pass

    def drop(self, connection):
        self.selector.unregister(connection)
        connection.close()

    def serve(self, connection, state, events):
        if events & selectors.EVENT_READ:
            data = connection.recv(65536)
            if not data:
                return self.drop(connection)
            state["asked"] += data
            if b"\r\n\r\n" in state["asked"]:
                small = b" /small" in state["asked"]
                state["asked"] = b""
                body = b"ok" if small else None
                state["left"] += (
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if body
                    else b"" if self.endless else self.head + b"x" * self.size)
                state["endless"] = not small and bool(self.endless)
        if state.get("endless") and not state["left"]:
            state["left"] = self.endless
        if state["left"]:
            count = connection.send(state["left"])
            self.sent += count
            state["left"] = state["left"][count:]
        wants = bool(state["left"]) or state.get("endless")
        self.selector.modify(
            connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if wants else 0), state)


def connect(address, context=None, protocol="http/1.1"):
    """A connection whose kernel takes next to nothing for it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(address)
    if context:
        connection = context.wrap_socket(connection, server_hostname="localhost")
        assert connection.selected_alpn_protocol() == protocol
    return connection


def ask(connection):
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")


def ask_streams(connection, count):
    """Requests on so many streams, whose windows are wide open."""
    session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    session.initiate_connection()
    session.update_settings({4: 1 << 24})
    session.increment_flow_control_window(1 << 30)
    for number in range(count):
        session.send_headers(2 * number + 1, [
            (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/large")], end_stream=True)
    connection.sendall(session.data_to_send())
