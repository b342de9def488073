"""What an operator meets: the command line, the admin API, messages and exit codes."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess

from balancer import BINARY, ECHO, VENV, as_anybody, serving, wait_until

ONE = '[group.app]\nwsgi = "app.py"\nserver = "wsgiref"\n'


def mooring(*arguments, cwd="/tmp"):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, cwd=cwd, timeout=60)


def test_five_different_mistakes_are_told_at_once_with_line_and_key(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text("""[group.app]
wsgi = "app.py"
comand = ["x"]
threads = "many"
queue_timeout = "30 bananas"
processes = { min = 5, max = 2 }
[routes]
"/" = "ap"
""")
    for command in ("check", "serve"):
        result = mooring(command, "-c", str(file))
        assert result.returncode == 2
        for line, key in ((3, "comand"), (4, "threads"), (5, "queue_timeout"), (6, "processes"), (8, "routes")):
            assert any(
                text.startswith(f"{file}:{line}: ") and key in text for text in result.stderr.splitlines()), (
                line, key, result.stderr)
        assert "command" in result.stderr and '"app"' in result.stderr


def test_missing_certificates_and_users_are_told_at_once_with_line_and_key(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text("""[[listen]]
address = "127.0.0.1:8443"
[[listen.tls]]
certificate = "no.pem"
key = "no.key"
[[listen]]
address = "127.0.0.1:8444"
client_ca = "no-authority.pem"
[[listen.tls]]
certificate = "no.pem"
key = "no.key"
[group.a]
command = ["app", "{socket}"]
user = "nosuchuser"
[group.b]
servers = [{ address = "https://10.0.0.1:1", ca = "nope.pem" }]
[routes]
"/" = "a"
"/b" = "b"
""")
    said = mooring("check", "-c", str(file))
    assert said.returncode == 2
    for place, words in ((":4: listen.tls.certificate: ", "no.pem"), (":8: listen.client_ca: ", "no-authority.pem"),
                         (":14: group.a.user: ", "nosuchuser"), (":16: group.b.servers.ca: ", "nope.pem")):
        assert any(place in line and words in line for line in said.stderr.splitlines()), (place, said.stderr)


def test_a_good_file_is_good_and_reads_back_as_it_is_understood(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text(as_anybody(ONE))
    (tmp_path / "app.py").write_text(ECHO)
    assert mooring("check", "-c", str(file)).returncode == 0
    printed = mooring("check", "--print", "-c", str(file)).stdout
    again = tmp_path / "again.toml"
    again.write_text(printed)
    assert mooring("check", "--print", "-c", str(again)).stdout == printed


def test_a_missing_file_and_an_unreachable_balancer_have_their_exit_codes(tmp_path):
    assert mooring("serve", "-c", str(tmp_path / "none.toml")).returncode == 2
    assert mooring("status", "--admin", f"unix:{tmp_path}/none.sock").returncode == 3
    assert mooring("no-such-command").returncode == 2


def test_run_needs_no_file(tmp_path):
    (tmp_path / "app.py").write_text(ECHO)
    process = subprocess.Popen(
        [BINARY, "run", "app.py", "--listen", "127.0.0.1:0", "--processes", "2", "--threads", "3"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}", "STATE_DIRECTORY": f"{tmp_path}/s",
             "RUNTIME_DIRECTORY": f"{tmp_path}/r"})
    port = int(re.match(r"mooring: serving on 127\.0\.0\.1:(\d+), ", process.stdout.readline()).group(1))

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None

    facts = wait_until(ask)
    assert facts["multiprocess"] is True and facts["multithread"] is True
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_the_admin_api_answers_and_its_socket_is_the_owners_alone():
    with serving(ONE, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        mode = stat.S_IMODE(os.stat(balancer.admin_socket).st_mode)
        assert mode == 0o600
        assert balancer.admin("/healthz").status == 200
        assert balancer.admin("/readyz").status == 200
        balancer.request()
        # The answer is sent before it is counted.
        wait_until(lambda: balancer.admin("/stats").json()["requests"]["total"] == 1)
        assert balancer.admin("/stats").json()["groups"][0]["name"] == "app"
        assert "mooring_" in balancer.admin("/metrics").body.decode()
        missing = balancer.admin("/stats/none")
        assert (missing.status, missing.headers["Content-Type"]) == (404, "application/problem+json")
        table = mooring("status", "-c", str(balancer.file))
        assert table.returncode == 0 and "app" in table.stdout and "ready" in table.stdout
        assert json.loads(mooring("status", "--json", "-c", str(balancer.file)).stdout)["groups"]


def test_readyz_says_what_is_missing():
    with serving('[group.app]\ncommand = ["sleep", "60"]\n') as balancer:
        answer = balancer.admin("/readyz")
        assert answer.status == 503 and b"app" in answer.body


def test_no_secret_is_in_anything_that_is_shown():
    with serving(ONE + 'env = { SECRET = "hidden-value" }\n', files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 1)
        cookie = balancer.request().cookie
        key = (balancer.folder / "state/session.keys").read_text().split()[-1]
        shown = b"".join(balancer.admin(path).body for path in ("/stats", "/metrics", "/")).decode()
        shown += balancer.log + mooring("check", "--print", "-c", str(balancer.file)).stdout
        for secret in (cookie, key, "hidden-value"):
            assert secret not in shown
