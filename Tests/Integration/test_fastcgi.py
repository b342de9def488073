"""PHP as processes of Mooring's own, and what FastCGI servers may do wrong."""

import binascii
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import pytest

import php
import tls
from balancer import is_alive, serving, wait_until
from http2 import Connection, request

# State in the process, and in APCu, which a process of its own has for itself.
STATE = """<?php
if (($_GET["do"] ?? "") === "die") posix_kill(getmypid(), 9);
if (($_GET["do"] ?? "") === "note") error_log("note " . ($_GET["text"] ?? ""));
apcu_add("count", 0);
header("Content-Type: text/plain");
echo getmypid(), " ", apcu_inc("count"), " ", $_SERVER["HTTP_MOORING_AFFINITY"] ?? "", " ",
    getenv("PHP_FCGI_CHILDREN") === false ? "no children" : "children", " ", getenv("PHP_FCGI_MAX_REQUESTS");
"""


def php_cgi(root, more="", group=""):
    words = [php.cgi_program(), "-d", "apc.enabled=1", "-d", "error_log=", "-d", "log_errors=1"]
    command = ", ".join(f'"{word}"' for word in words)
    return (f'[group.php]\ncommand = [{command}]\nprotocol = "fastcgi"\nfastcgi = {{ root = "{root}" }}\n'
            f"start_timeout = \"20s\"\n{group}{more}")


@pytest.fixture(scope="module")
def scripts():
    with php.folder() as place:
        yield php.write_scripts(place / "root", {**php.SCRIPTS, "state.php": STATE})


def state(balancer, cookie=None, query=""):
    answer = balancer.request("/state.php" + query, cookie=cookie)
    assert answer.status == 200, answer.body
    pid, count, rest = answer.body.decode().split(" ", 2)
    return int(pid), int(count), rest, answer


def test_php_cgi_is_started_with_its_socket_as_descriptor_0(scripts):
    with serving(php_cgi(scripts, group="processes = 2\n")) as balancer:
        pids = balancer.wait_ready("php", 2)
        pid, _, rest, _ = state(balancer)
        assert pid in pids, "no child of it serves"
        assert rest.endswith("no children 0"), "and it does not end by itself"
        assert {p["state"] for p in balancer.group("php")["processes"]} == {"ready"}
        assert os.readlink(f"/proc/{pid}/fd/0").startswith("socket:")
        assert all(process["address"].startswith("unix:") for process in balancer.group("php")["processes"])


def test_a_session_stays_on_the_process_that_has_its_state(scripts):
    with serving(php_cgi(scripts, group="processes = 3\n")) as balancer:
        balancer.wait_ready("php", 3)
        visitors = [state(balancer) for _ in range(3)]
        assert len({pid for pid, *_ in visitors}) == 3
        for turn in range(2, 6):
            for pid, _, _, first in visitors:
                again = state(balancer, first.cookie)
                assert again[:2] == (pid, turn) and again[2].startswith("kept")


def test_processes_and_sessions_outlive_a_killed_balancer(scripts):
    with serving(php_cgi(scripts, group="processes = 2\n"), keeps_address=True) as balancer:
        balancer.wait_ready("php", 2)
        pid, _, _, first = state(balancer)
        balancer.crash()
        assert is_alive(pid)
        balancer.start()
        balancer.wait_ready("php", 2)
        assert state(balancer, first.cookie)[:2] == (pid, 2)


def test_another_process_starts_when_all_are_busy_and_one_that_dies_is_replaced(scripts):
    configuration = php_cgi(scripts, group="processes = { min = 0, max = 2 }\n")
    with serving(configuration) as balancer:
        pid, _, _, first = state(balancer)
        assert balancer.request("/state.php?do=die", cookie=first.cookie).status == 502
        wait_until(lambda: not is_alive(pid), what="its end")
        after = state(balancer, first.cookie)
        assert after[0] != pid and after[2].startswith("lost")


@pytest.mark.parametrize("where", ["log", "file"])
def test_what_a_script_says_on_stderr_goes_where_its_process_writes(scripts, where):
    group = 'output = "php.log"\n' if where == "file" else ""
    with serving(php_cgi(scripts, group=group)) as balancer:
        state(balancer, query="?do=note&text=of-the-script")

        def told():
            file = balancer.folder / ("log" if where == "log" else "php.log")
            text = file.read_text() if file.exists() else ""
            return [line for line in text.splitlines() if "note of-the-script" in line]
        line = wait_until(told, what="the line")[0]
        assert "stderr" in line and "php" in line


def test_idle_connections_of_one_loop_keep_no_other_waiting(scripts):
    """A php-cgi takes no connection before the one that it has ends."""
    with serving(php_cgi(scripts), top="workers = 4\n") as balancer:
        balancer.wait_ready("php", 1)
        with contextlib.ExitStack() as clients:
            sockets = [clients.enter_context(contextlib.closing(socket.create_connection(balancer.address, 10)))
                       for _ in range(8)]
            started = time.monotonic()
            for _ in range(3):
                for client in sockets:
                    client.sendall(b"GET /answer.php HTTP/1.1\r\nHost: a\r\n\r\n")
                    assert b"answer" in read_until(client, b"0\r\n\r\n")
            assert time.monotonic() - started < 5


def test_a_process_that_is_told_to_end_is_not_held_up_by_a_kept_connection(scripts):
    """php-cgi reads from the connection that it has until that ends, SIGTERM or not."""
    with serving(php_cgi(scripts)) as balancer:
        pid, *_ = state(balancer)
        name = balancer.group("php")["processes"][0]["id"]
        assert balancer.admin(f"/processes/{name}/stop", "POST").status < 300
        wait_until(lambda: not is_alive(pid), 5, "its end, long before stop_timeout")


def read_until(client, end):
    out = b""
    while end not in out:
        piece = client.recv(65536)
        assert piece, out
        out += piece
    return out


def test_connections_are_kept_between_requests(scripts):
    with php.folder() as place, php.fpm(place, children=2) as listen:
        configuration = (f'[group.php]\nprotocol = "fastcgi"\nservers = ["unix:{listen}"]\n'
                         f'fastcgi = {{ root = "{scripts}" }}\n')
        with serving(configuration, top="workers = 1\n") as balancer:
            def accepted():
                status = subprocess.run(["ss", "-xH", "src", listen], capture_output=True, text=True, check=True)
                return {line.split()[5] for line in status.stdout.splitlines() if "ESTAB" in line}
            balancer.request("/answer.php")
            before = accepted()
            assert len(before) == 1
            for _ in range(20):
                assert balancer.request("/answer.php").body == b"answer"
            assert accepted() == before


def test_more_requests_than_workers_are_all_served(scripts):
    with php.folder() as place, php.fpm(place, children=2) as listen:
        configuration = (f'[group.php]\nprotocol = "fastcgi"\nservers = ["unix:{listen}"]\n'
                         f'fastcgi = {{ root = "{scripts}" }}\n')
        with serving(configuration) as balancer:
            answers = []

            def ask():
                for _ in range(10):
                    answers.append(balancer.request("/answer.php?what=big").body)
            threads = [threading.Thread(target=ask) for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            assert len(answers) == 120 and {len(body) for body in answers} == {300_000}


def test_php_fpm_is_started_with_a_pool_of_its_own(scripts):
    """Its pool listens where Mooring says by the environment; its workers share the state of the pool."""
    words = ", ".join(f'"{word}"' for word in php.fpm_words("fpm.conf"))
    configuration = (f'[group.php]\ncommand = [{words}]\nprotocol = "fastcgi"\nthreads = 2\nprocesses = 2\n'
                     f'fastcgi = {{ root = "{scripts}" }}\n')
    files = {"fpm.conf": php.fpm_configuration(".", "${MOORING_SOCKET}").replace("error_log = ./fpm.log", "")}
    with serving(configuration, files=files) as balancer:
        balancer.wait_ready("php", 2)
        _, _, _, first = state(balancer)
        counts = [state(balancer, first.cookie)[1] for _ in range(6)]
        assert counts == list(range(2, 8))
        assert state(balancer)[1] == 1, "another visitor is on the other pool"


def test_a_server_over_tcp_is_reached_by_tls_and_http2_clients(scripts, certificates):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with php.folder() as place, php.fpm(place, f"127.0.0.1:{port}"):
        configuration = (f'[group.php]\nprotocol = "fastcgi"\nservers = ["127.0.0.1:{port}"]\n'
                         f'fastcgi = {{ root = "{scripts}", env = {{ APP = "set here" }} }}\n')
        with serving(tls.secure(certificates, configuration)) as balancer:
            with Connection(balancer.address, tls.trusting(certificates, protocols=["h2"])) as client:
                stream = client.ask(request("/echo.php/info?q", "POST", "localhost"), end=False)
                client.send(b"\0\0\5\0\1" + stream.to_bytes(4, "big") + b"hello")
                answer = client.wait(stream)
            told = json.loads(answer.body)
            server = {name: binascii.unhexlify(value).decode() for name, value in told["server"].items()}
            assert told["length"] == 5
            expected = {"HTTPS": "on", "SERVER_PROTOCOL": "HTTP/2.0", "PATH_INFO": "/info", "CONTENT_LENGTH": "5",
                        "SERVER_PORT": str(balancer.address[1]), "REMOTE_ADDR": "127.0.0.1", "APP": "set here"}
            assert {name: server.get(name) for name in expected} == expected


def record(kind, content=b"", number=1, padding=0):
    return bytes([1, kind]) + number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + bytes([padding, 0]) \
        + content + bytes(padding)


END = record(3, bytes(8))
HEAD = record(6, b"Content-Type: text/plain\r\n\r\n")
# What a server says to a request, and what its client sees: a status, or that the response breaks off.
HOSTILE = {
    "forged id": (record(6, b"X: y\r\n\r\nforged", 2) + END, 502),
    "management record": (record(11, bytes(8), 0), 502),
    "no record": (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", 502),
    "huge head": (record(6, b"X: " + b"x" * 60_000) * 3, 502),
    "no head": (END, 502),
    "cut off": (HEAD[:-3], 502),
    "overload": (record(3, bytes([0, 0, 0, 0, 2, 0, 0, 0])), 503),
    "forged id in the body": (HEAD + record(6, b"begun") + record(6, b"forged", 3) + END, None),
    "cut off in the body": (HEAD + record(6, b"begun") + record(6, b"x" * 100)[:50], None),
    "short of its length": (record(6, b"Content-Length: 50\r\n\r\nbegun") + END, None),
}


class Hostile:
    """Says what it is told to each request, and closes; or answers well."""

    def __init__(self, path):
        self.says, self.connections, self.closed = None, 0, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        reader = connection.makefile("rb")
        with contextlib.suppress(OSError), contextlib.closing(connection):
            while header := reader.read(8):
                length = int.from_bytes(header[4:6], "big")
                reader.read(length + header[6])
                if header[1] == 5 and length == 0:
                    connection.sendall(self.says or HEAD + record(6, b"well") + END)
                    if self.says and "cut" in self.name:
                        connection.shutdown(socket.SHUT_WR)
        self.closed += 1


@pytest.fixture(scope="module")
def hostile():
    with php.folder() as place:
        server = Hostile(str(place / "s"))
        configuration = (f'[timeouts]\nresponse = "5s"\n[group.php]\nprotocol = "fastcgi"\n'
                         f'servers = ["unix:{place}/s"]\n')
        with serving(configuration) as balancer:
            yield balancer, server
        server.listener.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_harms_only_the_request_that_it_answers(hostile, name):
    balancer, server = hostile
    says, status = HOSTILE[name]
    server.says, server.name = says, name
    closed = server.closed
    out = balancer.raw(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", seconds=10)
    assert b"forged" not in out
    if status:
        assert out.startswith(b"HTTP/1.1 %d " % status), out[:200]
    else:
        assert out.startswith(b"HTTP/1.1 200 ") and b"begun" in out and not out.endswith(b"0\r\n\r\n")
    wait_until(lambda: server.closed > closed, what="the end of the connection")
    server.says = None
    # Three failures in a row keep a server out for a moment.
    wait_until(lambda: balancer.request("/").body == b"well", what="good answers")
