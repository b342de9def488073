"""The Python host with an ASGI application, in any of the servers that it knows."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import websockets.sync.client
from wsgi_client import Client
from wsgi_host import Host, wait_until

SERVERS = ["uvicorn", "granian", "hypercorn"]
# uvicorn as it is without the libraries that it takes where they are installed.
PLAIN = "uvicorn alone"
APPLICATION = Path(__file__).with_name("asgi_application.py")


@contextlib.contextmanager
def hosting(server, files=None, app="app.py", **options):
    """A host in a folder of its own, with the conformance application or with other files."""
    with tempfile.TemporaryDirectory(prefix="m-") as folder:
        shutil.copy(APPLICATION, Path(folder) / "app.py")
        for name, text in (files or {}).items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if server == PLAIN:
            hidden = Path(folder) / "hidden"
            hidden.mkdir()
            for name in ("httptools", "uvloop"):
                (hidden / f"{name}.py").write_text(f"raise ImportError('{name} is hidden')\n")
            options["PYTHONPATH"] = str(hidden)
        host = Host(folder, app, server.split()[0], interface="asgi", **options)
        host.server = server
        try:
            yield host
        finally:
            if host.process.poll() is None:
                host.process.kill()
                host.process.wait()


class News:
    """What the application notes in `seen` from now on."""

    def __init__(self, host):
        self.host, self.count = host, 0
        self.count = len(self.all)

    @property
    def all(self):
        return Client(self.host).tell()["seen"][self.count:]

    def wait_for(self, note):
        wait_until(lambda: note in self.all)


def connect(host, path="/echo", fields="", **options):
    """A WebSocket to a host; `fields` as lines of a request."""
    lines = dict(line.split(": ") for line in fields.splitlines())
    return websockets.sync.client.unix_connect(
        host.socket, f"ws://x{path}", additional_headers=lines, max_size=None, **options)
