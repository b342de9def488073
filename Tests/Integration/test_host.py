"""The Python host by itself: every server it knows, the same application, the same promises."""

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from wsgi_host import DEADLINE, HOST, SERVERS, Host, UnixConnection, exchange, is_installed, wait_until

APPLICATION = '''
import json, os, sys, threading, time

gate = threading.Event()
waiting = []
cut = []

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raise":
        raise RuntimeError("raised on purpose")
    if path == "/raise-late":
        start_response("200 OK", [("Content-Type", "text/plain")])
        def parts():
            yield b"first"
            raise RuntimeError("raised in the middle")
        return parts()
    if path == "/exit":
        sys.exit(3)
    if path == "/parts":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"%d;" % number for number in range(1000))
    if path == "/none":
        start_response("204 No Content", [])
        return []
    if path == "/large":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"x" * (8 << 20)]
    if path == "/wait":
        waiting.append(1)
        gate.wait(10)
    if path == "/cut":
        try:
            environ["wsgi.input"].read()
        except OSError as problem:
            cut.append(str(problem))
    if path == "/cuts":
        body = str(len(cut)).encode()
    elif path == "/waiting":
        body = str(len(waiting)).encode()
    elif path == "/open":
        gate.set()
        body = b"open"
    elif path == "/unread":
        body = b"not read"
    elif path == "/lines":
        body = json.dumps([line.decode() for line in environ["wsgi.input"]]).encode()
    else:
        length = len(environ["wsgi.input"].read())
        told = {key: value for key, value in environ.items() if isinstance(value, (str, bool))}
        body = json.dumps({"pid": os.getpid(), "length": length, "environ": told,
                           "argv": sys.argv, "file": __file__, "path": sys.path}).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
'''


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="m-") as path:
        (Path(path) / "app.wsgi").write_text(APPLICATION)
        yield path


@pytest.fixture
def start(folder):
    hosts = []

    def make(app="app.wsgi", server="wsgiref", **options):
        hosts.append(Host(folder, app, server, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        if host.process.poll() is None:
            host.process.kill()
            host.process.wait()


@pytest.fixture(params=SERVERS)
def server(request):
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    return request.param


def test_it_is_one_process_with_a_private_socket(start, server):
    host = start(server=server).wait_until_ready()
    assert json.loads(host.get()[1])["pid"] == host.process.pid
    children = Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text()
    assert children == ""
    assert stat.S_IMODE(os.stat(host.socket).st_mode) & 0o077 == 0


def test_the_application_is_told_of_its_client_session_and_process(start, server):
    host = start(server=server, MOORING_MULTIPROCESS="1").wait_until_ready()
    told = json.loads(host.get(headers={
        "Host": "example.org:8443", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https",
        "Mooring-Session": "abc", "Mooring-Affinity": "kept"})[1])["environ"]
    wanted = {
        "REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "https", "HTTPS": "on",
        "SERVER_NAME": "example.org", "SERVER_PORT": "8443", "mooring.session": "abc",
        "mooring.affinity": "kept", "mooring.group": "crew", "mooring.process": "k3f9",
        "wsgi.multiprocess": True, "wsgi.multithread": True}
    assert {key: told.get(key) for key in wanted} == wanted


def test_one_thread_in_a_group_of_one_is_neither_multithread_nor_multiprocess(start, server):
    host = start(server=server, threads=1).wait_until_ready()
    told = json.loads(host.get()[1])["environ"]
    assert told["wsgi.multithread"] is False
    assert told["wsgi.multiprocess"] is False


def test_bodies_pass_both_ways_on_one_connection(start, server):
    host = start(server=server).wait_until_ready()
    connection = UnixConnection(host.socket)
    exchange(connection, "/")
    first = connection.sock
    large = b"y" * (3 << 20)
    assert json.loads(exchange(connection, "/", "POST", large)[1])["length"] == len(large)
    chunks = iter([b"one", b"two" * 100_000])
    assert json.loads(exchange(connection, "/", "POST", chunks)[1])["length"] == 300_003
    assert exchange(connection, "/large") == (200, b"x" * (8 << 20))
    assert exchange(connection, "/parts")[1].endswith(b"998;999;")
    assert exchange(connection, "/unread", "POST", b"z" * 1000) == (200, b"not read")
    lines = exchange(connection, "/lines", "POST", b"a\nb\n\nc")[1]
    assert json.loads(lines) == ["a\n", "b\n", "\n", "c"]
    # waitress closes behind a response without a length.
    assert connection.sock is first or server == "waitress"
    assert exchange(connection, "/none") == (204, b"")
    assert exchange(connection, "/", "HEAD") == (200, b"")
    assert exchange(connection, "/waiting") == (200, b"0")
    connection.close()


def test_a_body_that_breaks_off_does_not_pass_for_the_whole(start, server):
    host = start(server=server).wait_until_ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(host.socket)
        client.sendall(b"POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    if server == "waitress":
        # It reads the whole body before it calls the application.
        assert host.get("/cuts")[1] == b"0"
    else:
        wait_until(lambda: host.get("/cuts")[1] == b"1")


def test_idle_connections_hold_no_thread(start, server):
    host = start(server=server, threads=2).wait_until_ready()
    connections = [UnixConnection(host.socket) for _ in range(12)]
    for connection in connections:
        assert exchange(connection, "/waiting")[0] == 200
    for connection in reversed(connections):
        assert exchange(connection, "/waiting")[0] == 200
        connection.close()


def test_as_many_requests_run_at_once_as_there_are_threads(start, server):
    host = start(server=server, threads=3).wait_until_ready()
    threads = [threading.Thread(target=host.get, args=("/wait",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: host.get("/waiting")[1] == b"2")
    host.get("/open")
    for thread in threads:
        thread.join()


def test_a_failing_request_is_500_with_a_traceback_and_the_next_one_is_served(start, server):
    host = start(server=server, threads=1).wait_until_ready()
    for _ in range(3):
        assert host.get("/raise")[0] == 500
    assert "RuntimeError: raised on purpose" in host.log
    assert host.get()[0] == 200


def test_a_response_that_fails_in_the_middle_is_not_ended_as_if_it_were_whole(start, server):
    if server == "granian":
        pytest.skip("granian ends such a response as if it were whole; Mooring knows it by its mark")
    host = start(server=server).wait_until_ready()
    with pytest.raises((http.client.HTTPException, OSError)):
        host.get("/raise-late")
    assert host.get()[0] == 200


def test_idle_it_stops_at_once_and_leaves_no_socket(start, server):
    host = start(server=server).wait_until_ready()
    connections = [UnixConnection(host.socket) for _ in range(3)]
    for connection in connections:
        exchange(connection, "/")
    status, seconds = host.stop()
    assert (status, host.log) == (0, "")
    assert seconds < 1.0
    assert not os.path.exists(host.socket)


def test_stopped_while_busy_it_finishes_what_is_in_flight(start, server):
    host = start(server=server).wait_until_ready()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(host.get("/wait")))
    waiting.start()
    wait_until(lambda: host.get("/waiting")[1] == b"1")
    opener = UnixConnection(host.socket)
    opener.connect()
    opener.putrequest("GET", "/open")
    opener.endheaders()
    opener.getresponse().read()
    assert host.stop()[0] == 0
    waiting.join()
    assert answers[0][0] == 200


def test_a_socket_that_a_killed_process_left_is_replaced(start, server):
    first = start(server=server).wait_until_ready()
    first.process.kill()
    first.process.wait()
    assert os.path.exists(first.socket)
    assert start(server=server).wait_until_ready().get()[0] == 200


def test_a_failing_import_is_told_by_its_traceback(start, folder, server):
    (Path(folder) / "broken.wsgi").write_text("import json\nraise ValueError('no sea')\n")
    host = start("broken.wsgi", server)
    assert host.process.wait(DEADLINE) == 1
    assert host.log.splitlines()[-1] == "ValueError: no sea"
    assert "mooring_host" not in host.log
    assert not os.path.exists(host.socket)


def test_a_syntax_error_is_told_with_its_line(start, folder):
    (Path(folder) / "broken.wsgi").write_text("def application(:\n")
    host = start("broken.wsgi")
    assert host.process.wait(DEADLINE) == 1
    assert "line 1" in host.log and "SyntaxError" in host.log.splitlines()[-1]


@pytest.mark.parametrize("app, says", [
    ("missing.wsgi", "no such file: missing.wsgi"),
    ("app.wsgi:captain", "no callable named 'captain'"),
    ("no_such_module", "No module named 'no_such_module'"),
])
def test_an_application_that_cannot_be_found_is_told_in_words(start, app, says):
    host = start(app)
    assert host.process.wait(DEADLINE) == 1
    assert says in host.log


def test_a_server_that_is_missing_is_told_with_the_way_to_get_it(start, folder):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/bare"], check=True)
    host = start(server="waitress", python=f"{folder}/bare/bin/python")
    assert host.process.wait(DEADLINE) == 1
    assert "pip install waitress" in host.log


def test_without_any_server_the_standard_library_serves(start, folder):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/bare"], check=True)
    host = start(server="auto", python=f"{folder}/bare/bin/python").wait_until_ready()
    assert host.get()[0] == 200


def test_a_module_is_found_in_the_working_directory(start, folder):
    package = Path(folder) / "fleet"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "boat.py").write_text(APPLICATION.replace("def application", "def sail"))
    host = start("fleet.boat:sail").wait_until_ready()
    assert json.loads(host.get()[1])["file"].endswith("fleet/boat.py")


def test_a_script_of_a_package_hides_no_other_package(start, folder):
    site = Path(folder) / "site"
    package = site / "mysite"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "json.py").write_text("raise ImportError('the wrong json')")
    (package / "settings.py").write_text("NAME = 'settings of the site'")
    (package / "wsgi.py").write_text("from mysite.settings import NAME\n" + APPLICATION)
    host = start("site/mysite/wsgi.py").wait_until_ready()
    told = json.loads(host.get()[1])
    assert told["file"] == str(package / "wsgi.py")
    assert told["argv"] == [str(package / "wsgi.py")]
    assert str(HOST.parent) not in told["path"]


def test_the_own_server_survives_an_application_that_exits(start):
    host = start(server="wsgiref", threads=1).wait_until_ready()
    for _ in range(3):
        assert host.get("/exit")[0] == 500
    assert host.get()[0] == 200
