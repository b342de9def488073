"""A small HTTP/1.1 server for one WSGI application, of the standard library alone (PEP 3333).

It stands behind Mooring, which has checked every request before it comes here, and serves a
`mooring_response.Gateway`, which has checked every response: that raises nothing but `Broken`.
"""

import io
import queue
import selectors
import signal
import socket
import threading
from urllib.parse import unquote_to_bytes

from mooring_body import body_of

CONNECTIONS = 4096
HEAD_LIMIT = 64 * 1024
# How long a thread waits for the rest of a request, or for room to send.
STALL_SECONDS = 300


class Broken(Exception):
    """The response ends in the middle; the application's failure has been reported."""


class Server:
    """Connections wait in a selector, requests run on a few threads.

    A connection holds a thread only while a request runs on it, so that Mooring's idle connections
    delay no other request. Only the main thread touches the selector.
    """

    def __init__(self, application, listener, threads, errors):
        self.application = application
        self.errors = errors
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.ready = queue.SimpleQueue()
        self.back = queue.SimpleQueue()
        self.wake_reader, self.wake_writer = socket.socketpair()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]
        self.count = 0
        self.stopping = False

    def run(self):
        """Serves until SIGTERM; requests that have begun are answered before it returns."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        for end in (self.listener, self.wake_reader, self.wake_writer):
            end.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake_reader, selectors.EVENT_READ)
        for thread in self.threads:
            thread.start()
        while not self.stopping:
            self.turn(None)
        self.turn(0)
        self.listener.close()
        for _ in self.threads:
            self.ready.put(None)
        for thread in self.threads:
            thread.join()

    def stop(self, *_):
        self.stopping = True
        self.wake()

    def wake(self):
        try:
            self.wake_writer.send(b"x")
        except BlockingIOError:
            pass  # It is full of reasons to wake up.

    def turn(self, timeout):
        for key, _ in self.selector.select(timeout):
            if key.fileobj is self.listener:
                self.accept()
            elif key.fileobj is self.wake_reader:
                self.take_back()
            else:
                self.selector.unregister(key.fileobj)
                self.ready.put(key.data)

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        if self.count >= CONNECTIONS:
            connection.close()
            return
        self.count += 1
        self.watch(Connection(connection))

    def take_back(self):
        self.wake_reader.recv(4096)
        while not self.back.empty():
            connection = self.back.get()
            if connection is None:
                self.count -= 1
            else:
                self.watch(connection)

    def watch(self, connection):
        if connection.has_more():
            self.ready.put(connection)
        else:
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def work(self):
        while (connection := self.ready.get()) is not None:
            if connection.serve_one(self):
                self.back.put(connection)
            else:
                connection.close()
                self.back.put(None)
            self.wake()


class Connection:
    """One connection from Mooring, kept between requests."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(STALL_SECONDS)
        self.reader = connection.makefile("rb", buffering=HEAD_LIMIT)

    def close(self):
        self.reader.close()
        self.socket.close()

    def has_more(self):
        """Whether the next request is in the buffer already, where the selector does not see it."""
        self.socket.setblocking(False)
        try:
            return bool(self.reader.peek(1))
        except OSError:
            return False
        finally:
            self.socket.settimeout(STALL_SECONDS)

    def serve_one(self, server):
        """Serves one request; true: the connection can be reused."""
        try:
            head = self.read_head()
            return head is not None and Exchange(self, server, *head).run()
        except OSError:
            return False  # The other end has gone, or does not go on.
        except ValueError:
            self.socket.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                                b"Connection: close\r\n\r\n")
            return False

    def read_head(self):
        """Method, target, version and fields; None at the end of the connection."""
        lines = []
        size = 0
        while True:
            line = self.reader.readline(HEAD_LIMIT - size)
            size += len(line)
            if not line and not lines:
                return None
            if not line.endswith(b"\n"):
                raise ValueError("the head is cut or too large")
            line = line.decode("latin-1").rstrip("\r\n")
            if not line:
                break
            lines.append(line)
        method, target, version = lines[0].split(" ")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise ValueError("a line is no field")
            fields.append((name, value.strip(" \t")))
        return method, target, version, fields


class Exchange:
    """One request with its response."""

    def __init__(self, connection, server, method, target, version, fields):
        self.connection = connection
        self.server = server
        self.method = method
        self.is_modern = version == "HTTP/1.1"
        lowered = {name.lower(): value for name, value in fields}
        self.keep = self.is_modern and lowered.get("connection", "").lower() != "close"
        self.body = body_of(connection.reader, lowered)
        if self.is_modern and lowered.get("expect", "").lower() == "100-continue":
            self.body.invite = self.invite
        self.environ = self.make_environ(target, version, fields)
        self.status = None
        self.headers = []
        self.has_head = False
        self.is_chunked = False
        self.is_bodyless = False
        self.left = None

    def make_environ(self, target, version, fields):
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": version,
            "REMOTE_ADDR": "127.0.0.1",
            "RAW_URI": target,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BufferedReader(self.body, 64 * 1024),
        }
        for name, value in fields:
            if "_" in name:
                continue  # In the environment it would pass for the same name with a hyphen.
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
                if key in environ:
                    value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
            environ[key] = value
        return environ

    def run(self):
        """Runs the application and sends what it answers; true: the connection can be kept."""
        result = None
        try:
            result = self.server.application(self.environ, self.start_response)
            for data in result:
                self.write(data)
            self.finish()
        except Broken:
            return False
        except BaseException as problem:
            # Errors of the socket are normal once the peer has gone.
            if not isinstance(problem, OSError) or self.is_connected():
                self.server.errors.report(problem)
            return False
        finally:
            if hasattr(result, "close"):
                result.close()
        return self.keep and not self.left and self.body.drain()

    def invite(self):
        """Sends a 100 for a body that is held back (RFC 9110 section 10.1.1), once the application reads it."""
        if self.has_head:
            raise ConnectionResetError("the body was held back, and the request is answered")
        self.connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def is_connected(self):
        """False once the peer has gone: then an error of the socket is normal."""
        self.connection.socket.setblocking(False)
        try:
            return self.connection.socket.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.connection.socket.settimeout(STALL_SECONDS)

    def start_response(self, status, headers):
        self.status, self.headers = status, headers
        return self.write

    def make_head(self):
        code = self.status[:3]
        self.is_bodyless = code in ("204", "304") or self.method == "HEAD"
        given = [value for name, value in self.headers if name.lower() == "content-length"]
        lines = [f"HTTP/1.1 {self.status}"] + [f"{name}: {value}" for name, value in self.headers]
        if given and not self.is_bodyless:
            self.left = int(given[0])
        elif not given and not self.is_bodyless:
            self.is_chunked = self.is_modern
            lines += ["Transfer-Encoding: chunked"] if self.is_chunked else []
        # A body that was not invited may arrive or not.
        self.keep = self.keep and self.is_modern and not self.server.stopping and not self.body.invite
        if not self.keep:
            lines.append("Connection: close")
        self.has_head = True
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def write(self, data):
        out = b"" if self.has_head else self.make_head()
        if self.left is not None:
            self.left -= len(data)
        if data:
            out += b"%x\r\n%b\r\n" % (len(data), data) if self.is_chunked else data
        self.connection.socket.sendall(out)

    def finish(self):
        out = b"" if self.has_head else self.make_head()
        if self.is_chunked:
            out += b"0\r\n\r\n"
        if out:
            self.connection.socket.sendall(out)
