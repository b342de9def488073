"""The access log in the formats that other programs read, and the log of the program itself in JSON."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from balancer import BINARY, ECHO, UnixConnection, serving, wait_until

GROUP = """
[group.app]
wsgi = "app.py"
processes = 1
[routes]
"/" = "app"
"""
# As the manual of mod_log_config has it, with what a quoted piece may hold.
COMBINED = re.compile(
    r'(\S+) - - \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')


@contextlib.contextmanager
def logging(access_format):
    log = f'[log]\naccess = "access.log"\naccess_format = "{access_format}"\n'
    with serving(log + GROUP, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        yield balancer


def lines(balancer, count):
    path = balancer.folder / "access.log"
    return wait_until(
        lambda: (found := path.read_text().splitlines()) and len(found) >= count and found,
        what=f"{count} lines of the access log")


def test_combined_is_the_format_of_apache():
    with logging("combined") as balancer:
        answer = balancer.request("/a?b=c", headers={
            "User-Agent": "Mozilla/5.0 (X11)", "Referer": "https://example.org/x"})
        balancer.request("/", "HEAD")
        first, second = [COMBINED.fullmatch(line) for line in lines(balancer, 2)]
        assert first.groups()[:1] + first.groups()[2:] == (
            "127.0.0.1", "GET /a?b=c HTTP/1.1", "200", str(len(answer.body)), "https://example.org/x",
            "Mozilla/5.0 (X11)")
        assert second.groups()[2:] == ("HEAD / HTTP/1.1", "200", "-", "-", "-")


def test_goaccess_reads_combined_without_more_settings():
    with logging("combined") as balancer:
        for path in "/", "/a b".replace(" ", "%20"), "/a?q=%22", "/missing":
            balancer.request(path, headers={
                "User-Agent": 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "Gecko" Firefox/128.0',
                "Referer": "https://example.org/"})
        host, port = balancer.address
        with httpx.Client(http1=False, http2=True) as client:
            assert client.get(f"http://{host}:{port}/h2").http_version == "HTTP/2"
        lines(balancer, 5)
        out = subprocess.run(
            ["goaccess", str(balancer.folder / "access.log"), "--log-format=COMBINED", "-o", "json",
             "--no-global-config"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        report = json.loads(out.stdout)
        assert report["general"]["total_requests"] == 5, out.stdout[:2000]
        assert report["general"]["failed_requests"] == 0
        assert {entry["data"] for entry in report["referring_sites"]["data"]} == {"example.org"}
        assert "HTTP/2" in {entry.get("protocol") for entry in report["requests"]["data"]}


def test_clients_on_a_unix_socket_are_local_in_combined():
    with tempfile.TemporaryDirectory(prefix="m-", dir="/tmp") as folder:
        listener = f'[[listen]]\naddress = "127.0.0.1:0"\n[[listen]]\naddress = "unix:{folder}/web"\n'
        with serving(
                f'{listener}[log]\naccess = "access.log"\naccess_format = "combined"\n{GROUP}',
                files={"app.py": ECHO}) as balancer:
            with contextlib.closing(UnixConnection(f"{folder}/web")) as connection:
                connection.request("GET", "/")
                assert connection.getresponse().read()
            assert COMBINED.fullmatch(lines(balancer, 1)[0]).group(1) == "127.0.0.1"


def test_json_has_numbers_fields_and_the_session_but_no_cookie():
    with logging("json") as balancer:
        answer = balancer.request("/x", "POST", b"12345", headers={
            "Host": "shop.example", "User-Agent": "test/1", "Referer": "https://r.example/",
            "X-Request-Id": "abc-1"})
        session = answer.json()["session"]
        again = balancer.request("/y", cookie=answer.cookie)
        assert again.json()["session"] == session
        first, second = map(json.loads, lines(balancer, 2))
        assert (first["host"], first["user_agent"], first["referer"], first["request_id"]) == (
            "shop.example", "test/1", "https://r.example/", "abc-1")
        assert first["request"] == "POST /x HTTP/1.1" and first["client"] == "127.0.0.1"
        assert (first["status"], first["bytes"], first["received"]) == (200, len(answer.body), 5)
        for key in "duration", "queue", "first_byte":
            assert isinstance(first[key], float), key
        assert (first["group"], first["cookie"], first["session"]) == ("app", "none", "pinned")
        assert first["session_id"] == second["session_id"] == session
        assert second["session"] == "kept" and second["referer"] is None
        assert answer.cookie not in (balancer.folder / "access.log").read_text()


def test_what_there_is_not_is_null_in_json():
    with logging("json") as balancer:
        balancer.raw(b"GET / HTTP/1.0\r\n\r\n")
        balancer.raw(b"NOT\x01HTTP\r\n\r\n")
        first, second = map(json.loads, lines(balancer, 2))
        assert first["host"] is None and first["user_agent"] is None
        assert second["status"] == 400
        # What came in the place of a request line.
        assert second["request"] == "NOT\x01HTTP"
        for key in "host", "group", "process", "session", "session_id", "queue":
            assert second[key] is None, key


HOSTILE = b'"\\\x80\xc3\xa9\t\x7f{}%n</script>'


@pytest.mark.parametrize("access_format", ["mooring", "combined", "json"])
def test_no_client_can_forge_a_line(access_format):
    with logging(access_format) as balancer:
        head = b"GET /" + HOSTILE[:2].replace(b'"', b"%22") + b" HTTP/1.1\r\nHost: h\r\n"
        for name in b"User-Agent", b"Referer", b"X-Request-Id":
            head += name + b": a" + HOSTILE + b'", "status": 999, "x": "\r\n'
        balancer.raw(head + b"Connection: close\r\n\r\n")
        balancer.request("/end")
        found = lines(balancer, 2)
        assert len(found) == 2
        text = (balancer.folder / "access.log").read_bytes()
        assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in text)
        if access_format == "json":
            first = json.loads(found[0])
            assert first["status"] in (200, 400)
            if first["status"] == 200:
                assert first["user_agent"].encode("latin-1").startswith(b"a" + HOSTILE)
        elif access_format == "combined":
            assert COMBINED.fullmatch(found[0])


@pytest.mark.parametrize("access_format", ["combined", "json"])
def test_a_line_has_bounded_length_whatever_a_client_sends(access_format):
    with logging(access_format) as balancer:
        long = "\xff" * 7000
        head = f"GET /{'a' * 7000} HTTP/1.1\r\nHost: {'h' * 200}\r\nUser-Agent: {long}\r\n"
        head += f"Referer: {long}\r\nX-Request-Id: {'i' * 2000}\r\nConnection: close\r\n\r\n"
        balancer.raw(head.encode("latin-1"))
        line, = lines(balancer, 1)
        assert len(line) < 30_000
        if access_format == "json":
            assert len(json.loads(line)["user_agent"]) == 1024


@pytest.mark.parametrize("access_format", ["combined", "json"])
def test_a_tunnel_is_logged_with_the_fields_of_its_request(access_format):
    with tunnels(access_format) as balancer:
        host, port = balancer.address
        with connect(f"ws://{host}:{port}/ws", user_agent_header="sock/1", origin=None,
                     additional_headers={"Referer": "https://r/", "X-Request-Id": "t-1"}) as socket:
            socket.send("hello")
            assert socket.recv() == "hello"
        line, = lines(balancer, 1)
        if access_format == "json":
            entry = json.loads(line)
            assert (entry["user_agent"], entry["referer"], entry["request_id"]) == (
                "sock/1", "https://r/", "t-1")
            assert entry["host"] == f"{host}:{port}" and entry["status"] == 101
            assert entry["request"] == "GET /ws HTTP/1.1" and len(entry["session_id"]) == 24
        else:
            assert COMBINED.fullmatch(line).groups()[2:4] == ("GET /ws HTTP/1.1", "101")
            assert line.endswith('"https://r/" "sock/1"')


def test_requests_of_http2_have_the_same_fields():
    with logging("json") as balancer:
        host, port = balancer.address
        with httpx.Client(http1=False, http2=True) as client:
            client.get(f"http://{host}:{port}/h2", headers={
                "User-Agent": "two/2", "Referer": "https://r/", "X-Request-Id": "h2-1"})
        entry = json.loads(lines(balancer, 1)[0])
        assert (entry["host"], entry["user_agent"], entry["referer"], entry["request_id"]) == (
            f"{host}:{port}", "two/2", "https://r/", "h2-1")
        assert entry["request"] == "GET /h2 HTTP/2.0"


def test_a_reload_changes_the_format():
    with logging("mooring") as balancer:
        balancer.request("/one")
        lines(balancer, 1)
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace('access_format = "mooring"', 'access_format = "json"'))
        report = balancer.admin("/reload", "POST").json()
        assert report["needs_restart"] == []

        def in_json():
            balancer.request("/two")
            return lines(balancer, 2)[-1].startswith("{")
        wait_until(in_json, what="a line in JSON")
        assert not lines(balancer, 2)[0].startswith("{")


def test_numbers_are_numbers_in_the_log_of_the_program():
    with serving('[log]\nformat = "json"\n' + GROUP, files={"app.py": ECHO}) as balancer:
        pid, = balancer.wait_ready("app", 1)
        balancer.request("/")
        wait_until(lambda: '"status":' in balancer.log, what="a line of the access log")
        events = [json.loads(line) for line in balancer.log.splitlines()]
        ready, = [event for event in events if event.get("message") == "process is ready"]
        assert ready["pid"] == pid and ready["group"] == "app"
        assert isinstance(ready["after"], float) and ready["after"] > 0
        balancer.process.send_signal(signal.SIGHUP)
        reread = wait_until(
            lambda: [event for event in map(json.loads, balancer.log.splitlines())
                     if event.get("message") == "configuration reloaded"], what="the reload")
        assert reread[0]["added"] == []


@pytest.mark.parametrize("broken, expected", [
    ('[group.app]\nwsgi = "app.py"\nthreads = "many"\nnonsense = 1\n', "threads"),
    ('[group.app]\ncommand = ["./app"]\nuser = "no-such-user-here"\n', "no-such-user-here"),
    ('[group.app]\nservers = ["127.0.0.1:9"]\n[affinity]\nkeys = "/proc/no/such/keys"\n', "/proc/no"),
])
def test_why_the_program_does_not_start_is_told_in_json_too(broken, expected):
    with tempfile.TemporaryDirectory(prefix="m-", dir="/tmp") as folder:
        file = Path(folder) / "mooring.toml"
        file.write_text(
            f'state_dir = "{folder}/state"\nruntime_dir = "{folder}/run"\n'
            f'[[listen]]\naddress = "127.0.0.1:0"\n[log]\nformat = "json"\n{broken}')
        out = subprocess.run(
            [BINARY, "serve", "-c", str(file)], capture_output=True, text=True, timeout=60)
        assert out.returncode in (1, 2)
        events = [json.loads(line) for line in out.stderr.splitlines()]
        assert any(e["level"] == "critical" and expected in e["message"] for e in events), out.stderr
        assert all(e["time"] for e in events)


@contextlib.contextmanager
def tunnels(access_format):
    """A balancer before an echo of WebSockets."""
    def echo(socket):
        for message in socket:
            socket.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        configuration = (
            f'[log]\naccess = "access.log"\naccess_format = "{access_format}"\n'
            f'[group.ws]\nservers = ["127.0.0.1:{port}"]\n[routes]\n"/" = "ws"\n')
        with serving(configuration) as balancer:
            yield balancer
        server.shutdown()


HELD = """
import os

def application(environ, start_response):
    if environ["PATH_INFO"] == "/hold":
        with open(os.path.join(os.path.dirname(__file__), "fifo")) as fifo:
            fifo.read()
    start_response("200 OK", [])
    return []
"""


def test_a_request_that_was_refused_in_the_queue_shows_how_long_it_waited():
    limits = 'threads = 1\nqueue_timeout = "300ms"\n[routes]'
    text = '[log]\naccess = "access.log"\naccess_format = "json"\n' + GROUP.replace("[routes]", limits)
    with serving(text, files={"app.py": HELD}) as balancer:
        os.mkfifo(balancer.folder / "fifo")
        os.chmod(balancer.folder / "fifo", 0o666)
        holder = threading.Thread(target=balancer.request, args=("/hold",))
        holder.start()
        try:
            wait_until(lambda: balancer.group("app")["processes"][0]["in_flight"] == 1, what="the held request")
            assert balancer.request().status == 503
            [line] = lines(balancer, 1)
            assert 0.3 <= json.loads(line)["queue"] < 10
        finally:
            with open(balancer.folder / "fifo", "w"):
                pass
            holder.join()
