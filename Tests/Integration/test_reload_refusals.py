"""A reload changes nothing where the new file cannot work, or where what it asks for serves already."""

import os
import re
import signal
import subprocess

import pytest

from balancer import BINARY, ECHO, serving, wait_until

APP = '[group.app]\nwsgi = "app.py"\nprocesses = 2\n'
# Does not get as far as its application.
BROKEN = "import os\nif os.environ.get('MODE') == 'broken':\n    raise SystemExit(3)\n" + ECHO


def reload(balancer, old, new):
    balancer.file.write_text(balancer.file.read_text().replace(old, new))
    return balancer.admin("/reload", "POST")


@pytest.mark.parametrize("old, new, said", [
    ('"app.py"', '"gone.py"', "group.app.wsgi: no such file: gone.py"),
    ('"app.py"', '"gone/app.py:app"', "group.app.wsgi: no such file: gone/app.py"),
    ("processes", 'cwd = "gone"\nprocesses', "group.app.cwd: No such file or directory"),
    ("processes", 'python = "./gone"\nprocesses', "group.app.python: No such file or directory"),
    ("processes", 'output = "gone/out.log"\nprocesses', "group.app.output: No such file or directory"),
])
def test_a_reload_refuses_files_that_are_not_there(old, new, said):
    with serving(APP, files={"app.py": ECHO}) as balancer:
        pids = set(balancer.wait_ready("app", 2))
        answer = reload(balancer, old, new)
        assert answer.status == 422, answer.body
        assert said in answer.body.decode()
        assert set(balancer.pids("app")) == pids and balancer.group("app")["generation"] == 1


def test_what_kept_a_new_generation_from_starting_is_told_everywhere():
    with serving(APP + 'env = { MODE = "whole" }\n', files={"app.py": BROKEN.replace("raise", "print('no database'); raise")}
                 ) as balancer:
        balancer.wait_ready("app", 2)
        assert reload(balancer, '"whole"', '"broken"').status == 200
        wait_until(lambda: "is given up" in balancer.log, what="the failure")

        def mooring(*arguments):
            return subprocess.run([BINARY, *arguments, "-c", str(balancer.file)], capture_output=True, text=True, timeout=60,
                                  check=False)

        done = mooring("restart", "app", "--wait")
        assert done.returncode != 0 and "is given up, the old one serves on: exited with status 3" in done.stderr, done
        assert "\n  | no database\n" in done.stderr, done
        status = mooring("status").stdout
        assert "generation 3 did not start and is given up; generation 1 serves on" in status, status
        assert "exited with status 3" in status and "  | no database" in status, status
        failed = [line for line in balancer.log.splitlines() if "process of a new generation did not start" in line]
        assert failed and not any("next_try_in" in line or "failures_in_a_row" in line for line in failed), failed


def test_every_problem_of_a_refused_reload_has_a_line_of_its_own():
    pages = 'errors = { 503 = "busy.html", 502 = "sorry.html" }\n'
    with serving(APP + pages, files={"app.py": ECHO, "busy.html": "busy", "sorry.html": "sorry"}) as balancer:
        balancer.wait_ready("app", 2)
        for name in ("busy.html", "sorry.html"):
            (balancer.folder / name).unlink()
        done = subprocess.run([BINARY, "reload", "-c", str(balancer.file)], capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode != 0 and "u{a}" not in done.stderr, done.stderr
        for name in ("busy.html", "sorry.html"):
            assert any(name in line and "errors" in line for line in done.stderr.splitlines()), done.stderr
        assert not any("busy.html" in line and "sorry.html" in line for line in done.stderr.splitlines())
        os.kill(balancer.pid, signal.SIGHUP)
        for name in ("busy.html", "sorry.html"):
            wait_until(lambda name=name: re.search(rf"^.* error nothing was changed: \S+.*{name}[^\\]*$", balancer.log, re.M),
                       what=balancer.log)


def test_a_program_that_was_not_there_before_keeps_no_other_group_from_changing():
    missing = '[group.missing]\ncommand = ["./gone"]\nprocesses = { min = 0, max = 1 }\n'
    routes = '[routes]\n"/" = "app"\n"/missing" = "missing"\n'
    with serving(APP + missing + routes, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        answer = reload(balancer, "processes = 2", "processes = 3")
        assert answer.status == 200, answer.body
        assert len(balancer.wait_ready("app", 3)) == 3


def test_a_generation_that_did_not_start_is_given_up_when_the_file_is_put_back():
    with serving(APP + 'env = { MODE = "whole" }\n', files={"app.py": BROKEN}) as balancer:
        pids = set(balancer.wait_ready("app", 2))
        assert reload(balancer, '"whole"', '"broken"').status == 200
        wait_until(lambda: "a new generation did not start and is given up" in balancer.log, what="the failure")
        answer = reload(balancer, '"broken"', '"whole"')
        assert answer.status == 200, answer.body
        assert (answer.json()["changed"], answer.json()["restarted"]) == (["app"], [])
        group = balancer.group("app")
        assert set(balancer.pids("app")) == pids and len(group["processes"]) == 2
        assert group["generation"] == 1
        # What is started from now on is what serves, not what failed.
        assert balancer.admin("/groups/app/restart", "POST").status in (200, 202)
        wait_until(lambda: balancer.group("app")["generation"] > 1, what="the new generation")
        assert not set(balancer.wait_ready("app", 2)) & pids


def test_a_missing_folder_of_the_access_log_ends_the_start_with_its_line_and_the_remedy(tmp_path):
    file = tmp_path / "mooring.toml"
    file.write_text(
        f'state_dir = "{tmp_path}/s"\nruntime_dir = "{tmp_path}/r"\n[[listen]]\naddress = "127.0.0.1:0"\n'
        '[log]\naccess = "gone/access.log"\n[group.app]\nservers = ["127.0.0.1:1"]\n')
    done = subprocess.run(
        [BINARY, "serve", "-c", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{file}:6: log.access: No such file or directory: the folder {tmp_path}/gone; run: mkdir -p" in done.stderr


def test_a_missing_folder_of_the_output_is_not_called_a_full_disk():
    with serving(APP + 'output = "gone/app.log"\n', files={"app.py": ECHO + "\nprint('heard')\n"}) as balancer:
        balancer.wait_ready("app", 2)
        said = f"No such file or directory (open {balancer.folder}/gone/app.log); the processes' lines"
        wait_until(lambda: said in balancer.log, what="the reason")
        assert "make its folder" in balancer.log and "disk" not in balancer.log
