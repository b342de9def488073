"""Processes: started on demand, kept while sessions live, restored, given up on."""

import concurrent.futures
import os
import signal
import threading
import time

from balancer import ECHO, serving, wait_until

TRANSIENT = """
[group.app]
wsgi = "app.py"
server = "wsgiref"
processes = { min = 0, max = 4 }
threads = 10
"""


def at_once(balancer, count, path="/slow"):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: balancer.request(path), range(count)))


def test_nothing_runs_until_the_first_request_which_starts_one_process():
    with serving(TRANSIENT, files={"app.py": ECHO}) as balancer:
        assert balancer.group("app")["processes"] == []
        assert balancer.request().status == 200
        assert balancer.group("app")["spawn"]["spawned_total"] == 1


def test_the_first_request_is_answered_within_50_ms_of_the_process_accepting():
    program = """
import http.server, os, socketserver, time

class Server(socketserver.UnixStreamServer):
    def server_activate(self):
        super().server_activate()
        self.accepting = time.monotonic()

class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "mooring"
    def log_message(self, *_): pass
    def do_GET(self):
        body = str(self.server.accepting).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

Server(os.environ["MOORING_SOCKET"], Handler).serve_forever()
"""
    text = '[group.app]\ncommand = ["python3", "one.py"]\nprocesses = { min = 0, max = 1 }\nkeepalive = false\n'
    delays = []
    for _ in range(3):
        with serving(text, files={"one.py": program}) as balancer:
            accepting = float(balancer.request().body)
            delays.append(time.monotonic() - accepting)
    assert min(delays) < 0.05, delays


def test_twelve_cold_requests_start_two_processes_and_forty_start_four():
    for count, wanted in ((12, 2), (40, 4)):
        with serving(TRANSIENT, files={"app.py": ECHO}) as balancer:
            answers = at_once(balancer, count)
            assert {answer.status for answer in answers} == {200}
            assert balancer.group("app")["spawn"]["spawned_total"] == wanted


def test_idle_processes_go_when_their_sessions_have_ended_and_not_before():
    text = TRANSIENT + 'idle_timeout = "500ms"\naffinity = { idle = "3s" }\n'
    with serving(text, files={"app.py": ECHO}) as balancer:
        began = time.monotonic()
        balancer.request()
        wait_until(lambda: not balancer.group("app")["processes"], what="the idle process to go")
        assert time.monotonic() - began > 2.9


def test_a_killed_process_loses_its_own_sessions_only_and_is_replaced():
    text = '[group.app]\nwsgi = "app.py"\nserver = "wsgiref"\nprocesses = 3\nthreads = 10\n'
    with serving(text, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 3)
        first = [balancer.request() for _ in range(9)]
        cookies = {answer.cookie: answer.json()["pid"] for answer in first}
        victim = first[0].json()["pid"]
        stop, seen = threading.Event(), []

        def load(cookie):
            while not stop.is_set():
                answer = balancer.request(cookie=cookie)
                seen.append((cookie, answer.status, answer.json() if answer.status == 200 else None,
                             answer.cookie))
                cookie = answer.cookie or cookie

        threads = [threading.Thread(target=load, args=(cookie,)) for cookie in cookies]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(seen) > 50)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in balancer.pids("app") and len(balancer.pids("app")) == 3)
        count = len(seen)
        wait_until(lambda: len(seen) > count + 50)
        stop.set()
        for thread in threads:
            thread.join()
        for cookie, status, facts, _ in seen:
            if cookie in cookies and cookies[cookie] != victim:
                assert status == 200 and facts["pid"] == cookies[cookie]
            else:
                assert status in (200, 502)
        lost = [facts for _, _, facts, _ in seen if facts and facts["affinity"] == "lost"]
        assert {facts["pid"] for facts in lost} and victim not in {facts["pid"] for facts in lost}
        # The session keeps its id, so that the application can tell whom it has lost.
        of_victim = {answer.json()["session"] for answer in first if answer.json()["pid"] == victim}
        assert {facts["session"] for facts in lost} == of_victim


BROKEN = """
[group.exits]
command = ["sh", "-c", "echo last words of exits >&2; exit 3"]
[group.silent]
command = ["sleep", "60"]
start_timeout = "1s"
[group.missing]
command = ["./not-there"]
[group.syntax]
wsgi = "bad.py"
[group.good]
wsgi = "app.py"
server = "wsgiref"
[routes]
"/exits" = "exits"
"/silent" = "silent"
"/missing" = "missing"
"/syntax" = "syntax"
"/" = "good"
"""


def test_groups_that_cannot_start_say_so_back_off_and_disturb_nobody():
    with serving(BROKEN, files={"app.py": ECHO, "bad.py": "def application(:\n"}) as balancer:
        balancer.wait_ready("good", 1)
        for name, words in (("exits", "last words of exits"), ("missing", "not-there"),
                            ("syntax", "SyntaxError"), ("silent", "start_timeout")):
            answer = balancer.request(f"/{name}")
            assert answer.status == 503
            # Its name is private.
            assert name not in answer.body.decode()
            assert "error=" in answer.headers["Proxy-Status"]
            assert int(answer.headers["Retry-After"]) >= 1
            failure = wait_until(lambda: balancer.group(name)["spawn"]["last_failure"])
            assert words in failure["reason"] + "\n".join(failure["output"])
            assert balancer.request("/").status == 200
        # One second, doubling, at least half of it: by the fifth failure the pauses have grown.
        spawn = wait_until(
            lambda: (s := balancer.group("exits")["spawn"])["failures_in_a_row"] >= 4 and s, 30)
        assert spawn["backoff_seconds"] > 1
        assert spawn["spawned_total"] <= 8


def test_a_busy_balancer_finishes_what_is_in_flight_when_it_is_told_to_stop():
    text = '[group.app]\nwsgi = "app.py"\nserver = "wsgiref"\nthreads = 10\n'
    with serving(text, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            answers = [pool.submit(balancer.request, "/slow") for _ in range(10)]
            wait_until(lambda: balancer.group("app")["processes"][0]["in_flight"] == 10)
            balancer.process.send_signal(signal.SIGTERM)
            assert {answer.result().status for answer in answers} == {200}
            # A second signal would end it at once.
            balancer.process.wait(30)
