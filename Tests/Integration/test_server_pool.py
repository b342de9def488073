"""Three nginx servers under load: one is killed, one hangs, and both come back."""

import contextlib
import http.client
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from balancer import serving, wait_until

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{name}"; }} }}
}}
"""


class Nginx:
    def __init__(self, name):
        self.name = name
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
        self.folder.chmod(0o755)
        (self.folder / "conf").write_text(CONFIGURATION.format(folder=self.folder, port=self.port, name=name))
        self.start()

    def start(self):
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert program, "nginx is not installed"
        self.process = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", str(self.folder / "conf")], stderr=subprocess.DEVNULL)
        wait_until(lambda: not socket.socket().connect_ex(("127.0.0.1", self.port)), what="nginx")

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        self.process.kill()
        self.process.wait()

    @property
    def item(self):
        return f'{{ address = "127.0.0.1:{self.port}", name = "{self.name}" }}'


class Visitor(threading.Thread):
    """Some sessions, one request after the other, on a connection that is kept."""

    def __init__(self, balancer, count=5):
        super().__init__(daemon=True)
        self.balancer, self.cookies = balancer, [None] * count
        # Of each session, one after the other: the answers that differ from the one before.
        self.answers = [[] for _ in range(count)]
        self.done = threading.Event()

    def run(self):
        with contextlib.closing(http.client.HTTPConnection(*self.balancer.address, timeout=20)) as connection:
            while not self.done.is_set():
                for index, cookie in enumerate(self.cookies):
                    connection.request("GET", "/", headers={"Cookie": f"mooring={cookie}"} if cookie else {})
                    answer = connection.getresponse()
                    body = answer.read().decode()
                    if answer.status != 200:
                        body = str(answer.status)
                    for field in answer.headers.get_all("Set-Cookie", []):
                        self.cookies[index] = field.split(";")[0].removeprefix("mooring=")
                    if answer.status != 200 or self.answers[index][-1:] != [body]:
                        self.answers[index].append(body)
                    time.sleep(0.002)


def servers(balancer):
    return {p["id"]: p for p in balancer.group("web")["processes"]}


def test_servers_that_end_or_hang_lose_only_what_is_in_flight_and_come_back_slowly():
    pool = {name: Nginx(name) for name in "abc"}
    text = (
        '[timeouts]\nresponse = "1s"\n[group.web]\nslow_start = "4s"\nthreads = 64\n'
        'health = { path = "/", interval = "100ms", timeout = "300ms", rise = 2, fall = 2 }\n'
        f'servers = [{", ".join(server.item for server in pool.values())}]\n')
    try:
        with serving(text) as balancer:
            visitors = [Visitor(balancer) for _ in range(6)]
            for visitor in visitors:
                visitor.start()
            try:
                wait_until(lambda: all(all(v.answers) for v in visitors), what="a session for each")
                assert {p["state"] for p in servers(balancer).values()} == {"ready"}
                began = {answers[0] for visitor in visitors for answers in visitor.answers}
                assert began == {"a", "b", "c"}
                pool["a"].end()
                wait_until(lambda: all(answers[-1] in "bc" for v in visitors for answers in v.answers),
                           what="all sessions on the servers that are left")
                pool["b"].signal(signal.SIGSTOP)
                wait_until(lambda: [servers(balancer)[n]["state"] for n in "abc"] == ["down", "down", "ready"],
                           what="both to be down")
                wait_until(lambda: all(answers[-1] == "c" for v in visitors for answers in v.answers),
                           what="all sessions on the server that is left")
                check_answers(visitors)
                pool["a"].start()
                pool["b"].signal(signal.SIGCONT)
                check_slow_start(balancer)
                # Nobody moves back.
                check_answers(visitors)
                assert balancer.group("web")["sessions"]["moved_total"] == sum(
                    len(set(answers) & set("abc")) - 1 for v in visitors for answers in v.answers)
            finally:
                for visitor in visitors:
                    visitor.done.set()
                for visitor in visitors:
                    visitor.join()
    finally:
        for server in pool.values():
            server.signal(signal.SIGCONT)
            server.end()
            shutil.rmtree(server.folder)


def check_answers(visitors):
    """Those on the server that is well noticed nothing; the others moved once when theirs was gone."""
    failures = 0
    for visitor in visitors:
        in_flight = 0
        for answers in visitor.answers:
            good = [answer for answer in answers if answer in "abc"]
            # Those that moved on from `a` while `b` was well had to move again.
            assert good in (["c"], ["a", "c"], ["b", "c"], ["a", "b", "c"]), answers
            bad = [answer for answer in answers if answer not in "abc"]
            assert not bad or good[0] != "c", answers
            in_flight += len(bad)
        failures += in_flight
    # Each visitor has one request in flight at a time: one when a server ended, and two that waited for the
    # one that hangs before it was known.
    assert failures <= 3 * len(visitors), failures


def check_slow_start(balancer):
    shares = []

    def visit():
        """New sessions come, and go by the shares that the servers have."""
        balancer.request()
        now = servers(balancer)
        if now["a"]["state"] != "ready" or now["a"]["server"]["slow_start_seconds_left"] is None:
            return bool(shares)
        share, slots = now["a"]["server"]["share"], now["a"]["slots"]
        shares.append(share)
        assert abs(slots - max(1, 64 * share)) <= 1
        # Two of slack: the share may have grown since, and a session was on its way.
        most = max(now["a"]["server"]["share"], share) * now["c"]["sessions"]
        assert now["a"]["sessions"] <= most + 2, (now["a"]["sessions"], share, now["c"]["sessions"])
        return False

    wait_until(visit, what="the end of the slow start")
    assert shares == sorted(shares) and shares[0] < 0.3 and shares[-1] > 0.9, shares
    wait_until(lambda: balancer.request() and servers(balancer)["b"]["server"]["slow_start_seconds_left"] is None)
    # From here on they have the same share.
    for _ in range(3):
        balancer.request()
    counts = [servers(balancer)[name]["slots"] for name in "abc"]
    assert counts == [64, 64, 64]
