"""What the RFCs ask of a proxy that only a running one can show; each test names its section."""

import socket
import struct

import pytest

from balancer import serving, wait_until
from origin import Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"
SCRIPTS = {
    "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    "/old!": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/dated": b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
    "/cookies": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


def group(origin):
    return f"[group.app]\nservers = [{origin.server}]\nthreads = 50\n"


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(group(origin)) as balancer:
        yield balancer


@pytest.fixture(scope="module")
def trusting(origin):
    with serving('trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8"]\n' + group(origin)) as balancer:
        yield balancer


@pytest.fixture(scope="module")
def relayed(origin):
    text = 'proxy_protocol = true\ntrusted_proxies = ["203.0.113.7"]\n'
    with serving(text + group(origin)) as balancer:
        yield balancer


def get(path, *fields, close=True):
    lines = [f"GET {path} HTTP/1.1", "Host: a", *fields] + (["Connection: close"] if close else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def told(origin, path):
    """The fields of the last request for a path, as the backend saw them."""
    return dict([r for r in origin.requests if r[0].split(" ")[1] == path][-1][1])


def logged_client(balancer, path):
    """The client of a path in the access log; lines are written in batches."""
    line = wait_until(lambda: [line for line in balancer.log.splitlines() if f"GET {path} " in line])[-1]
    return line.split(" ")[1]


REFUSED = [
    ("9112 3.2 no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("9112 3.2 two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("9112 5.1 space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("9112 5.2 folded line", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    ("9112 2.2 bare LF", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("9112 6.1 both framings",
     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("9112 6.1 coding in 1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("9112 6.1 unknown coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("9112 7.1 bad chunk size", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
    ("9110 8.6 sign", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", 400),
    ("9110 9.3.6 CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405),
    ("9110 9.3.8 TRACE", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("9110 10.1.1 expectation", b"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx", 417),
    ("9110 15.6.6 version", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ("6585 5 large head", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
    ("9110 15.5.15 long line", b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
]


@pytest.mark.parametrize("status, data", [pytest.param(c[2], c[1], id=c[0]) for c in REFUSED])
def test_what_is_refused_is_answered_and_the_connection_ends(balancer, origin, status, data):
    before = len(origin.requests)
    out = balancer.raw(data + get("/smuggled"))
    assert out.startswith(f"HTTP/1.1 {status} ".encode()), out[:200]
    # RFC 9112 section 9.6: announced, and done; what followed was never a request.
    assert b"\r\nConnection: close\r\n" in out and out.count(b"HTTP/1.1 ") == 1
    assert b"\r\nProxy-Status: mooring; error=http_request_error" in out
    # RFC 9110 section 15.5.6.
    assert (b"\r\nAllow: GET, " in out) == (status == 405)
    assert [r[0] for r in origin.requests[before:] if "smuggled" in r[0]] == []


def test_an_answer_survives_what_the_client_still_sends(balancer):
    """RFC 9112 section 9.6: a RST must not destroy an answer that is on its way."""
    with socket.create_connection(balancer.address, timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a b\r\nContent-Length: 500000\r\n\r\n")
        for _ in range(5):
            connection.sendall(b"x" * 100_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_an_options_that_may_go_no_further_is_answered_here(balancer, origin):
    """RFC 9110 section 7.6.2."""
    before = len(origin.requests)
    out = balancer.raw(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n" + get("/after"))
    assert out.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nAllow: GET, " in out and out.count(b"HTTP/1.1 200") == 2
    # RFC 9209 section 2: it names who answered.
    assert b"\r\nProxy-Status: mooring;" in out.split(b"\r\n\r\n")[0]
    assert [r[0] for r in origin.requests[before:]] == ["GET /after HTTP/1.1"]


def test_an_options_is_counted_down(balancer, origin):
    """RFC 9110 section 7.6.2."""
    balancer.raw(b"OPTIONS /count HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\nConnection: close\r\n\r\n")
    assert told(origin, "/count")["max-forwards"] == "4"


def test_early_hints_never_reach_http_1_0(balancer):
    """RFC 9110 section 15.2."""
    out = balancer.raw(b"GET /hints HTTP/1.0\r\nHost: a\r\n\r\n")
    assert b" 103 " not in out and out.startswith(b"HTTP/1.1 200 OK") and out.endswith(b"ok")


def test_an_http_1_0_client_that_does_not_ask_for_it_is_not_kept(balancer):
    """RFC 9112 section 9.3."""
    out = balancer.raw(b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n" + get("/smuggled"))
    assert b"\r\nConnection: close\r\n" in out and out.count(b"HTTP/1.1 200") == 1


def test_via_and_date_are_told_both_ways(balancer, origin):
    """RFC 9110 sections 6.6.1 and 7.6.3."""
    out = balancer.raw(get("/via", "Via: 1.0 fred"))
    assert b"\r\nVia: 1.1 mooring\r\n" in out and b"\r\nDate: " in out
    seen = [r for r in origin.requests if r[0].startswith("GET /via ")][-1][1]
    assert [value for name, value in seen if name == "via"] == ["1.0 fred", "1.1 mooring"]
    assert b"\r\nVia: 1.0 mooring\r\n" in balancer.raw(get("/old!"))
    balancer.raw(b"GET /via-1.0 HTTP/1.0\r\nHost: a\r\n\r\n")
    assert told(origin, "/via-1.0")["via"] == "1.0 mooring"
    assert balancer.raw(get("/dated")).count(b"Date: ") == 1


def test_cookies_of_a_response_stay_lines_of_their_own(balancer):
    """RFC 9110 section 5.3."""
    out = balancer.raw(get("/cookies"))
    assert b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n" in out and out.count(b"Set-Cookie: ") == 3


def test_an_absolute_target_decides_over_host(balancer, origin):
    """RFC 9112 section 3.2.2."""
    balancer.raw(b"GET http://real.example/abs HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n")
    fields = told(origin, "/abs")
    assert fields["host"] == "real.example" and fields["x-forwarded-host"] == "real.example"


def test_an_untrusted_peer_speaks_for_itself(balancer, origin):
    """RFC 7239 section 8.1."""
    balancer.raw(get("/lies", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1",
                     "X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.6", "Forwarded: for=6.6.6.6"))
    fields = told(origin, "/lies")
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields["x-forwarded-proto"] == "http"
    assert not {"forwarded", "x-real-ip", "x_real_ip", "x-forwarded-port"} & set(fields)


def test_a_trusted_proxy_is_believed_and_its_list_goes_on(trusting, origin):
    trusting.raw(get("/proxied", "X-Forwarded-For: 203.0.113.5, 10.1.1.1", "X-Forwarded-Proto: https",
                     "X-Forwarded-Host: shop.example", "X-Forwarded-Port: 443"))
    fields = told(origin, "/proxied")
    assert fields["x-forwarded-for"] == "203.0.113.5, 10.1.1.1, 127.0.0.1"
    assert fields["x-forwarded-proto"] == "https" and fields["x-forwarded-host"] == "shop.example"
    assert fields["x-forwarded-port"] == "443" and fields["host"] == "a"
    assert logged_client(trusting, "/proxied") == "203.0.113.5"


def test_a_client_behind_a_trusted_proxy_cannot_lie_further(trusting, origin):
    """What stands left of the right-most untrusted address is the client's own word."""
    trusting.raw(get("/behind", "X-Forwarded-For: 6.6.6.6, 203.0.113.5", "Forwarded: for=6.6.6.6"))
    assert "forwarded" not in told(origin, "/behind")
    assert logged_client(trusting, "/behind") == "203.0.113.5"


def test_forwarded_is_read_and_extended(trusting, origin):
    """RFC 7239 section 4."""
    trusting.raw(get("/forwarded", 'Forwarded: for="[2001:db8::7]";proto=https;host=shop.example'))
    fields = told(origin, "/forwarded")
    assert fields["x-forwarded-for"] == "2001:db8::7, 127.0.0.1" and fields["x-forwarded-proto"] == "https"
    assert fields["forwarded"].endswith(', for=127.0.0.1;host="a";proto=http')


def test_on_a_trusted_https_the_cookie_is_for_https_only(trusting):
    assert b"; Secure" in trusting.raw(get("/secure", "X-Forwarded-Proto: https"))
    assert b"; Secure" not in trusting.raw(get("/clear", "X-Forwarded-Proto: http"))


def v2(source, port, extra=b"", command=0x21):
    content = socket.inet_aton(source) + socket.inet_aton("192.0.2.9") + struct.pack(">HH", port, 80) + extra
    return PROXY_V2 + bytes([command, 0x11]) + struct.pack(">H", len(content)) + content


@pytest.mark.parametrize("header, client", [
    (b"PROXY TCP4 198.51.100.4 192.0.2.9 4000 80\r\n", "198.51.100.4"),
    (b"PROXY TCP6 2001:db8::4 ::1 4000 80\r\n", "2001:db8::4"), (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (v2("198.51.100.5", 4000), "198.51.100.5"), (v2("198.51.100.6", 1, b"\4\0\1x"), "198.51.100.6"),
    (v2("198.51.100.5", 4000, command=0x20), "127.0.0.1"),
], ids=["v1", "v1-v6", "v1-unknown", "v2", "v2-field", "v2-local"])
def test_a_proxy_header_names_the_client(relayed, origin, header, client):
    """proxy-protocol.txt sections 2.1 and 2.2."""
    assert b"200 OK" in relayed.raw(header + get("/relayed"))
    assert told(origin, "/relayed")["x-forwarded-for"] == client


def test_a_proxy_header_that_comes_in_pieces_is_waited_for(relayed, origin):
    header = v2("198.51.100.77", 4000)
    with socket.create_connection(relayed.address, timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header + get("/slowly"):
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert told(origin, "/slowly")["x-forwarded-for"] == "198.51.100.77"


@pytest.mark.parametrize("start", [
    b"", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 80\r\n", b"PROXY UNKNOWN " + b"x" * 100,
    PROXY_V2 + b"\x21\x11\xff\xff", v2("1.2.3.4", 1, b"\3\0\4\0\0\0\0"), v2("1.2.3.4", 1, b"\4\0\2x"),
], ids=["none", "short", "port", "long", "large", "checksum", "field"])
def test_without_a_good_proxy_header_the_connection_ends_without_a_word(relayed, origin, start):
    """proxy-protocol.txt section 2: the receiver must not guess."""
    before = len(origin.requests)
    assert relayed.raw(start + get("/unseen")) == b""
    assert len(origin.requests) == before


def test_the_client_of_a_proxy_header_may_itself_be_a_trusted_proxy(relayed, origin):
    relayed.raw(v2("203.0.113.7", 1) + get("/chain", "X-Forwarded-For: 192.0.2.200"))
    assert told(origin, "/chain")["x-forwarded-for"] == "192.0.2.200, 203.0.113.7"
    relayed.raw(v2("203.0.113.8", 1) + get("/chain", "X-Forwarded-For: 192.0.2.200"))
    assert told(origin, "/chain")["x-forwarded-for"] == "203.0.113.8"
