"""Metrics as Prometheus reads them, and the examples that go with them."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from balancer import ECHO, ROOT, Answer, serving, wait_until

EXAMPLES = ROOT / "Examples/monitoring"
TOKEN, READING = "0123456789abcdef" * 2, "fedcba9876543210" * 2
GROUPS = """
[group.app]
wsgi = "app.py"
processes = 1
threads = 1
[group.other]
wsgi = "app.py"
processes = { min = 0, max = 1 }
[routes]
"/" = "app"
"/other" = "other"
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.contextmanager
def balancer_on_tcp(admin="", groups=GROUPS):
    """A balancer with its admin API on a port, asked with its token by the rest of the tests' tools."""
    port = free_port()

    def prepare(folder):
        for name, text in ("token", TOKEN), ("reading", READING):
            (folder / name).write_text(text + "\n")
            (folder / name).chmod(0o600)

    with serving(
            f'[log]\naccess = "off"\n[admin]\naddress = "127.0.0.1:{port}"\ntoken_file = "token"\n'
            f'{admin}\n{groups}', files={"app.py": ECHO}, prepare=prepare) as balancer:
        balancer.port = port
        balancer.admin = lambda path, method="GET", body=None: ask(port, path, TOKEN, method)
        yield balancer


def ask(port, path, token=None, method="GET"):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            headers |= {"Content-Type": "application/json", "Content-Length": "0"}
        connection.request(method, path, headers=headers)
        return Answer(connection.getresponse())


def samples(page):
    """The values by name and labels, as they are written."""
    return {name: float(value) for name, value in (
        line.rsplit(" ", 1) for line in page.splitlines() if line and line[0] != "#")}


def metrics(balancer):
    return samples(balancer.admin("/metrics").body.decode())


def promtool(*words, text=None):
    return subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, timeout=60)


def test_promtool_finds_nothing_wrong_with_the_metrics():
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        balancer.request("/")
        checked = promtool("check", "metrics", text=balancer.admin("/metrics").body.decode())
        assert checked.returncode == 0 and not checked.stderr, checked.stderr


def test_requests_of_a_group_are_counted_by_class_and_duration():
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        before = metrics(balancer)
        for _ in range(3):
            assert balancer.request("/").status == 200
        assert balancer.request("/slow").status == 200
        name = "mooring_group_request_duration_seconds"

        def counted():
            now = metrics(balancer)
            grown = now[f'{name}_count{{group="app"}}'] - before[f'{name}_count{{group="app"}}']
            return grown >= 4 and now
        now = wait_until(counted, what="four requests in the metrics")
        assert now['mooring_group_requests_total{group="app",class="2xx"}'] == 4
        assert now[f'{name}_bucket{{group="app",le="+Inf"}}'] == 4
        assert now[f'{name}_bucket{{group="app",le="0.5"}}'] <= 3
        assert now[f'{name}_sum{{group="app"}}'] >= 1
        assert now[f'{name}_count{{group="other"}}'] == 0
        assert now['mooring_group_queue_duration_seconds_count{group="app"}'] == 4
        assert now['mooring_group_start_duration_seconds_count{group="app"}'] == 1
        assert 0 < now['mooring_group_start_duration_seconds_sum{group="app"}'] < 60


def test_the_time_in_the_queue_is_counted_also_of_those_who_leave_it():
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        sockets = []
        for _ in range(3):
            client = socket.create_connection(balancer.address, 10)
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            sockets.append(client)
        wait_until(lambda: balancer.group("app")["queue"]["length"] == 2, what="two in the queue")
        wait_until(lambda: balancer.group("app")["queue"]["oldest_seconds"] > 0.1, what="a wait that counts")
        sockets.pop().close()
        for client in sockets:
            assert client.recv(65536)
            client.close()
        name = "mooring_group_queue_duration_seconds"
        now = wait_until(
            lambda: (now := metrics(balancer)) and now[f'{name}_count{{group="app"}}'] == 3 and now,
            what="three waits")
        # One got a slot at once.
        assert now[f'{name}_bucket{{group="app",le="0.05"}}'] == 1
        assert now[f'{name}_sum{{group="app"}}'] > 0.5


def test_what_mooring_itself_uses_is_told():
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        now = metrics(balancer)
        held = len(os.listdir(f"/proc/{balancer.pid}/fd"))
        assert abs(now["process_open_fds"] - held) < 20
        limits = Path(f"/proc/{balancer.pid}/limits").read_text()
        assert now["process_max_fds"] == int(re.search(r"Max open files\s+(\d+)", limits).group(1))
        status = Path(f"/proc/{balancer.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024
        assert 0.5 < now["process_resident_memory_bytes"] / resident < 2
        assert now["process_cpu_seconds_total"] > 0 and now["process_threads"] > 2
        assert abs(now["process_start_time_seconds"] - time.time()) < 300


def test_metrics_survive_a_reload_that_adds_a_group():
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        balancer.request("/")
        text = balancer.file.read_text().replace(
            "[routes]", '[group.more]\nservers = ["127.0.0.1:9"]\n[routes]\n"/more" = "more"')
        balancer.file.write_text(text)
        assert balancer.admin("/reload", "POST").json()["added"] == ["more"]
        assert wait_until(lambda: balancer.request("/more").status >= 500, what="the new route")
        name = 'mooring_group_requests_total{group="%s",class="%s"}'
        now = wait_until(
            lambda: (now := metrics(balancer))[name % ("more", "5xx")] == 1 and now, what="its request")
        assert now[name % ("app", "2xx")] >= 1


def test_a_token_for_reading_reads_and_changes_nothing():
    with balancer_on_tcp('read_token_file = "reading"') as balancer:
        for path in "/metrics", "/stats", "/":
            assert ask(balancer.port, path, READING).status == 200
            assert ask(balancer.port, path).status == 401
        refused = ask(balancer.port, "/groups/app/restart", READING, "POST")
        assert refused.status == 403 and "token_file" in refused.json()["detail"]
        assert balancer.group("app")["generation"] == 1
        assert ask(balancer.port, "/groups/app/restart", TOKEN, "POST").status == 202


def test_open_metrics_need_no_token_and_open_nothing_else():
    with balancer_on_tcp("metrics_open = true") as balancer:
        assert ask(balancer.port, "/metrics").status == 200
        for path in "/stats", "/", "/metrics/", "/metrics/../stats", "//metrics":
            assert ask(balancer.port, path).status in (400, 401, 404), path
        assert ask(balancer.port, "/reload", method="POST").status == 401


def test_a_reload_changes_the_tokens_and_opens_or_closes_the_metrics():
    with balancer_on_tcp('read_token_file = "reading"\nmetrics_open = true') as balancer:
        text = balancer.file.read_text()
        balancer.file.write_text(text.replace("metrics_open = true", "metrics_open = false"))
        (balancer.folder / "reading").write_text("another-token-of-enough-letters")
        assert balancer.admin("/reload", "POST").json()["needs_restart"] == []
        assert ask(balancer.port, "/metrics").status == 401
        assert ask(balancer.port, "/metrics", READING).status == 401
        assert ask(balancer.port, "/metrics", "another-token-of-enough-letters").status == 200
        # One that cannot be used changes nothing.
        (balancer.folder / "reading").write_text("short")
        assert balancer.admin("/reload", "POST").status == 422
        assert ask(balancer.port, "/metrics", "another-token-of-enough-letters").status == 200


def test_tokens_of_an_address_that_is_not_taken_yet_do_not_open_the_old_one():
    with balancer_on_tcp() as balancer:
        text = balancer.file.read_text()
        moved = re.sub(r'\[admin\]\naddress = .*\ntoken_file = .*\n', "[admin]\n", text)
        balancer.file.write_text(moved)
        for _ in range(2):
            report = balancer.admin("/reload", "POST").json()
            assert ask(balancer.port, "/stats").status == 401
        assert report["needs_restart"] in ([], ["admin.address"])


class Prometheus:
    """The real one, with the example's configuration, for a balancer."""

    def __init__(self, balancer, token):
        self.port = free_port()
        text = (EXAMPLES / "prometheus.yml").read_text()
        text = text.replace("127.0.0.1:9000", f"127.0.0.1:{balancer.port}").replace("15s", "1s")
        text = text.replace("- alerts.yml", f"- {EXAMPLES}/alerts.yml")
        secret = r"    authorization:\n.*\n"
        assert re.search(secret, text)
        if token:
            text = text.replace("/etc/prometheus/mooring.token", str(balancer.folder / token))
        else:
            text = re.sub(secret, "", text)
        file = balancer.folder / "prometheus.yml"
        file.write_text(text)
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={file}", f"--web.listen-address=127.0.0.1:{self.port}",
             f"--storage.tsdb.path={balancer.folder}/series", "--log.level=warn"],
            stdout=subprocess.DEVNULL, stderr=(balancer.folder / "prometheus.log").open("wb"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            # 503 while it starts.
            assert error.code == 503, f"{query}: {error.read()}"
            raise

    def query(self, expression):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return self.get("query", query=expression)["result"]
        return []


@pytest.mark.parametrize("admin, token", [
    ('read_token_file = "reading"', "reading"), ("metrics_open = true", None)])
def test_prometheus_scrapes_with_the_example_as_it_is(admin, token):
    with balancer_on_tcp(admin) as balancer:
        balancer.wait_ready("app", 1)
        with Prometheus(balancer, token) as prometheus:
            wait_until(
                lambda: prometheus.query('up{job="mooring"} == 1'), 60, "a good scrape")
            balancer.request("/")
            name = "mooring_group_request_duration_seconds"
            found = wait_until(
                lambda: prometheus.query(f'histogram_quantile(0.99, {name}_bucket{{group="app"}}) > 0'),
                60, "a quantile")
            assert 0 < float(found[0]["value"][1]) < 60
            target, = prometheus.get("targets")["activeTargets"]
            assert target["health"] == "up" and not target["lastError"]
            rules, = prometheus.get("rules")["groups"]
            wait_until(
                lambda: all(rule["health"] == "ok" for rule in prometheus.get("rules")["groups"][0]["rules"]),
                60, "all rules evaluated")
            assert len(rules["rules"]) >= 8
            for expression in expressions():
                for variable, value in (
                        ("$__rate_interval", "1m"), ("$instance", ".*"), ("$group", ".*")):
                    expression = expression.replace(variable, value)
                # Refused with 400 where it is no query.
                prometheus.get("query", query=expression)


def dashboard():
    return json.loads((EXAMPLES / "grafana-dashboard.json").read_text())


def expressions():
    """The queries of the dashboard."""
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def test_the_examples_ask_for_metrics_that_exist():
    checked = promtool("check", "rules", str(EXAMPLES / "alerts.yml"))
    assert checked.returncode == 0, checked.stderr
    variables = [entry["query"]["query"] for entry in dashboard()["templating"]["list"]
                 if entry["type"] == "query"]
    asked = "\n".join([*expressions(), *variables, (EXAMPLES / "alerts.yml").read_text()])
    names = set(re.findall(r"\b(?:mooring|process)_[a-z_]+\b", asked))
    assert len(names) > 25
    with balancer_on_tcp() as balancer:
        balancer.wait_ready("app", 1)
        # CPU and memory are read once a second.
        page = wait_until(
            lambda: (page := metrics(balancer)) and any("resident" in n and "group" in n for n in page) and page,
            what="the memory of a process")
        present = {name.partition("{")[0] for name in page}
        assert names <= present, names - present
        labels = set(re.findall(r'(\w+)="', "\n".join(page))) | {"instance", "job"}
        for used in re.findall(r"by \(([^)]*)\)", asked):
            assert set(re.split(r",\s*", used)) <= labels, used


def test_no_two_panels_lie_on_each_other():
    taken = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
