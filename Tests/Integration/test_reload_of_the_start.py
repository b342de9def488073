"""Keys that are read at the start: a reload leaves them as they are, and reports it as long as it is so."""

import re
import subprocess

import pytest

from balancer import BINARY, ECHO, serving

TEXT = '[group.app]\nwsgi = "app.py"\nprocesses = 1\n'


@pytest.fixture
def balancer():
    with serving(TEXT, files={"app.py": ECHO}) as balancer:
        yield balancer


def rewrite(balancer, key, value):
    text = balancer.file.read_text()
    balancer.file.write_text(re.sub(rf'(?m)^{key} = .*$', f'{key} = "{value}"', text))


def reload(balancer):
    done = subprocess.run([BINARY, "reload", "--admin", f"unix:{balancer.admin_socket}"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("exists", [True, False])
def test_sessions_outlive_a_state_folder_that_is_used_from_the_next_start_on(balancer, exists):
    first = balancer.request("/")
    other = balancer.folder / "other"
    if exists:
        other.mkdir(0o700)
    rewrite(balancer, "state_dir", other)
    assert "state_dir" in reload(balancer)
    again = balancer.request("/", cookie=first.cookie)
    assert (again.json()["session"], again.json()["affinity"]) == (first.json()["session"], "kept")
    assert not (other / "session.keys").exists()


def test_what_is_as_it_was_at_the_start_needs_no_other_start(balancer):
    before = balancer.file.read_text()
    rewrite(balancer, "state_dir", balancer.folder / "other")
    assert "state_dir" in reload(balancer)
    # Still so, though this file is the one that was read last.
    assert "state_dir" in reload(balancer)
    balancer.file.write_text(before)
    assert "state_dir" not in reload(balancer)
