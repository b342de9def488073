"""A request that ends its process: it ends that one and no other, whatever else is going on."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancer import serving, wait_until
from http2 import Connection, request

# Ends at /end in the way that the query names; the command line has the port or socket.
APPLICATION = '''
import contextlib, os, signal, socket, struct, sys, threading, time

def end(how, connection):
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    # The connection ends long before the process, which still takes others and lets them wait.
    linger = struct.pack("ii", 1, 0 if how == "reset-first" else 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    os.close(connection.detach())
    time.sleep(0.3)
    os._exit(3)

def serve(connection):
    data = b""
    while True:
        while b"\\r\\n\\r\\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        head, _, data = data.partition(b"\\r\\n\\r\\n")
        with open("requests", "a") as file:
            file.write(f"{os.getpid()} {head.decode().splitlines()[0]}\\n")
        target = head.split(b" ")[1].decode()
        if target.startswith("/end"):
            end(target.partition("?")[2], connection)
        if target.startswith("/slow"):
            time.sleep(5)
        fields = b""
        if target == "/close":
            # Nothing is left to be reached by when the answer is there.
            fields = b"Connection: close\\r\\n"
            listener.shutdown(socket.SHUT_RDWR)
            for other in connections:
                if other is not connection:
                    with contextlib.suppress(OSError):
                        other.shutdown(socket.SHUT_RDWR)
        body = str(os.getpid()).encode()
        connection.sendall(b"HTTP/1.1 200 OK\\r\\n%sContent-Length: %d\\r\\n\\r\\n%s" % (fields, len(body), body))

if sys.argv[1].isdigit():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
else:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(100)
connections = []
while True:
    try:
        connection, _ = listener.accept()
    except OSError:
        time.sleep(60)
    connections.append(connection)
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
'''

EXITS = '''
import os, sys

def application(environ, start_response):
    if environ["PATH_INFO"] == "/end":
        sys.exit(3)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
'''


def configuration(place, more=""):
    return f"""
[group.app]
command = ["{sys.executable}", "app.py", "{place}"]
processes = 3
threads = 8
{more}
[routes]
"/" = "app"
"""


def settle(balancer):
    """Nine sessions on three processes: the cookies, with the process of each."""
    balancer.wait_ready("app", 3)
    sessions = []
    for _ in range(9):
        answer = balancer.request("/")
        sessions.append((answer.cookie, int(answer.body)))
    assert len({pid for _, pid in sessions}) == 3
    return sessions


def lost(balancer, sessions):
    """The processes whose sessions are lost: each session is asked for where it is."""
    gone = set()
    for cookie, pid in sessions:
        if int(balancer.request("/", cookie=cookie).body) != pid:
            gone.add(pid)
    return gone


@pytest.mark.parametrize("how", ["exit", "kill", "reset-first", "close-first"])
@pytest.mark.parametrize("place", ["{socket}", "{port}"])
@pytest.mark.parametrize("retries", [1, 5])
def test_a_get_that_ends_its_process_ends_no_other(place, how, retries):
    with serving(configuration(place, f"retries = {retries}"), files={"app.py": APPLICATION}) as balancer:
        sessions = settle(balancer)
        cookie, pid = sessions[0]
        answer = balancer.request(f"/end?{how}", cookie=cookie)
        assert answer.status == 502 and "error=connection_terminated" in answer.headers["Proxy-Status"]
        wait_until(lambda: pid not in balancer.pids("app"), what="its process is gone")
        balancer.wait_ready("app", 3)
        assert lost(balancer, sessions) == {pid}
        reached = (balancer.folder / "requests").read_text().splitlines()
        assert {line.split()[0] for line in reached if "/end" in line} == {str(pid)}


def test_a_new_visitor_s_get_that_ends_its_process_ends_no_other():
    with serving(configuration("{socket}"), files={"app.py": APPLICATION}) as balancer:
        sessions = settle(balancer)
        assert balancer.request("/end?exit").status == 502
        balancer.wait_ready("app", 3)
        assert len(lost(balancer, sessions)) == 1


def test_a_deadly_get_over_http2_ends_one_process():
    with serving(configuration("{socket}"), files={"app.py": APPLICATION}) as balancer:
        sessions = settle(balancer)
        with Connection(balancer.address) as client:
            assert client.get(request("/end?kill")).status == 502
        balancer.wait_ready("app", 3)
        assert len(lost(balancer, sessions)) == 1


def test_who_shares_the_process_at_that_moment_gets_a_502_and_is_not_sent_elsewhere():
    with serving(configuration("{socket}"), files={"app.py": APPLICATION}) as balancer:
        sessions = settle(balancer)
        cookie, pid = sessions[0]
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(balancer.request, "/slow", cookie=cookie) for _ in range(4)]
            wait_until(
                lambda: [p for p in balancer.group("app")["processes"] if p["in_flight"] == 4],
                what="four in flight")
            assert balancer.request("/end?exit", cookie=cookie).status == 502
            assert [other.result().status for other in others] == [502] * 4
        reached = (balancer.folder / "requests").read_text().splitlines()
        assert {line.split()[0] for line in reached if "/slow" in line} == {str(pid)}


def test_a_request_that_never_reached_its_process_goes_elsewhere():
    with serving(configuration("{socket}"), files={"app.py": APPLICATION}) as balancer:
        cookie, pid = settle(balancer)[0]
        # It runs on, and listens no more.
        assert balancer.request("/close", cookie=cookie).status == 200
        assert int(balancer.request("/", method="POST", cookie=cookie).body) != pid


@pytest.mark.parametrize("server", ["gunicorn", "wsgiref"])
def test_sys_exit_in_a_get_ends_one_process_of_the_host(server):
    toml = f'[group.app]\nwsgi = "app.py"\nserver = "{server}"\nprocesses = 3\n[routes]\n"/" = "app"\n'
    with serving(toml, files={"app.py": EXITS}) as balancer:
        sessions = settle(balancer)
        before = set(balancer.pids("app"))
        assert balancer.request("/end", cookie=sessions[0][0]).status in (500, 502)
        wait_until(lambda: len(balancer.pids("app")) == 3, what="three again")
        assert len(before - set(balancer.pids("app"))) <= 1
        assert len(lost(balancer, sessions)) <= 1
