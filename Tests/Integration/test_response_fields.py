"""The https redirect, HSTS and other fields that the configuration adds to responses."""

import http.client
import socket

import pytest

import http2
import tls
from balancer import ECHO, serving
from origin import Origin

HEADERS = '{ Strict-Transport-Security = "max-age=31536000", X-Frame-Options = "DENY", Server = "", X-A = "listener" }'


def script(connection, request):
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nserver: inner/1\r\nx-frame-options: SAMEORIGIN\r\nContent-Length: 2\r\n\r\nok")


@pytest.fixture(scope="module")
def origin():
    with Origin({"/": script, "/r": script}) as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"""headers = {HEADERS}
[group.app]
servers = [{origin.server}]
threads = 50
[routes]
"/" = "app"
"/r" = {{ group = "app", headers = {{ x-a = "route", Content-Security-Policy = "default-src 'self'" }} }}
""") as balancer:
        yield balancer


def over_http1(balancer, path, method="GET"):
    answer = balancer.request(path, method)
    return {name.lower(): value for name, value in answer.headers.items()}


def over_http2(balancer, path, method="GET"):
    with http2.Connection(balancer.address) as connection:
        return connection.get(http2.request(path, method)).fields


@pytest.mark.parametrize("ask", [over_http1, over_http2])
def test_listener_and_route_add_fields_in_place_of_the_processs(balancer, ask):
    fields = ask(balancer, "/")
    assert (fields["x-frame-options"], fields["x-a"]) == ("DENY", "listener")
    assert "server" not in fields and "content-security-policy" not in fields
    fields = ask(balancer, "/r")
    assert (fields["x-a"], fields["content-security-policy"]) == ("route", "default-src 'self'")
    assert fields["x-frame-options"] == "DENY"
    # Not over clear text (RFC 6797 section 7.2).
    assert "strict-transport-security" not in fields


@pytest.mark.parametrize("ask", [over_http1, over_http2])
def test_answers_of_moorings_own_have_them_too(balancer, ask):
    fields = ask(balancer, "/../x")
    assert fields["x-frame-options"] == "DENY" and "proxy-status" in fields


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    tls.make_authority(folder)
    tls.make_certificate(folder, "one", "127.0.0.1")
    clear, encrypted = free_port(), free_port()
    text = f"""[[listen]]
address = "127.0.0.1:{clear}"
redirect = "https"
trusted_proxies = ["127.0.0.1"]
[[listen]]
address = "127.0.0.1:{encrypted}"
headers = {HEADERS}
[[listen.tls]]
certificate = "{folder}/one.pem"
key = "{folder}/one.key"
[group.app]
wsgi = "app.py"
"""
    with serving(text, files={"app.py": ECHO}) as balancer:
        balancer.encrypted, balancer.certificates = encrypted, folder
        yield balancer


@pytest.mark.parametrize("host, path, location", [
    ("localhost", "/a?b=%20", "https://localhost/a?b=%20"),
    ("example.org:80", "/", "https://example.org/"),
    ("[::1]", "/x/../y", "https://[::1]/x/../y"),
])
def test_a_listener_sends_its_clients_to_https(secure, host, path, location):
    for method in "GET", "POST", "OPTIONS":
        answer = secure.request(path, method, b"x" if method == "POST" else None, headers={"Host": host})
        assert (answer.status, answer.headers["Location"], answer.body) == (308, location, b"")
        assert answer.headers["Proxy-Status"].startswith("mooring") and answer.cookie is None


def test_a_client_of_another_port_is_sent_to_the_listener_with_tls(secure):
    answer = secure.request("/a")
    assert answer.headers["Location"] == f"https://127.0.0.1:{secure.encrypted}/a"
    with http2.Connection(secure.address) as connection:
        answer = connection.get(http2.request("/a", "GET", f"localhost:{secure.address[1]}"))
        assert (answer.status, answer.fields["location"]) == (308, f"https://localhost:{secure.encrypted}/a")


def test_whom_a_trusted_proxy_has_over_https_is_not_redirected(secure):
    assert secure.request("/", headers={"X-Forwarded-Proto": "https"}).status == 200
    answer = secure.request("/a", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "www.example"})
    assert (answer.status, answer.headers["Location"]) == (308, "https://www.example/a")


def test_nobody_without_a_host_is_redirected_anywhere(secure):
    assert secure.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert secure.raw(b"GET /\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_hsts_is_told_over_tls(secure):
    connection = http.client.HTTPSConnection(
        "127.0.0.1", secure.encrypted, context=tls.trusting(secure.certificates), timeout=20)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.status == 200 and response.getheader("Strict-Transport-Security") == "max-age=31536000"
