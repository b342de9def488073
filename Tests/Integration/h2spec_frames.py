"""Cases of h2spec, http2/6: each type of frame."""

import struct

from h2spec import (
    BASE, CLOSED, EH, ES, FLOW_CONTROL, FRAME_SIZE, PADDED, PROTOCOL, WINDOW, alive, ask, case, connection_error,
    headers, post, setting, slow_request, stream_error, u32)
from http2 import CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame

PUSH_PROMISE = 5


@case("http2/6.1/1")
def data_on_zero(c):
    c.send(post(c) + frame(DATA, ES, 0, b"test"))
    connection_error(c, PROTOCOL)


@case("http2/6.1/2", settings=[(WINDOW, 0)])
def data_on_a_stream_that_is_not_open(c):
    slow_request(c, ES | EH)
    c.send(frame(DATA, ES, 1, b"test"))
    stream_error(c, 1, CLOSED)


@case("http2/6.1/3")
def data_with_too_much_padding(c):
    c.send(post(c) + frame(DATA, ES | PADDED, 1, b"\x06test"))
    connection_error(c, PROTOCOL)


@case("http2/6.2/3")
def headers_on_zero(c):
    c.send(headers(c, 0))
    connection_error(c, PROTOCOL)


@case("http2/6.2/4")
def headers_with_too_much_padding(c):
    c.send(headers(c, flags=ES | EH | PADDED, before=b"\xff"))
    connection_error(c, PROTOCOL)


@case("http2/6.3/1")
def priority_on_zero(c):
    c.send(frame(PRIORITY, 0, 0, u32(0) + b"\xff"))
    connection_error(c, PROTOCOL)


@case("http2/6.3/2")
def priority_of_another_length(c):
    ask(c, post(c) + frame(PRIORITY, 0, 1, u32(0)))
    stream_error(c, 1, FRAME_SIZE)


@case("http2/6.4/1")
def reset_on_zero(c):
    c.send(frame(RST_STREAM, 0, 0, u32(8)))
    connection_error(c, PROTOCOL)


@case("http2/6.4/3")
def reset_of_another_length(c):
    c.send(post(c) + frame(RST_STREAM, 0, 1, b"\0\0\0"))
    connection_error(c, FRAME_SIZE)


for name, data, code in [
        ("6.5/1", frame(SETTINGS, 1, 0, bytes(6)), FRAME_SIZE), ("6.5/2", frame(SETTINGS, 0, 1, bytes(6)), PROTOCOL),
        ("6.5/3", frame(SETTINGS, 0, 0, bytes(3)), FRAME_SIZE), ("6.5.2/1", setting(2, 2), PROTOCOL),
        ("6.5.2/2", setting(4, 1 << 31), FLOW_CONTROL), ("6.5.2/3", setting(5, (1 << 14) - 1), PROTOCOL),
        ("6.5.2/4", setting(5, 1 << 24), PROTOCOL), ("6.7/3", frame(PING, 0, 1, bytes(8)), PROTOCOL),
        ("6.7/4", frame(PING, 0, 0, bytes(6)), FRAME_SIZE), ("6.8/1", frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
        ("6.9/1", frame(WINDOW_UPDATE, 0, 0, u32(0)), PROTOCOL),
        ("6.9/3", frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE),
        ("6.9.1/2", frame(WINDOW_UPDATE, 0, 0, u32((1 << 31) - 1)) * 2, FLOW_CONTROL),
        ("6.10/3", frame(HEADERS, ES, 1, BASE) + frame(CONTINUATION, EH, 0, b""), PROTOCOL),
        ("6.10/2", frame(HEADERS, ES, 1, BASE) + frame(DATA, ES, 1, b"test"), PROTOCOL),
        ("6.10/4", frame(HEADERS, EH, 1, BASE) + frame(CONTINUATION, EH, 1, b""), PROTOCOL),
        ("6.10/5", frame(HEADERS, 0, 1, BASE) + frame(CONTINUATION, EH, 1, b"") * 2, PROTOCOL),
        ("6.10/6", frame(HEADERS, EH, 1, BASE) + frame(DATA, 0, 1, b"a") + frame(CONTINUATION, EH, 1, b""), PROTOCOL),
        ("8.2/1", frame(PUSH_PROMISE, EH, 1, u32(2) + BASE), PROTOCOL)]:
    @case(f"http2/{name}")
    def breaks_the_connection(c, data=data, code=code):
        c.send(data)
        connection_error(c, code)


@case("http2/6.5.2/5")
def unknown_setting(c):
    c.send(setting(0xFF, 1))
    alive(c)


@case("http2/6.5.3/1")
def settings_in_order(c):
    payload = struct.pack("!HIHI", WINDOW, 100, WINDOW, 1)
    c.send(frame(SETTINGS, payload=payload))
    ask(c, headers(c))
    assert c.read(lambda: c.answers[1].body, 5) and len(c.answers[1].body) == 1


@case("http2/6.7/2")
def ping_ack(c):
    c.send(frame(PING, 1, 0, b"h2spec!!"))
    alive(c)
    assert c.pings == 1


@case("http2/6.9/2")
def window_update_of_zero_on_a_stream(c):
    ask(c, post(c) + frame(WINDOW_UPDATE, 0, 1, u32(0)))
    stream_error(c, 1, PROTOCOL)


@case("http2/6.9.1/1", settings=[(WINDOW, 1)], window=1)
def small_window(c):
    ask(c, headers(c))
    assert c.read(lambda: c.answers[1].body, 5) and len(c.answers[1].body) == 1


@case("http2/6.9.1/3")
def window_beyond_its_limit(c):
    ask(c, post(c) + frame(WINDOW_UPDATE, 0, 1, u32((1 << 31) - 1)) * 2)
    stream_error(c, 1, FLOW_CONTROL)


@case("http2/6.9.2/1", settings=[(WINDOW, 0)], window=0)
def window_changed_later(c):
    ask(c, headers(c))
    assert c.read(lambda: c.answers[1].heads, 5)
    c.send(setting(WINDOW, 1))
    assert c.read(lambda: c.answers[1].body, 5) and len(c.answers[1].body) == 1


@case("http2/6.9.2/2", settings=[(WINDOW, 3)], window=0)
def negative_window(c):
    ask(c, headers(c))
    assert c.read(lambda: len(c.answers[1].body) == 3, 5)
    c.send(setting(WINDOW, 2) + frame(WINDOW_UPDATE, 0, 1, u32(2)))
    assert c.read(lambda: len(c.answers[1].body) == 4, 5)
    alive(c)
    assert len(c.answers[1].body) == 4
