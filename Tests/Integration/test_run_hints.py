"""`mooring run` and `mooring serve` with what other programs would take: the answer is the command that was meant."""

import os
import pty
import subprocess

import pytest

from balancer import BINARY, ECHO, wait_until
from test_run import Run, home, project, running  # noqa: F401

HINTS = {
    "a script of another language": (["server.js"], "mooring run -- node server.js"),
    "a program without the two dashes": (["node", "server.js"], "mooring run -- node server.js"),
    "a server of another kind": (["uvicorn", "app:app"], "mooring run -- uvicorn app:app --uds {socket}"),
    "an interpreter": (["python", "app.py"], "mooring run -- python app.py"),
    "two applications": (["app.py", "other.py"], "One application is enough: other.py"),
    "a port": (["--port", "3000", "app.py"], "--listen 127.0.0.1:3000"),
    "a port for an address": (["--listen", "18490", "app.py"], "write 127.0.0.1:18490"),
    "workers": (["--workers", "4", "app.py"], "--processes 4"),
    "a server": (["--server", "gunicorn", "app.py"], 'server = "gunicorn"'),
    "no processes": (["--processes", "0", "app.py"],
                     "--processes: is the number 0; needs a number from 1 to 10000, or MIN..MAX, like 0..8"),
}


@pytest.mark.parametrize("name", HINTS)
def test_the_command_that_was_meant_is_named(tmp_path, home, name):  # noqa: F811
    arguments, expected = HINTS[name]
    project(tmp_path)
    run = Run(tmp_path, *arguments, **home)
    assert run.process.wait(30) == 2, run.said
    run.process.stdout.close()
    assert expected in " ".join(run.said.split()), run.said


def test_a_variable_that_is_not_set_is_told(tmp_path, home):  # noqa: F811
    project(tmp_path)
    with running(tmp_path, "--env", "NOSUCH", "app.py", **home) as run:
        assert "--env NOSUCH: it is not set here, so no process gets it" in run.said


def test_a_program_at_a_taken_port_is_told_of_the_variable(tmp_path, home):  # noqa: F811
    run = Run(tmp_path, "--", "sh", "-c", "echo 'OSError: [Errno 98] Address already in use'; exit 1", **home)
    assert run.process.wait(40) == 1
    run.process.stdout.close()
    assert "let it listen on the port in the variable PORT" in run.said


def test_the_next_run_is_at_the_port_of_the_last(tmp_path, home):  # noqa: F811
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    with running(one, "app.py", listen=None, **home) as first, running(two, "app.py", listen=None, **home) as second:
        wait_until(second.facts)
        cookie = second.get()[2]["Set-Cookie"].split("=")[0]
        assert second.port > first.port
    with running(two, "app.py", listen=None, **home) as again:
        wait_until(again.facts)
        assert again.port == second.port and again.get()[2]["Set-Cookie"].split("=")[0] == cookie


def test_colours_reach_a_terminal_and_nothing_else_does(tmp_path, home):  # noqa: F811
    project(tmp_path, ECHO + "\nprint('\\x1b[31mred\\x1b[0m \\x1b[2Jgone \\x1b]0;title\\x07')\n")
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [BINARY, "run", "--listen", "127.0.0.1:0", "app.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs,
        env={**os.environ, "HOME": str(tmp_path), **home})
    os.close(theirs)
    said = b""
    try:
        while b"gone" not in said:
            said += os.read(ours, 4096)
    finally:
        run.terminate()
        assert run.wait(40) == 0
        run.stdout.close()
        os.close(ours)
    line = next(line for line in said.splitlines() if b"gone" in line)
    assert b"\x1b[31mred\x1b[0m" in line and line.rstrip().endswith(b"\x1b[0m")
    assert b"\\x1b[2Jgone" in line and b"\x1b]" not in line and b"\\x1b]0;title" in line


def test_no_colours_reach_a_file(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p", ECHO + "\nprint('\\x1b[1;31mred\\x1b[0m \\x1b[2Jgone')\n")
    with running(folder, "app.py", **home) as run:
        wait_until(lambda: "] red \\x1b[2Jgone" in run.said, what="the line")
        assert "[1;31m" not in run.said and "[0m" not in run.said


def test_serve_takes_its_file_like_check(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text("[group.a]\nserver = 1\n")
    for arguments in (["serve", str(file)], ["serve", "-c", str(file)]):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and f"{file}:" in done.stderr
    done = subprocess.run([BINARY, "serve", str(file), "-c", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "Give the file once" in done.stderr


def test_a_key_of_a_group_above_it_is_sent_there(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text('allow_root = true\nthreads = 3\n[group.a]\nservers = ["127.0.0.1:1"]\n')
    done = subprocess.run([BINARY, "check", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    for line, key in enumerate(["allow_root", "threads"], 1):
        assert f"{file}:{line}: {key}: stands outside of a group; move it below its [group.NAME]" in done.stderr
