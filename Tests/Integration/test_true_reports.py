"""What Mooring reports about sessions, processes and servers is what has happened to them."""

import os
import re
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from balancer import BINARY, ECHO, Balancer, serving, wait_until
from test_retired_groups import killed, taken_over

ONE = '[group.a]\nwsgi = "app.py"\nprocesses = 1\n'


def command(balancer, *words, timeout=60):
    return subprocess.run(
        [BINARY, *words, "-c", str(balancer.file)], capture_output=True, text=True, timeout=timeout)


def verdicts(balancer):
    return {word: count for word, count in balancer.admin("/stats").json()["verdicts"].items() if count}


def test_a_session_whose_process_ended_with_the_balancer_is_gone_and_lost_once():
    balancer = Balancer(ONE, files={"app.py": ECHO}, keeps_address=True)
    try:
        cookie = balancer.request().cookie
        [pid] = balancer.wait_ready("a", 1)
        balancer.crash()
        os.kill(pid, signal.SIGKILL)
        balancer.start()
        answer = balancer.request(cookie=cookie)
        assert answer.json()["affinity"] == "lost"
        assert balancer.request(cookie=answer.cookie).json()["affinity"] == "kept"
        wait_until(lambda: balancer.verdicts()[-2:] == [["gone", "moved"], ["valid", "kept"]], what="the log")
        assert wait_until(lambda: len(verdicts(balancer)) == 2 and verdicts(balancer)) == {"gone": 1, "valid": 1}
        sessions = balancer.group("a")["sessions"]
        assert (sessions["lost_total"], sessions["moved_total"]) == (1, 1)
    finally:
        balancer.stop()


def test_a_session_whose_process_crashed_is_counted_as_lost_once():
    with serving(ONE, files={"app.py": ECHO}) as balancer:
        cookie = balancer.request().cookie
        [pid] = balancer.wait_ready("a", 1)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: balancer.pids("a") not in ([], [pid]), what="a new process")
        assert balancer.request(cookie=cookie).json()["affinity"] == "lost"
        # The browser's other requests still carry the old cookie.
        assert balancer.request(cookie=cookie).json()["affinity"] == "kept"
        wait_until(lambda: balancer.verdicts()[-2:] == [["gone", "moved"], ["valid", "kept"]], what="the log")
        assert balancer.group("a")["sessions"]["lost_total"] == 1


def test_a_refused_session_is_gone_too():
    configuration = ONE + 'affinity = { on_lost = "refuse" }\n'
    with serving(configuration, files={"app.py": ECHO}) as balancer:
        cookie = balancer.request().cookie
        [pid] = balancer.wait_ready("a", 1)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: balancer.pids("a") not in ([], [pid]), what="a new process")
        assert balancer.request(cookie=cookie).status == 503
        wait_until(lambda: balancer.verdicts()[-1] == ["gone", "refused"], what="the log")
        wait_until(lambda: verdicts(balancer).get("gone") == 1, what="the count")


def test_servers_that_are_down_are_not_called_processes_that_do_not_start():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = f'[group.a]\nservers = ["127.0.0.1:{port}"]\nretries = 0\n'
    with serving(configuration) as balancer:
        balancer.request()
        answer = balancer.request()
        assert answer.status == 503 and "no server can be reached" in str(answer.headers["Proxy-Status"])
        assert "process" not in answer.headers["Proxy-Status"]
        reasons = balancer.admin("/readyz").body.decode()
        assert "none of its servers can be reached" in reasons


def test_handshakes_streams_and_greetings_are_shown(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=a"],
        check=True, capture_output=True)
    configuration = (
        '[[listen]]\naddress = "127.0.0.1:0"\n'
        f'[[listen.tls]]\ncertificate = "{tmp_path}/cert.pem"\nkey = "{tmp_path}/key.pem"\n' + ONE)
    with serving(configuration, files={"app.py": ECHO}) as balancer:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection(balancer.address)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        balancer.raw(b"no hello of TLS at all, but plain text\r\n\r\n")

        def metric(name):
            return float(re.search(rf"(?m)^{re.escape(name)} (\S+)$", balancer.admin("/metrics").body.decode())[1])

        assert metric('mooring_tls_handshakes_total{outcome="done"}') == 1
        wait_until(lambda: metric('mooring_tls_handshakes_total{outcome="failed"}') == 1)
        assert metric("mooring_http2_streams_total") == 0
        assert metric("mooring_greetings_refused_total") == 0
        connections = balancer.admin("/stats").json()["connections"]
        assert (connections["handshakes_total"], connections["handshakes_failed_total"]) == (1, 1)


@pytest.mark.parametrize("stubborn", [True, False])
def test_a_process_does_not_stop_only_when_it_was_told_to(stubborn):
    app = "import signal\n" + ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else "") + \
        'open(f"started-{__import__(\'os\').getpid()}", "w").close()\nwhile True: signal.pause()\n'
    configuration = (
        '[group.a]\ncommand = ["python3", "app.py"]\nstart_timeout = "1s"\nstop_timeout = "500ms"\n')
    balancer = Balancer(configuration, files={"app.py": app})
    try:
        wait_until(lambda: "is not ready in time and is killed" in balancer.log)
        assert "does not stop" not in balancer.log
        known = set(Path(balancer.folder).glob("started-*"))
        wait_until(lambda: set(Path(balancer.folder).glob("started-*")) - known, what="another start")
        balancer.process.send_signal(signal.SIGTERM)
        balancer.process.wait(20)
        assert ("does not stop and is killed" in balancer.log) == stubborn
    finally:
        balancer.stop()


def test_status_and_drain_say_what_holds_an_adopted_process_and_until_when():
    configuration = ONE + 'affinity = { idle = "45s" }\n'
    balancer = Balancer(configuration, files={"app.py": ECHO}, keeps_address=True)
    try:
        balancer.request()
        balancer.wait_ready("a", 1)
        assert "kept for sessions" not in command(balancer, "status").stdout
        balancer.crash()
        balancer.start()
        [process] = balancer.group("a")["processes"]
        assert 30 < process["kept_seconds_left"] <= 45
        said = command(balancer, "status").stdout
        assert re.search(
            rf"{process['id']}: kept for sessions from before the restart, until \d{{4}}-\S+Z at the latest", said)
        drain = subprocess.Popen(
            [BINARY, "drain", process["id"], "--wait", "-c", str(balancer.file)], stdout=subprocess.PIPE, text=True)
        try:
            drain.stdout.readline()
            line = drain.stdout.readline()
            assert re.search(r"; kept for sessions from before the restart, for \d+ s at the latest", line)
        finally:
            drain.kill()
            drain.wait()
            drain.stdout.close()
    finally:
        balancer.stop()


@pytest.mark.parametrize("change_balancer, report", [
    # Its record may lag behind: a session may have begun a moment before.
    (killed, r"processes that are kept for their sessions: 1, for (3600|3599) s at the latest"),
    (taken_over, "its processes had no sessions")])
def test_what_becomes_of_the_sessions_of_a_group_that_has_gone_from_the_file_is_said(change_balancer, report):
    balancer = Balancer(f"{ONE}[routes]\n\"/\" = \"a\"\n[group.b]\nwsgi = \"app.py\"\nprocesses = 1\n", files={"app.py": ECHO}, keeps_address=True)
    try:
        balancer.wait_ready("b", 1)
        text = balancer.file.read_text()
        balancer.file.write_text(text.partition("[group.b]")[0])
        change_balancer(balancer)
        wait_until(lambda: re.search(f"group b is not in the configuration any more; {report}", balancer.log), what="the log")
        assert "group a is not" not in balancer.log
    finally:
        balancer.stop()
