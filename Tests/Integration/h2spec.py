"""What the cases of h2spec, the public suite for HTTP/2 servers, are written with.

A case is named by its place in the suite. Where the suite takes a closed connection for an answer, these
want the error code that the RFC names as well.
"""

import struct

import http2
from http2 import HEADERS, PING, SETTINGS, frame, request

ES, EH, PADDED, PRIO = 0x1, 0x4, 0x8, 0x20
NO_ERROR, PROTOCOL, FLOW_CONTROL, CLOSED, FRAME_SIZE, REFUSED, COMPRESSION = 0, 1, 3, 5, 6, 7, 9
WINDOW = 0x4
# `GET / http a` in indexed and literal fields.
BASE = b"\x82\x84\x86\x41\x01a"
CASES = {}


def case(name, **options):
    def note(test):
        CASES[name] = (test, options)
        return test
    return note


def u32(number):
    return struct.pack("!I", number)


def setting(number, value):
    return frame(SETTINGS, payload=struct.pack("!HI", number, value))


def headers(c, stream=1, fields=None, flags=ES | EH, before=b"", after=b""):
    return frame(HEADERS, flags, stream, before + c.encoder.encode(fields or request()) + after)


def post(c, stream=1, *fields, flags=EH):
    return headers(c, stream, request("/", "POST", "a", *fields), flags)


def ask(c, data, stream=1):
    c.answers.setdefault(stream, http2.Answer())
    c.send(data)


def connection_error(c, *codes):
    c.read(lambda: c.goaway or c.closed, 5)
    assert c.error in codes, (c.goaway, c.closed)
    c.read(lambda: c.closed, 5)
    assert c.closed, "the connection was not closed"


def stream_error(c, stream, *codes):
    """RST_STREAM, and the connection goes on; or a connection error with such a code."""
    c.answers.setdefault(stream, http2.Answer())
    c.read(lambda: c.answers[stream].reset is not None or c.goaway or c.closed, 5)
    if c.goaway:
        return connection_error(c, *codes)
    assert c.answers[stream].reset in codes, (vars(c.answers[stream]), c.closed)
    alive(c)


def alive(c):
    """It is still answered, and no error has come."""
    pings = c.pings
    c.send(frame(PING, payload=b"h2spec!!"))
    assert c.read(lambda: c.pings > pings, 5) and not c.goaway, (c.goaway, c.closed)


def answered(c, stream=1, status=200):
    answer = c.wait(stream, 5)
    assert answer.status == status and answer.reset is None, vars(answer)
    assert len(answer.body) == 20 or status != 200 or answer.ended


def closed_stream(c, stream=1):
    ask(c, headers(c, stream), stream)
    answered(c, stream)


def slow_request(c, flags):
    """A stream that is not answered yet: its window is closed."""
    ask(c, headers(c, 1, request(), flags))
