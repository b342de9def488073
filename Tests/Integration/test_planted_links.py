"""Root writes no file where another user points: links in folders that a group's user owns."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from balancer import BINARY, Balancer, as_anybody, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")
NOBODY = 65534

APP = """
import os

def application(environ, start_response):
    print("a line of output", flush=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"good"]
"""


@contextlib.contextmanager
def serving_for_nobody(group="", log=""):
    """A balancer whose group runs as nobody, to whom the folder `own` belongs."""
    balancer = Balancer(
        f'{log}[group.app]\nwsgi = "app.py"\nuser = "nobody"\nprocesses = 1\n{group}',
        files={"app.py": APP}, prepare=prepare)
    try:
        yield balancer
    finally:
        balancer.stop()


def prepare(folder):
    folder.chmod(0o755)
    (folder / "secret").mkdir(mode=0o700)
    logs = folder / "own/logs"
    logs.mkdir(parents=True)
    for path in [folder / "own", logs]:
        os.chown(path, NOBODY, NOBODY)


def plant(balancer):
    """What the user can do: put a link to a folder of root's in the place of one's own."""
    own = balancer.folder / "own"
    (own / "logs").rename(own / "moved")
    (own / "logs").symlink_to(balancer.folder / "secret")
    os.chown(own / "logs", NOBODY, NOBODY, follow_symlinks=False)


def test_output_is_not_written_through_a_link_that_the_user_put_there():
    with serving_for_nobody('output = "own/logs/shop"\n') as balancer:
        balancer.request()
        wait_until(lambda: (balancer.folder / "own/logs/shop").exists())
        plant(balancer)
        balancer.process.send_signal(signal.SIGUSR1)
        # The file is opened by the next line after the signal, which may be seen later than a request.
        wait_until(lambda: balancer.request() and "symbolic links" in balancer.log, what="the reason in the log")
        assert not os.listdir(balancer.folder / "secret")


def test_the_access_log_is_not_written_through_a_link_that_the_user_put_there():
    with serving_for_nobody(log='[log]\naccess = "own/logs/access"\n') as balancer:
        balancer.request("/one")
        log = balancer.folder / "own/moved/access"
        plant(balancer)
        balancer.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "goes on in its old file" in balancer.log)
        balancer.request("/two")
        wait_until(lambda: "/two" in log.read_text(), what="a line in the old file")
        assert not os.listdir(balancer.folder / "secret")


def test_output_is_not_written_to_a_file_that_has_a_second_name():
    with serving_for_nobody('output = "own/logs/shop"\n') as balancer:
        secret = balancer.folder / "secret/file"
        secret.write_text("")
        balancer.request()
        shop = balancer.folder / "own/logs/shop"
        wait_until(shop.exists)
        shop.unlink()
        os.link(secret, shop)
        balancer.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: balancer.request() and "Too many links" in balancer.log, what="the reason in the log")
        assert secret.read_text() == ""


@pytest.mark.parametrize("setting", ["state_dir", "runtime_dir"])
def test_a_folder_that_a_user_could_exchange_is_refused(setting):
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    prepare(folder)
    folders = {"state_dir": f"{folder}/state", "runtime_dir": f"{folder}/run"}
    folders[setting] = f"{folder}/own/mine"
    text = "".join(f'{key} = "{value}"\n' for key, value in folders.items())
    (folder / "mooring.toml").write_text(as_anybody(
        f'{text}[[listen]]\naddress = "127.0.0.1:0"\n[group.app]\ncommand = ["/bin/cat", "{{socket}}"]\n'))
    done = subprocess.run(
        [BINARY, "serve", "-c", str(folder / "mooring.toml")], capture_output=True, text=True,
        timeout=30)
    assert done.returncode == 1, done.stderr
    assert f"belongs to user {NOBODY}" in done.stderr
    assert not (folder / "own/mine").exists()
    shutil.rmtree(folder)


def test_a_take_over_does_not_talk_to_a_socket_in_another_users_folder():
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    folder.chmod(0o755)
    run = folder / "run"
    run.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(run / "control.sock"))
        listener.listen()
        listener.settimeout(30)
        os.chown(run, NOBODY, NOBODY)
        callers = []

        def accept():
            with contextlib.suppress(OSError):
                callers.append(listener.accept())

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        (folder / "mooring.toml").write_text(as_anybody(
            f'state_dir = "{folder}/state"\nruntime_dir = "{run}"\n'
            '[[listen]]\naddress = "127.0.0.1:0"\n[group.app]\ncommand = ["/bin/cat", "{socket}"]\n'))
        done = subprocess.run(
            [BINARY, "serve", "--takeover", "-c", str(folder / "mooring.toml")],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done.stderr
        assert f"belongs to user {NOBODY}" in done.stderr
        assert not callers
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    shutil.rmtree(folder)
