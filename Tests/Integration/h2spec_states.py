"""Cases of h2spec, http2/3 to 5: frames, and what a stream takes in which state."""

from h2spec import (
    BASE, CLOSED, COMPRESSION, EH, ES, FRAME_SIZE, PRIO, PROTOCOL, REFUSED, WINDOW, alive, answered, ask, case,
    closed_stream, connection_error, headers, post, slow_request, stream_error, u32)
from http2 import CONTINUATION, DATA, HEADERS, PING, PRIORITY, RST_STREAM, WINDOW_UPDATE, frame


@case("http2/3.5/1")
def preface(c):
    assert c.read(lambda: c.peer_settings, 5)
    alive(c)


@case("http2/4.1/1")
def unknown_type(c):
    c.send(frame(0xFF))
    alive(c)


@case("http2/4.1/2")
def undefined_flags(c):
    c.send(frame(PING, 0x16, 0, b"h2spec!!"))
    assert c.read(lambda: c.pings, 5)


@case("http2/4.1/3")
def reserved_bit(c):
    c.send(frame(PING, 0, 1 << 31, b"h2spec!!"))
    assert c.read(lambda: c.pings, 5)


@case("http2/4.2/1")
def largest_frame(c):
    ask(c, post(c) + frame(DATA, ES, 1, bytes(1 << 14)))
    answered(c)


@case("http2/4.2/2")
def too_large_data(c):
    ask(c, post(c) + frame(DATA, ES, 1, bytes((1 << 14) + 1)))
    stream_error(c, 1, FRAME_SIZE)


@case("http2/4.2/3")
def too_large_headers(c):
    c.send(frame(HEADERS, ES | EH, 1, BASE + bytes(1 << 14)))
    connection_error(c, FRAME_SIZE)


@case("http2/4.3/1")
def bad_block(c):
    c.send(frame(HEADERS, ES | EH, 1, b"\x40\x01"))
    connection_error(c, COMPRESSION)


@case("http2/4.3/2")
def priority_inside_a_block(c):
    c.send(headers(c, flags=ES) + frame(PRIORITY, 0, 1, u32(0) + b"\xff"))
    connection_error(c, PROTOCOL)


@case("http2/4.3/3")
def headers_inside_a_block(c):
    c.send(headers(c, flags=ES) + headers(c, 3))
    connection_error(c, PROTOCOL)


for number, payload in enumerate(
        [(DATA, b"test"), (RST_STREAM, u32(8)), (WINDOW_UPDATE, u32(100)), (CONTINUATION, BASE)], 1):
    @case(f"http2/5.1/{number}")
    def on_idle(c, payload=payload):
        c.send(frame(payload[0], EH if payload[0] == CONTINUATION else 0, 1, payload[1]))
        connection_error(c, PROTOCOL)


@case("http2/5.1/5", settings=[(WINDOW, 0)])
def data_on_half_closed(c):
    slow_request(c, ES | EH)
    c.send(frame(DATA, ES, 1, b"test"))
    stream_error(c, 1, CLOSED)


@case("http2/5.1/6", settings=[(WINDOW, 0)])
def headers_on_half_closed(c):
    slow_request(c, ES | EH)
    c.send(headers(c))
    stream_error(c, 1, CLOSED)


@case("http2/5.1/7", settings=[(WINDOW, 0)])
def continuation_on_half_closed(c):
    slow_request(c, ES | EH)
    c.send(frame(CONTINUATION, EH, 1, BASE))
    connection_error(c, CLOSED, PROTOCOL)


for number, payload in enumerate([(DATA, b"test"), (HEADERS, BASE), (CONTINUATION, BASE)], 8):
    @case(f"http2/5.1/{number}")
    def after_reset(c, payload=payload):
        ask(c, post(c) + frame(RST_STREAM, 0, 1, u32(8)))
        c.send(frame(payload[0], EH | ES, 1, payload[1]))
        if payload[0] == CONTINUATION:
            connection_error(c, CLOSED, PROTOCOL)
        else:
            stream_error(c, 1, CLOSED)


for number, payload in enumerate([(DATA, b"test"), (HEADERS, BASE), (CONTINUATION, BASE)], 11):
    @case(f"http2/5.1/{number}")
    def after_the_end(c, payload=payload):
        closed_stream(c)
        c.send(frame(payload[0], EH | ES, 1, payload[1]))
        connection_error(c, *((CLOSED, PROTOCOL) if payload[0] == CONTINUATION else (CLOSED,)))


@case("http2/5.1.1/1")
def even_stream(c):
    c.send(headers(c, 2))
    connection_error(c, PROTOCOL)


@case("http2/5.1.1/2")
def smaller_stream(c):
    ask(c, headers(c, 5), 5)
    answered(c, 5)
    c.send(headers(c, 3))
    connection_error(c, PROTOCOL)


@case("http2/5.1.2/1", settings=[(WINDOW, 0)])
def too_many_streams(c):
    assert c.read(lambda: c.peer_settings, 5)
    for stream in range(1, 2 * c.peer_settings[3] + 2, 2):
        c.send(headers(c, stream))
    stream_error(c, 2 * c.peer_settings[3] + 1, PROTOCOL, REFUSED)


@case("http2/5.3.1/1")
def headers_on_itself(c):
    c.send(headers(c, flags=ES | EH | PRIO, before=u32(1) + b"\xff"))
    stream_error(c, 1, PROTOCOL)


@case("http2/5.3.1/2")
def priority_on_itself(c):
    c.send(frame(PRIORITY, 0, 1, u32(1) + b"\xff"))
    stream_error(c, 1, PROTOCOL)


@case("http2/5.4.1/1")
def closes_after_an_error(c):
    c.send(frame(PING, payload=b"odd"))
    connection_error(c, FRAME_SIZE)


@case("http2/5.5/1")
def extension(c):
    c.send(frame(0x16, 0, 0, bytes(8)))
    alive(c)


@case("http2/5.5/2")
def extension_inside_a_block(c):
    c.send(headers(c, flags=ES) + frame(0x16, 0, 1, bytes(8)))
    connection_error(c, PROTOCOL)
