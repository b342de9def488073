"""Cases of h2spec, http2/7, http2/8 and hpack: requests, and how they are compressed."""

from h2spec import (
    BASE, COMPRESSION, EH, ES, PROTOCOL, alive, case, connection_error, headers, post, stream_error, u32)
from http2 import DATA, GOAWAY, HEADERS, PING, RST_STREAM, frame


@case("http2/7/1")
def goaway_with_an_unknown_code(c):
    c.send(frame(GOAWAY, payload=u32(0) + u32(0xFF)) + frame(PING, payload=b"h2spec!!"))
    assert c.read(lambda: c.pings or c.closed, 5)


@case("http2/7/2")
def reset_with_an_unknown_code(c):
    c.send(post(c) + frame(RST_STREAM, 0, 1, u32(0xFF)))
    alive(c)


@case("http2/8.1/1")
def second_headers_without_an_end(c):
    c.send(post(c) + headers(c, 1, [("x-test", "ok")], EH))
    stream_error(c, 1, PROTOCOL)


PSEUDO = dict(method=(":method", "GET"), scheme=(":scheme", "http"), path=(":path", "/"), authority=(":authority", "a"))


def without(*names, more=()):
    return [*(value for name, value in PSEUDO.items() if name not in names), *more]


for name, fields in [
        ("8.1.2/1", without(more=[("X-TEST", "ok")])), ("8.1.2.1/1", without(more=[(":test", "ok")])),
        ("8.1.2.1/2", without(more=[(":status", "200")])), ("8.1.2.1/4", [("x-test", "ok"), *without()]),
        ("8.1.2.2/1", without(more=[("connection", "keep-alive")])),
        ("8.1.2.2/2", without(more=[("trailers", "test"), ("te", "trailers, deflate")])),
        ("8.1.2.3/1", without("path", more=[(":path", "")])), ("8.1.2.3/2", without("method")),
        ("8.1.2.3/3", without("scheme")), ("8.1.2.3/4", without("path")),
        ("8.1.2.3/5", without(more=[PSEUDO["method"]])), ("8.1.2.3/6", without(more=[PSEUDO["scheme"]])),
        ("8.1.2.3/7", without(more=[PSEUDO["path"]]))]:
    @case(f"http2/{name}")
    def malformed(c, fields=fields):
        c.send(headers(c, 1, fields))
        stream_error(c, 1, PROTOCOL)


@case("http2/8.1.2.1/3")
def pseudo_in_trailers(c):
    c.send(post(c, 1, ("trailer", "x-test")) + frame(DATA, 0, 1, b"test") + headers(c, 1, [PSEUDO["method"]]))
    stream_error(c, 1, PROTOCOL)


for number, pieces in enumerate([[b"test"], [b"test", b"test"]], 1):
    @case(f"http2/8.1.2.6/{number}")
    def another_length(c, pieces=pieces):
        body = b"".join(frame(DATA, ES if piece is pieces[-1] else 0, 1, piece) for piece in pieces[:-1])
        c.send(post(c, 1, ("content-length", "1")) + body + frame(DATA, ES, 1, pieces[-1]))
        stream_error(c, 1, PROTOCOL)


# --- hpack

for name, block in [
        ("2.3.3/1", BASE + b"\xc6"), ("2.3.3/2", BASE + b"\x7f\x07\x05empty"), ("4.2/1", BASE + b"\x3f\xe1\x1f"),
        ("5.2/1", BASE + b"\x00\x85\xf2\xb1\x2d\x42\x7f\x85\x4f\x83\xff\xff\xff"),
        ("5.2/2", BASE + b"\x00\x85\xf2\xb1\x2d\x42\x7f\x81\x18"),
        ("5.2/3", BASE + b"\x00\x85\xf2\xb1\x2d\x42\x7f\x84\xff\xff\xff\xff"),
        ("6.1/1", BASE + b"\x80"), ("6.3/1", b"\x3f\xe2\x1f" + BASE)]:
    @case(f"hpack/{name}")
    def bad_compression(c, block=block):
        c.send(frame(HEADERS, ES | EH, 1, block))
        connection_error(c, COMPRESSION)
