"""A port that a process was given is not taken over by another user's program."""

import os
import subprocess
import sys
import threading

import pytest

from balancer import Balancer, wait_until
from scarcity import Scarcity

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
THIEF = 54322

APP = """
import time
time.sleep(3)

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"mine"]
"""

# Looks for the port on the command lines of all processes, and listens there until it is ended.
STEAL = f"""
import os, re, socket, sys, time
os.setgroups([])
os.setresgid({THIEF}, {THIEF}, {THIEF})
os.setresuid({THIEF}, {THIEF}, {THIEF})
print("looks", flush=True)
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found = re.search(sys.argv[1], open(f"/proc/{{pid}}/cmdline").read())
        except OSError:
            continue
        if found:
            break
    else:
        time.sleep(0.005)
        continue
    dual = ":" in sys.argv[2]
    try:
        listener = socket.create_server((sys.argv[2], int(found.group(1))), dualstack_ipv6=dual,
                                        family=socket.AF_INET6 if dual else socket.AF_INET)
    except OSError:
        continue
    listener.settimeout(20)
    while True:
        connection, _ = listener.accept()
        head = connection.recv(65536)
        if head:
            print("stolen", flush=True)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nstolen")
        connection.close()
"""

# The thief is to find this test's processes only.
MODULE = f"app{os.getpid()}"
SERVERS = {
    "waitress": f"waitress-serve --listen=127.0.0.1:{{port}} {MODULE}:application",
    "gunicorn": f"gunicorn --no-control-socket -b 127.0.0.1:{{port}} {MODULE}:application",
}


@needs_root
@pytest.mark.parametrize("host,server,health", [
    ("127.0.0.1", "waitress", ""), ("0.0.0.0", "gunicorn", ""), ("::", "waitress", ""),
    ("127.0.0.1", "gunicorn", 'health = { path = "/" }\n')])
def test_a_port_that_another_user_takes_during_the_import_is_a_failed_start(host, server, health):
    command = SERVERS[server]
    pattern = rf"127\.0\.0\.1:(\d+)\0{MODULE}:"
    thief = subprocess.Popen(
        [sys.executable, "-c", STEAL, pattern, host], stdout=subprocess.PIPE, text=True)
    assert thief.stdout.readline() == "looks\n"
    balancer = Balancer(
        f'[group.app]\ncommand = {command.split()!r}\nprocesses = 1\nqueue_timeout = "20s"\n{health}'
        .replace("'", '"'), files={f"{MODULE}.py": APP})
    try:
        answers = []
        client = threading.Thread(
            target=lambda: answers.append(balancer.request("/", headers={"Authorization": "secret"})))
        client.start()
        failure = wait_until(lambda: balancer.group("app")["spawn"]["last_failure"])
        assert f"of the user with the id {THIEF}, listens at 127.0.0.1:" in failure["reason"], failure
        thief.kill()
        out = thief.communicate()[0]
        assert "stolen" not in out, "the thief was sent a request"
        client.join()
        assert b"stolen" not in answers[0].body
        wait_until(lambda: balancer.pids("app"), what="a start that nobody disturbs")
        assert balancer.request("/").body == b"mine"
    finally:
        if thief.poll() is None:
            thief.kill()
            thief.wait()
        balancer.stop()


@needs_root
def test_the_label_of_a_process_in_a_thiefs_environment_makes_the_port_none_of_its_own(tmp_path):
    command = SERVERS["waitress"].split()
    balancer = Balancer(
        f'[group.app]\ncommand = {command!r}\nuser = "nobody"\nprocesses = 1\n'.replace("'", '"'),
        files={f"{MODULE}.py": APP.replace("sleep(3)", "sleep(6)")}, prepare=lambda folder: folder.chmod(0o755),
        # Its loader keeps the balancer from making cgroups, which no environment can get into.
        **Scarcity(tmp_path).environment)
    thief = None
    try:
        label = wait_until(lambda: [p["id"] for p in balancer.group("app")["processes"] if p["id"]])[0]
        thief = subprocess.Popen(
            [sys.executable, "-c", STEAL, rf"127\.0\.0\.1:(\d+)\0{MODULE}:", "127.0.0.1"],
            stdout=subprocess.PIPE, text=True, start_new_session=True, env={"MOORING_PROCESS": label})
        failure = wait_until(lambda: balancer.group("app")["spawn"]["last_failure"])
        assert f"of the user with the id {THIEF}, listens at 127.0.0.1:" in failure["reason"], failure
    finally:
        if thief:
            thief.kill()
            thief.communicate()
        balancer.stop()
