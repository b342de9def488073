"""A scripted HTTP/1.1 backend on a TCP port: sends what a test wants, byte for byte."""

import contextlib
import socket
import threading


class Origin:
    """Answers by path from `scripts`: bytes, or a function of the connection and the request.

    Every request that arrived whole is kept in `requests` as (line, fields, body length).
    A script that is `bytes` is sent as it is; the connection is closed after it where the path ends in `!`.
    """

    def __init__(self, scripts=None, before_body=None, host="127.0.0.1", port=0):
        self.scripts = scripts or {}
        self.before_body = before_body or (lambda connection: None)
        self.requests = []
        self.connections = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family, backlog=200)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def server(self):
        return f'"127.0.0.1:{self.port}"'

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def hang_up(self):
        """As if the machine were gone: nothing listens, and what was open is closed."""
        # Closing alone would leave the accept that is under way its socket.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self, connection):
        reader = connection.makefile("rb")
        try:
            while (request := self.read(reader, connection)) is not None:
                self.requests.append(request)
                path = request[0].split(" ")[1].split("?")[0]
                script = self.scripts.get(path)
                if script is None:
                    body = repr(request).encode()
                    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                    connection.sendall(head if request[0].startswith("HEAD") else head + body)
                elif callable(script):
                    script(connection, request)
                else:
                    connection.sendall(script)
                if path.endswith("!"):
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def read(self, reader, connection):
        line = reader.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return None
        fields = []
        while (field := reader.readline().decode("latin-1").rstrip("\r\n")):
            name, _, value = field.partition(":")
            fields.append((name.lower(), value.strip()))
        facts, size = dict(fields), 0
        if "content-length" in facts:
            size = int(facts["content-length"])
            self.before_body(connection)
            left = size
            while left:
                piece = reader.read(min(left, 65536))
                if not piece:
                    return None
                left -= len(piece)
        elif facts.get("transfer-encoding") == "chunked":
            while (count := int(reader.readline() or b"0", 16)):
                size += len(reader.read(count))
                reader.readline()
            reader.readline()
        return line, fields, size
