"""A client of one host, which looks at how each response ends."""

import json
import socket


class Answer:
    """What came back for one request, read up to its end or that of the connection."""

    def __init__(self, stream, method):
        self.status, self.fields, self.body, self.is_whole, self.is_marked = None, {}, b"", False, False
        lines = []
        while (line := stream.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        if not lines:
            return
        self.status = int(lines[0].split(" ")[1])
        self.lines = lines[1:]
        for line in self.lines:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        if method == "HEAD" or self.status in (204, 304):
            self.is_whole = True
        elif "content-length" in self.fields:
            length = int(self.fields["content-length"])
            self.body = stream.read(length)
            self.is_whole = len(self.body) == length
        else:
            self.read_chunks(stream)

    def read_chunks(self, stream):
        assert self.fields["transfer-encoding"] == "chunked"
        while size := stream.readline():
            data = stream.read(int(size, 16))
            stream.readline()
            if not data:
                self.is_whole = True
                return
            if data.hex() == self.fields.get("mooring-break"):
                # What Mooring breaks off at, though the server ends the body as if it were whole.
                assert stream.readline() == b"0\r\n" and stream.readline() == b"\r\n"
                self.is_marked = True
                return
            self.body += data


class Client:
    """One connection to a host, for as long as the host keeps it."""

    def __init__(self, host):
        self.host, self.socket = host, None

    def ask(self, path, method="GET", fields="", body=b""):
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(15)
            self.socket.connect(self.host.socket)
            self.stream = self.socket.makefile("rb")
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"
        self.socket.sendall(head.encode("latin-1") + body)
        answer = Answer(self.stream, method)
        if answer.fields.get("connection") == "close" or not answer.is_whole:
            assert answer.is_marked or self.stream.read() == b""
            self.stream.close()
            self.socket.close()
            self.socket = None
        return answer

    def tell(self, path="/tell", **options):
        return json.loads(self.ask(path, **options).body)
