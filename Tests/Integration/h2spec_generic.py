"""Cases of h2spec, generic: what every client does."""

from h2spec import (
    BASE, EH, ES, NO_ERROR, PADDED, PRIO, alive, answered, ask, case, closed_stream, headers, post, setting, u32)
from http2 import CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM, WINDOW_UPDATE, frame, request


@case("generic/1/1")
def starts(c):
    assert c.read(lambda: c.peer_settings, 5)


@case("generic/2/1")
def priority_on_idle(c):
    c.send(frame(PRIORITY, 0, 1, u32(0) + b"\x10"))
    ask(c, headers(c))
    answered(c)


@case("generic/2/2")
def window_update_on_half_closed(c):
    ask(c, headers(c))
    c.send(frame(WINDOW_UPDATE, 0, 1, u32(100)))
    answered(c)
    alive(c)


@case("generic/2/3")
def priority_on_half_closed(c):
    ask(c, headers(c))
    c.send(frame(PRIORITY, 0, 1, u32(0) + b"\x10"))
    answered(c)
    alive(c)


@case("generic/2/4")
def reset_on_half_closed(c):
    ask(c, headers(c))
    c.send(frame(RST_STREAM, 0, 1, u32(8)))
    alive(c)


@case("generic/2/5")
def priority_on_closed(c):
    closed_stream(c)
    c.send(frame(PRIORITY, 0, 1, u32(0) + b"\x10"))
    alive(c)


@case("generic/3.1/1")
def data(c):
    ask(c, post(c) + frame(DATA, ES, 1, b"test"))
    answered(c)


@case("generic/3.1/2")
def data_twice(c):
    ask(c, post(c) + frame(DATA, 0, 1, b"test") + frame(DATA, ES, 1, b"test"))
    answered(c)


@case("generic/3.1/3")
def data_padded(c):
    ask(c, post(c) + frame(DATA, ES | PADDED, 1, b"\x06test" + bytes(6)))
    answered(c)


@case("generic/3.2/1")
def headers_alone(c):
    closed_stream(c)


@case("generic/3.2/2")
def headers_padded(c):
    ask(c, headers(c, flags=ES | EH | PADDED, before=b"\x06", after=bytes(6)))
    answered(c)


@case("generic/3.2/3")
def headers_with_priority(c):
    ask(c, headers(c, flags=ES | EH | PRIO, before=u32(0) + b"\xff"))
    answered(c)


for number, payload in enumerate([u32(0) + b"\x00", u32(0) + b"\xff", u32(1) + b"\xff", u32(1 << 31 | 1) + b"\xff"], 1):
    @case(f"generic/3.3/{number}")
    def priority(c, payload=payload):
        c.send(frame(PRIORITY, 0, 3, payload))
        ask(c, headers(c, 3), 3)
        answered(c, 3)


@case("generic/3.3/5")
def priority_for_a_later_stream(c):
    c.send(frame(PRIORITY, 0, 5, u32(0) + b"\xff"))
    ask(c, headers(c, 3), 3)
    answered(c, 3)


@case("generic/3.4/1")
def reset(c):
    ask(c, post(c) + frame(RST_STREAM, 0, 1, u32(8)))
    alive(c)


@case("generic/3.5/1")
def settings(c):
    c.send(setting(3, 100))
    alive(c)


@case("generic/3.7/1")
def ping(c):
    alive(c)


@case("generic/3.8/1")
def goaway(c):
    c.send(frame(GOAWAY, payload=u32(0) + u32(0)))
    c.send(frame(PING, payload=b"h2spec!!"))
    assert c.read(lambda: c.pings or c.closed, 5)
    assert c.error in (None, NO_ERROR)


@case("generic/3.9/1")
def window_update_of_connection(c):
    c.send(frame(WINDOW_UPDATE, payload=u32(1)))
    alive(c)


@case("generic/3.9/2")
def window_update_of_stream(c):
    ask(c, post(c) + frame(WINDOW_UPDATE, 0, 1, u32(1)) + frame(DATA, ES, 1, b"test"))
    answered(c)


for number in (1, 2):
    @case(f"generic/3.10/{number}")
    def continuation(c, number=number):
        block = c.encoder.encode(request("/", "GET", "a", ("x-dummy", "x" * 60), ("x-more", "y" * 60)))
        size = len(block) // (number + 1)
        ask(c, frame(HEADERS, ES, 1, block[:size]) + b"".join(
            frame(CONTINUATION, EH if n == number else 0, 1, block[n * size:(n + 1) * size if n < number else None])
            for n in range(1, number + 1)))
        answered(c)


for number, (method, status) in enumerate([("GET", 200), ("HEAD", 200), ("POST", 200)], 1):
    @case(f"generic/4/{number}")
    def message(c, method=method):
        ask(c, headers(c, 1, request("/", method)))
        answered(c)


@case("generic/4/4")
def trailers(c):
    ask(c, post(c, 1, ("trailer", "x-test")) + frame(DATA, 0, 1, b"test") + headers(c, 1, [("x-test", "ok")]))
    answered(c)


for number, block in enumerate([
        b"\x82\x84\x86\x41\x01a", b"\x40\x07x-check\x02ok", b"\x40\x85\xf2\xb1\x2d\x42\x7f\x02ok", b"\x00\x07x-check\x02ok",
        b"\x04\x01/", b"\x10\x07x-check\x02ok", b"\x14\x01/", b"\x50\x03aaa", b"\x0f\x01\x03aaa",
        b"\x1f\x01\x03aaa"], 1):
    @case(f"generic/5/{number}")
    def compressed(c, block=block):
        if block[0] in (0x04, 0x14):
            block = b"\x82\x86\x41\x01a" + block
        elif not block.startswith(BASE):
            block = BASE + block
        ask(c, frame(HEADERS, ES | EH, 1, block))
        answered(c)


@case("generic/5/11")
def table_size_updates(c):
    ask(c, frame(HEADERS, ES | EH, 1, b"\x20\x3f\xe1\x1f" + BASE))
    answered(c)
