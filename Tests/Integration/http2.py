"""HTTP/2 by hand, for what a well-behaved library refuses to send (RFC 9113)."""

import socket
import struct
import time

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 2, 3, 4, 6, 7, 8, 9)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
PROTOCOL_ERROR, CANCEL, ENHANCE_YOUR_CALM = 1, 8, 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def request(path="/", method="GET", authority="a", *fields):
    return [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path), *fields]


class Answer:
    def __init__(self):
        self.heads, self.data, self.ended, self.reset = [], bytearray(), False, None

    @property
    def fields(self):
        """The final head, or the trailers once they have come."""
        return dict(self.heads[-1])

    @property
    def body(self):
        return bytes(self.data)

    @property
    def status(self):
        return next((int(dict(head)[":status"]) for head in reversed(self.heads) if ":status" in dict(head)), None)

    @property
    def over(self):
        return self.ended or self.reset is not None


class Connection:
    """One connection; `read` takes frames in until something is so, or the connection has ended."""

    def __init__(self, address, context=None, settings=(), window=None, answers_pings=True):
        self.socket = socket.create_connection(address, 20)
        if context:
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.answers_pings = answers_pings
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.answers, self.goaway, self.closed, self.pings, self.peer_settings = {}, None, False, 0, {}
        self.buffer, self.block, self.last, self.gives_room = b"", b"", -1, window is None
        self.send(PREFACE + frame(SETTINGS, payload=b"".join(struct.pack("!HI", *s) for s in settings)))
        if window is None:
            self.send(frame(WINDOW_UPDATE, payload=struct.pack("!I", 1 << 30)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False: the other side has closed."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            self.closed = True
            return False

    def fresh(self):
        self.last += 2
        self.answers[self.last] = Answer()
        return self.last

    def head(self, stream, fields, end=True):
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.encoder.encode(fields))

    def ask(self, fields, end=True):
        """Sends a request; its stream."""
        stream = self.fresh()
        self.send(self.head(stream, fields, end))
        return stream

    def get(self, fields, seconds=20):
        """A request and all of its answer."""
        return self.wait(self.ask(fields), seconds)

    def wait(self, stream, seconds=20):
        self.read(lambda: self.answers[stream].over, seconds)
        return self.answers[stream]

    def read(self, until, seconds=20):
        """Whether it has come to be so before the end of the connection or of the time."""
        deadline = time.monotonic() + seconds
        while not until():
            if self.closed or (left := deadline - time.monotonic()) <= 0:
                return False
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, BlockingIOError):
                return until()
            except OSError:
                data = b""
            self.closed = not data
            self.buffer += data
            self.take_frames()
        return True

    def take_frames(self):
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags, stream = struct.unpack("!BBI", self.buffer[3:9])
            payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
            self.take(kind, flags, stream & 0x7FFFFFFF, payload)

    def take(self, kind, flags, stream, payload):
        answer = self.answers.setdefault(stream, Answer()) if stream else None
        if kind == SETTINGS and not flags & ACK:
            self.peer_settings |= dict(struct.iter_unpack("!HI", payload))
            self.send(frame(SETTINGS, ACK))
        elif kind == PING:
            self.pings += 1
            if not flags & ACK and self.answers_pings:
                self.send(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.goaway = struct.unpack("!II", payload[:8])
        elif kind == RST_STREAM:
            answer.reset = struct.unpack("!I", payload)[0]
        elif kind in (HEADERS, CONTINUATION):
            self.block += payload
            if flags & END_HEADERS:
                answer.heads.append(self.decoder.decode(self.block))
                self.block = b""
            answer.ended |= kind == HEADERS and bool(flags & END_STREAM)
        elif kind == DATA:
            answer.data += payload
            answer.ended |= bool(flags & END_STREAM)
            if payload and self.gives_room:
                room = struct.pack("!I", len(payload))
                self.send(frame(WINDOW_UPDATE, 0, 0, room) + frame(WINDOW_UPDATE, 0, stream, room))

    @property
    def error(self):
        """The code of GOAWAY; nil: none has come."""
        return self.goaway[1] if self.goaway else None
