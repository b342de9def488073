"""`mooring run` after it was killed: what it left behind, and code that was changed meanwhile."""

import os
import re
import subprocess

from balancer import BINARY, ECHO, is_alive, wait_until
from test_run import Run, home, project, running  # noqa: F401

HELPED = """import helper
def application(environ, start_response):
    start_response("200 OK", [])
    return [helper.VERSION]
"""


def killed(folder, *arguments, **options):
    """A run that has served and was killed."""
    run = Run(folder, *arguments, **options).serve()
    answer = wait_until(lambda: (answer := run.get()) and answer[0] == 200 and answer)
    run.process.kill()
    run.process.wait()
    run.process.stdout.close()
    return answer


def test_with_reload_a_file_that_was_changed_meanwhile_counts(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p", HELPED)
    (folder / "helper.py").write_text("VERSION = b'one'\n")
    first = killed(folder, "--reload", "app.py", **home)
    assert first[1] == b"one"
    (folder / "new.py").write_text("VERSION = b'two'\n")
    # With the times of long ago, as a checkout or a copy may have them.
    os.utime(folder / "new.py", (1, 1))
    (folder / "new.py").rename(folder / "helper.py")
    with running(folder, "--reload", "app.py", **home) as again:
        cookie = first[2]["Set-Cookie"].split(";")[0]
        wait_until(lambda: again.get(cookie=cookie)[1] == b"two")
        assert "helper.py has changed since the earlier run" in again.said


def test_with_reload_processes_whose_code_is_the_same_are_kept(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p")
    run = Run(folder, "--reload", "app.py", **home).serve()
    pid = wait_until(run.facts)["pid"]
    run.process.kill()
    run.process.wait()
    run.process.stdout.close()
    with running(folder, "--reload", "app.py", **home) as again:
        assert wait_until(again.facts)["pid"] == pid
        assert "has changed" not in again.said


def test_without_reload_old_code_is_said_to_be_old(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p", HELPED)
    (folder / "helper.py").write_text("VERSION = b'one'\n")
    killed(folder, "app.py", **home)
    # Longer than before: Python takes bytecode of the same size and second for the file's own.
    (folder / "helper.py").write_text("VERSION = b'two'  # changed\n")
    with running(folder, "app.py", **home) as again:
        assert wait_until(lambda: again.get()[1]) == b"one"
        said = wait_until(lambda: re.search(r"\w{4} of an earlier run has the code from before .*", again.said))[0]
        assert "before helper.py was changed; mooring restart app " in said
        subprocess.run([BINARY, "restart", "app", "--wait", "--admin", f"unix:{again.admin}"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        wait_until(lambda: again.get()[1] == b"two")


def test_what_another_spelling_has_left_is_named_with_how_to_end_it(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p", f"{ECHO}\ndef create_app(name):\n    return application\n")
    run = Run(folder, "app:create_app('prod')", **home).serve()
    pid = wait_until(run.facts)["pid"]
    with running(folder, "app:create_app('test')", **home) as other:
        # Its balancer lives: nothing is wrong.
        assert "live on" not in other.said and wait_until(other.facts)["pid"] != pid
    run.process.kill()
    run.process.wait()
    run.process.stdout.close()
    with running(folder, "app:create_app('test')", **home) as other:
        line, = (line for line in other.said.splitlines() if "live on" in line)
        assert "mooring run \"app:create_app('prod')\", which was killed" in line
        assert wait_until(other.facts)["pid"] != pid and is_alive(pid)
        command = re.search(r"kill -- -\d+$", line)[0]
        subprocess.run(["bash", "-c", command], check=True)
        wait_until(lambda: not is_alive(pid))
    with running(folder, "app:create_app('test')", **home) as other:
        assert "live on" not in other.said


def test_a_process_is_drained_by_the_name_before_its_lines(tmp_path, home):  # noqa: F811
    folder = project(tmp_path / "p", ECHO + "\nprint('hello')\n")
    with running(folder, "app.py", **home) as run:
        pid = wait_until(run.facts)["pid"]
        name = wait_until(lambda: re.search(r"^\[app (\w{4})\] hello", run.said, re.M))[1]

        def drain(*arguments):
            return subprocess.run([BINARY, "drain", *arguments, "--admin", f"unix:{run.admin}"], capture_output=True, text=True,
                                  timeout=60, check=False)

        refused = drain(name[:3])
        assert refused.returncode != 0 and "mooring status" in refused.stderr
        done = drain(name, "--timeout", "1s", "--wait")
        assert done.returncode == 0, done
        assert re.search(rf"process {name}\w{{4}} has ended", done.stdout)
