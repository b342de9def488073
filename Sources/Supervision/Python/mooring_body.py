"""The body of a request as `wsgi.input` of `mooring_server` (RFC 9112 section 6.3)."""

import io
import string

# How much of an unread body is skipped, so that its connection can be kept.
DRAIN_LIMIT = 1 << 20


def body_of(reader, fields):
    """The request's body by its framing."""
    if "transfer-encoding" in fields:
        if fields["transfer-encoding"].lower() != "chunked":
            raise ValueError("unknown transfer coding")
        return ChunkedBody(reader)
    length = fields.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise ValueError("not a length")
    return LengthBody(reader, int(length))


class Body(io.RawIOBase):
    """`wsgi.input` below its buffer: never reads into the next request.

    A truncated body raises OSError, rather than appearing shorter.
    """

    left = 0
    # Invites the body where the client waits for a 100.
    invite = None

    def readable(self):
        return True

    def readinto(self, buffer):
        if self.invite:
            invite, self.invite = self.invite, None
            invite()
        if self.left == 0:
            self.begin_part()
        view = memoryview(buffer)[: min(len(buffer), self.left)]
        count = self.reader.readinto1(view) if self.left else 0
        if self.left and not count:
            raise ConnectionResetError("the request's body broke off")
        self.left -= count
        return count

    def begin_part(self):
        """Sets `left` if more follows."""

    def drain(self):
        """Skips what the application left unread; false: it is too much, or it may not arrive."""
        if self.invite:
            return False
        waste = bytearray(64 * 1024)
        for _ in range(DRAIN_LIMIT // len(waste)):
            if not self.readinto(waste):
                return True
        return False


class LengthBody(Body):
    def __init__(self, reader, length):
        self.reader, self.left = reader, length


class ChunkedBody(Body):
    """RFC 9112 section 7.1; extensions and trailers are skipped."""

    def __init__(self, reader):
        self.reader, self.is_first, self.is_over = reader, True, False

    def begin_part(self):
        if self.is_over:
            return
        if not self.is_first and self.line() != b"":
            raise ConnectionResetError("no line end behind a chunk")
        self.is_first = False
        size = self.line().partition(b";")[0].strip()
        if not size or size.strip(string.hexdigits.encode()):
            raise ConnectionResetError("not a chunk size")
        self.left = int(size, 16)
        if self.left == 0:
            self.is_over = True
            while self.line():
                pass

    def line(self):
        line = self.reader.readline(8192)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the request's body broke off")
        return line.rstrip(b"\r\n")
