"""Who shares a session: the streams of one browser, and no other (the connection is no visitor)."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancer import ECHO, UnixConnection, serving
from http2 import Connection, request
from proxies import proxy

# Returns who asked and whose token it was, and nothing else.
MIRROR = """
import json
def application(environ, start_response):
    body = json.dumps({
        "session": environ.get("HTTP_MOORING_SESSION", ""), "token": environ.get("HTTP_X_TOKEN", ""),
        "affinity": environ.get("HTTP_MOORING_AFFINITY", "")}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""
APP = '\n[group.app]\nwsgi = "echo.py"\nprocesses = 2\nthreads = 8\n'


def serve(app=MIRROR, **options):
    return serving(APP, files={"echo.py": app}, **options)


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_visitors_behind_a_proxy_have_sessions_of_their_own(kind):
    with serve() as balancer, proxy(kind, balancer) as address:
        balancer.wait_ready("app", 2)

        def visit(number):
            """One visitor after another on connections that the proxy keeps; each comes back."""
            connection = http.client.HTTPConnection(*address, timeout=30)
            told, cookie = [], None
            for turn in range(40):
                headers = {"X-Token": f"token-{number}"} | ({"Cookie": cookie} if cookie else {})
                connection.request("GET", "/", headers=headers)
                answer = connection.getresponse()
                told.append(json.loads(answer.read()))
                assert answer.status == 200 and told[-1]["token"] == f"token-{number}"
                if field := answer.getheader("Set-Cookie"):
                    cookie = field.split(";")[0]
            connection.close()
            sessions = {fact["session"] for fact in told}
            assert len(sessions) == 1, told
            return sessions.pop()
        with ThreadPoolExecutor(8) as crowd:
            sessions = list(crowd.map(visit, range(250)))
        assert len(set(sessions)) == len(sessions)


@pytest.mark.parametrize("fields", [
    {}, {"X-Real-IP": "1.2.3.4"}, {"Via": "1.1 proxy"}], ids=["plain", "real-ip", "via"])
def test_requests_without_a_cookie_on_one_connection_of_http_1_1_are_different_visitors(fields):
    with serve(ECHO) as balancer:
        connection = http.client.HTTPConnection(*balancer.address, timeout=20)
        sessions = set()
        for _ in range(5):
            connection.request("GET", "/", headers=fields)
            sessions.add(json.loads(connection.getresponse().read())["session"])
        assert len(sessions) == 5


def test_a_unix_listener_and_a_trusted_peer_carry_many_visitors(tmp_path):
    path = tmp_path / "s"
    text = f'[[listen]]\naddress = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.1"]\n[[listen]]\naddress = "unix:{path}"\n'
    with serving(text + APP, files={"echo.py": ECHO}) as balancer:
        for connection in (http.client.HTTPConnection(*balancer.address), UnixConnection(str(path))):
            sessions = set()
            for _ in range(3):
                connection.request("GET", "/")
                sessions.add(json.loads(connection.getresponse().read())["session"])
            assert len(sessions) == 3
        with Connection(balancer.address) as proxied:
            answers = [proxied.get(request("/")) for _ in range(3)]
            assert len({json.loads(a.body)["session"] for a in answers}) == 3


MARKS = [
    "via", "forwarded", "x-forwarded-for", "x-forwarded-server", "x-real-ip", "x-client-ip", "x-cluster-client-ip",
    "true-client-ip", "cf-connecting-ip", "cf-ray", "fastly-client-ip", "x-envoy-external-address",
    "x-envoy-expected-rq-timeout-ms", "cdn-loop", "x-proxyuser-ip", "x-original-forwarded-for", "akamai-origin-hop",
    "x-request-id", "X_Real_IP".lower(), "cf_connecting_ip",
]


def test_any_field_of_a_proxy_keeps_the_streams_of_a_connection_apart():
    with serve(ECHO) as balancer:
        for mark in MARKS:
            with Connection(balancer.address) as connection:
                fields = request("/", "GET", "a", (mark, "1.2.3.4"))
                sessions = {json.loads(connection.get(fields).body)["session"] for _ in range(2)}
                # Once seen, also for those that come without.
                sessions.add(json.loads(connection.get(request("/")).body)["session"])
                assert len(sessions) == 3, mark


def test_streams_share_a_session_only_where_they_are_of_one_browser():
    with serve(ECHO) as balancer, Connection(balancer.address) as connection:
        def session(*fields):
            return json.loads(connection.get(request("/", "GET", "a", *fields)).body)["session"]
        one = session(("user-agent", "one"), ("accept", "text/html"), ("sec-fetch-mode", "navigate"))
        assert session(("accept", "image/png"), ("user-agent", "one"), ("referer", "http://a/")) == one
        assert session(("user-agent", "two")) != one
        assert session(("user-agent", "one"), ("authorization", "Bearer other")) != one
        assert session(("user-agent", "one"), ("cookie", "login=other")) != one
