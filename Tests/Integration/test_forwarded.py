"""The client behind trusted proxies, as a process and the client's browser see it."""

import pytest

from balancer import ECHO, serving
from origin import Origin

TRUSTING = 'trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8"]\n'
LIES = [
    "X-Forwarded-Ssl: on", "X-Forwarded-Scheme: https", "X-Forwarded-Protocol: ssl", "Front-End-Https: on",
    "X-Url-Scheme: https", "X-Scheme: https", "Front_End_Https: on", "X_Forwarded_Ssl: on",
]
# Two trusted hops: the outer one spoke TLS with the client, the inner one clear text with the outer.
LISTS = ["X-Forwarded-For: 203.0.113.9, 10.0.0.4", "X-Forwarded-Proto: https, http", "X-Forwarded-Host: www.example, lb"]
STANDARD = ["Forwarded: for=203.0.113.9;proto=https;host=www.example, for=10.0.0.4;proto=http;host=lb"]


@pytest.fixture(scope="module")
def origin():
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def trusting(origin):
    with serving(f"{TRUSTING}[group.app]\nservers = [{origin.server}]\nthreads = 50\n") as balancer:
        yield balancer


def ask(balancer, *fields):
    lines = ["GET /x HTTP/1.1", "Host: inner", *fields, "Connection: close"]
    return balancer.raw(("\r\n".join(lines) + "\r\n\r\n").encode())


@pytest.mark.parametrize("fields", [LISTS, STANDARD], ids=["lists", "standard"])
def test_the_scheme_and_host_behind_two_trusted_proxies_are_the_clients(trusting, origin, fields):
    out = ask(trusting, *fields)
    seen = dict(origin.requests[-1][1])
    assert seen["x-forwarded-proto"] == "https" and seen["x-forwarded-host"] == "www.example"
    assert b"\r\nSet-Cookie: __Host-mooring=" in out and b"; Secure" in out


@pytest.mark.parametrize("fields", [
    ["X-Forwarded-For: 203.0.113.9, 10.0.0.4", "X-Forwarded-Proto: http, https"],
    ["Forwarded: for=203.0.113.9;proto=http, for=10.0.0.4;proto=https"],
], ids=["lists", "standard"])
def test_a_clear_text_client_behind_an_inner_tls_hop_gets_no_secure_cookie(trusting, origin, fields):
    out = ask(trusting, *fields)
    assert dict(origin.requests[-1][1])["x-forwarded-proto"] == "http"
    assert b"\r\nSet-Cookie: mooring=" in out and b"; Secure" not in out


@pytest.mark.parametrize("lie", LIES)
def test_no_other_word_for_the_scheme_reaches_a_process(trusting, origin, lie):
    for fields in ([lie], [lie, *LISTS]):
        ask(trusting, *fields)
        names = [name for name, _ in origin.requests[-1][1]]
        assert lie.split(":")[0].lower() not in names


def test_gunicorn_sees_no_contradiction_in_what_a_client_claims():
    """It refuses requests whose scheme fields contradict each other."""
    group = '[group.app]\nwsgi = "app.py"\nserver = "gunicorn"\n'
    with serving(group, files={"app.py": ECHO}) as balancer:
        out = ask(balancer, "X-Forwarded-Ssl: on", "X-Forwarded-Protocol: ssl")
        assert out.startswith(b"HTTP/1.1 200 "), out
