"""`mooring run`: one application of a developer, without a file."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from balancer import BINARY, ECHO, VENV, is_alive, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


class Run:
    """`mooring run` in a folder; stderr is read from a file."""

    def __init__(self, folder, *arguments, listen="127.0.0.1:0", prefix=(), **environment):
        self.folder = Path(folder)
        self.errors = self.folder / f".stderr-{time.monotonic_ns()}"
        options = ["--listen", listen] if listen else []
        homes = {"HOME": str(self.folder), "TMPDIR": "/tmp", "RUNTIME_DIRECTORY": "", "STATE_DIRECTORY": ""}
        # Short, for the paths of sockets; shared by all projects, as a user's are.
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*prefix, BINARY, "run", *options, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=errors,
                text=True, env={**os.environ, **homes, "PATH": f"{VENV}:{os.environ['PATH']}", **environment})

    def serve(self):
        line = self.process.stdout.readline()
        found = re.match(r"mooring: serving on 127\.0\.0\.1:(\d+), admin on unix:(\S+)", line)
        assert found, (line, self.said)
        self.port, self.admin = int(found[1]), found[2]
        return self

    @property
    def said(self):
        return self.errors.read_text()

    def get(self, path="/", cookie=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def facts(self, cookie=None):
        status, body, _ = self.get(cookie=cookie)
        return json.loads(body) if status == 200 else None

    def end(self, code=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(40) == code, self.said
        self.process.stdout.close()


@contextlib.contextmanager
def running(folder, *arguments, **options):
    run = Run(folder, *arguments, **options)
    try:
        yield run.serve()
    except BaseException:
        print(run.said[-5000:])
        raise
    finally:
        run.end()


@pytest.fixture
def home(tmp_path_factory):
    """A folder for what a user keeps, and its variables."""
    folder = Path(f"/tmp/mh-{os.getpid()}-{time.monotonic_ns() % 10**8}")
    folder.mkdir()
    yield {"RUNTIME_DIRECTORY": f"{folder}/r", "STATE_DIRECTORY": f"{folder}/s"}
    subprocess.run(["rm", "-rf", str(folder)], check=False)


def project(folder, text=ECHO, name="app.py"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_two_projects_run_at_once_and_neither_has_the_others_processes(tmp_path, home):
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    with running(one, "app.py", **home) as first, running(two, "app.py", **home) as second:
        pids = {wait_until(first.facts)["pid"], wait_until(second.facts)["pid"]}
        assert len(pids) == 2 and first.admin != second.admin


def test_one_project_runs_twice(tmp_path, home):
    folder = project(tmp_path / "one")
    with running(folder, "app.py", **home) as first, running(folder, "app.py", **home) as second:
        assert wait_until(first.facts)["pid"] != wait_until(second.facts)["pid"]
        assert first.admin != second.admin


def test_processes_that_outlive_a_killed_run_are_taken_over_by_the_same_project_only(tmp_path, home):
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    run = Run(one, "app.py", **home).serve()
    pid = wait_until(run.facts)["pid"]
    run.process.kill()
    run.process.wait()
    run.process.stdout.close()
    assert is_alive(pid)
    with running(two, "app.py", **home) as other:
        assert wait_until(other.facts)["pid"] != pid and is_alive(pid)
    with running(one, "app.py", **home) as again:
        assert wait_until(again.facts)["pid"] == pid
    assert not is_alive(pid)


def test_without_an_address_each_takes_the_next_free_port_and_has_a_cookie_of_its_own(tmp_path, home):
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    with running(one, "app.py", listen=None, **home) as first, running(two, "app.py", listen=None, **home) as second:
        wait_until(first.facts), wait_until(second.facts)
        assert first.port != second.port and 8080 <= min(first.port, second.port)
        names = [run.get()[2]["Set-Cookie"].split("=")[0] for run in (first, second)]
        assert names[0] != names[1], names


def test_status_finds_what_runs_in_this_folder(tmp_path, home):
    folder = project(tmp_path / "one")
    environment = {**os.environ, **home}

    def status():
        return subprocess.run([BINARY, "status"], cwd=folder, capture_output=True, text=True, env=environment,
                              timeout=60, check=False)

    assert status().returncode == 3
    with running(folder, "app.py", **home) as run:
        wait_until(run.facts)
        said = status()
        assert said.returncode == 0 and "app" in said.stdout, said


@needs_root
def test_another_users_folder_in_tmp_does_not_matter(tmp_path):
    folder = project(Path(f"/tmp/mp-{os.getpid()}"))
    temporary = Path(f"/tmp/mt-{os.getpid()}")
    temporary.mkdir()
    temporary.chmod(0o1777)
    folder.chmod(0o777)
    user = 64321
    for name in ("mooring", f"mooring-{user}"):
        (temporary / name).mkdir()
        (temporary / name).chmod(0o700)
        os.chown(temporary / name, 65534, 65534)
    state = folder / "h"
    state.mkdir()
    os.chown(state, user, user)
    try:
        environment = {"TMPDIR": str(temporary), "HOME": str(state), "USER": "", "LOGNAME": "",
                       "XDG_RUNTIME_DIR": "", "XDG_STATE_HOME": "", "PATH": "/usr/bin:/bin"}
        prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        with running(folder, "app.py", prefix=prefix, **environment) as run:
            assert wait_until(run.facts)
    finally:
        subprocess.run(["rm", "-rf", str(folder), str(temporary), f"/tmp/mooring-{user}"], check=False)


def test_a_wrong_file_ends_it_at_once_with_one_line(tmp_path, home):
    project(tmp_path, "x = (\n", "broken.py")
    for arguments, expected in (
            (["nope.py"], r"APP: no such file: nope\.py \(in \S+\); .+"),
            (["broken.py"], r"APP: \S+broken\.py, line 1: .+"),
            (["nopackage.web:app"], r"APP: \S+ finds no module nopackage\.web from .+"),
            (["--python", "python9", "broken.py"], r"--python: python9 is not on the PATH .+"),
            (["--env", "1A=x", "broken.py"], r"--env: names the variable \"1A\"; .+"),
            (["--", "nosuchprogram"], r"COMMAND: nosuchprogram is not on the PATH .+"),
            (["--", "./nope"], r"COMMAND: No such file or directory: .+/nope; .+")):
        begun = time.monotonic()
        run = Run(tmp_path, *arguments, **home)
        assert run.process.wait(30) == 2
        assert time.monotonic() - begun < 20
        assert any(re.fullmatch(expected, line) for line in run.said.splitlines()), run.said
        run.process.stdout.close()


def test_an_application_that_does_not_start_ends_it_with_its_traceback(tmp_path, home):
    project(tmp_path, "import os\n\ndef load():\n\traise RuntimeError('no database')\n\nload()\napplication = None\n")
    run = Run(tmp_path, "app.py", **home)
    assert run.process.wait(40) == 1, run.said
    run.process.stdout.close()
    said = run.said
    tag = re.search(r"^\[app [a-z2-9]{4}\] ", said, re.M)[0]
    assert f"{tag}Traceback (most recent call last):\n" in said
    assert f"{tag}RuntimeError: no database\n" in said
    assert re.search(r"^" + re.escape(tag) + r"  File \".*app\.py\", line 4, in load$", said, re.M), said
    assert "does not start" in said.splitlines()[-2] or "does not start" in said, said


def test_a_command_that_ends_ends_it(tmp_path, home):
    run = Run(tmp_path, "--", "sh", "-c", "echo cannot go on >&2; exit 3", **home)
    assert run.process.wait(40) == 1, run.said
    run.process.stdout.close()
    assert re.search(r"^\[app \w{4}\] cannot go on$", run.said, re.M) and "status 3" in run.said


def test_an_application_that_crashes_after_it_has_served_is_started_again(tmp_path, home):
    project(tmp_path)
    with running(tmp_path, "app.py", **home) as run:
        pid = wait_until(run.facts)["pid"]
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: (facts := run.facts()) and facts["pid"] != pid and facts)


def test_output_comes_line_by_line_behind_the_name_of_its_process(tmp_path, home):
    project(tmp_path, ECHO + "\nprint('first\\tline')\nprint('second', file=__import__('sys').stderr)\n")
    with running(tmp_path, "app.py", **home) as run:
        wait_until(run.facts)
        wait_until(lambda: "second" in run.said)
        lines = [line for line in run.said.splitlines() if line.startswith("[app ")]
        assert any(re.fullmatch(r"\[app \w{4}\] first\tline", line) for line in lines), lines
        assert any(re.fullmatch(r"\[app \w{4}\] second", line) for line in lines), lines


@pytest.mark.parametrize("server", ["auto", "standard"])
def test_it_says_which_server_was_chosen(tmp_path, home, server):
    project(tmp_path)
    options = ["--python", "/usr/bin/python3"] if server == "standard" else []
    with running(tmp_path, *options, "app.py", **home) as run:
        wait_until(run.facts)
        name = "the standard library" if server == "standard" else "granian"
        wait_until(lambda: re.search(rf"^\[app \w{{4}}\] .*app\.py.* {name}", run.said, re.M), what=run.said)


def test_the_interpreter_and_variables_are_handed_over(tmp_path, home):
    project(tmp_path, """
import json, os, sys
def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps([sys.argv[0], os.environ.get("A"), os.environ.get("OWN"), sys.executable]).encode()]
""")
    python = tmp_path / "mypython"
    python.symlink_to(Path(sys.executable).resolve())
    with running(tmp_path, "--python", str(python), "--env", "A=1=2", "--env", "OWN", "app.py", OWN="mine", **home) as run:
        _, given, own, executable = wait_until(run.facts)
        assert (given, own) == ("1=2", "mine") and executable == str(python)


def test_reload_serves_the_changed_file_to_old_sessions_too(tmp_path, home):
    text = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'VERSION']\n"
    folder = project(tmp_path / "p", text.replace("VERSION", "one"))
    with running(folder, "--reload", "app.py", **home) as run:
        wait_until(lambda: run.get()[1] == b"one")
        cookie = run.get()[2]["Set-Cookie"].split(";")[0]
        (folder / "app.py").write_text(text.replace("VERSION", "two"))
        wait_until(lambda: run.get(cookie=cookie)[1] == b"two")
        # One that cannot start changes nothing, and the next change mends it.
        (folder / "app.py").write_text("raise RuntimeError('half written')\n")
        wait_until(lambda: "half written" in run.said)
        assert run.get(cookie=cookie)[1] == b"two"
        (folder / "app.new").write_text(text.replace("VERSION", "three"))
        (folder / "app.new").rename(folder / "app.py")
        wait_until(lambda: run.get(cookie=cookie)[1] == b"three")


def test_reload_says_what_a_program_that_does_not_listen_is_waited_for(tmp_path, home):
    listen = "import socket, os\nlistener = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
    serve = "while True:\n    connection, _ = listener.accept()\n    connection.recv(9999)\n" \
        "    connection.sendall(b'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\nhi')\n" \
        "    connection.close()\n"
    folder = project(tmp_path / "p", listen + serve)
    with running(folder, "--reload", "--", "python3", "app.py", **home) as run:
        wait_until(lambda: run.get()[0] == 200)
        (folder / "app.py").write_text("import signal\nsignal.pause()\n")
        slow = wait_until(lambda: re.search(r".*is not ready after 5 s: .*", run.said), seconds=30)[0]
        assert "Mooring waits until it listens at unix:/" in slow and "it does not listen anywhere" in slow
        # What serves goes on serving, and the next change does not wait for the one that hangs.
        assert run.get()[0] == 200
        (folder / "app.py").write_text((listen + serve).replace("nhi'", "nho'"))
        wait_until(lambda: run.get()[1] == b"ho", seconds=20)


def test_reload_watches_new_folders_and_not_what_the_application_writes(tmp_path, home):
    folder = project(tmp_path / "p", """
import os, pathlib
def application(environ, start_response):
    pathlib.Path("data.sqlite3").write_bytes(os.urandom(8))
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
""")
    with running(folder, "--reload", "app.py", **home) as run:
        pid = wait_until(lambda: (answer := run.get())[0] == 200 and answer[1])
        (folder / "views").mkdir()
        assert run.get()[1] == pid
        (folder / "views" / "page.py").write_text("new")
        wait_until(lambda: (answer := run.get())[0] == 200 and answer[1] != pid)
        assert "data.sqlite3 has changed" not in run.said
