"""The recipes of Examples: each folder as it is, with what its visitors do.

Visitors of `counting` ones get JSON of the process and of how often they have asked it.
"""

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import requests

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"


@dataclasses.dataclass
class Recipe:
    # What is run in a copy of the folder before Mooring is.
    prepare: str = ""
    # What runs there beside it.
    beside: list[str] = dataclasses.field(default_factory=list)
    # Where that listens.
    ports: tuple[int, ...] = ()
    path: str = "/"
    # How often a visitor has asked; empty: the servers count nothing.
    number: str = "count"


COUNTING = {
    "flask": Recipe(),
    "django": Recipe("python manage.py prepare", path="/whoami", number="served"),
    "fastapi": Recipe(),
    "node-http": Recipe(),
    "php-front-controller": Recipe(path="/any/path?a=b"),
    "php-directory": Recipe(),
    "ruby-puma": Recipe(),
    "go": Recipe("GOCACHE=$PWD/.cache go build -o server server.go"),
    "nginx-pool": Recipe("mkdir tmp", beside=["nginx", "-p", ".", "-c", "nginx.conf"],
        ports=(8101, 8102, 8103), number=""),
}


def configuration(name):
    return (EXAMPLES / name / "mooring.toml").read_text()


def group(name):
    return next(iter(tomllib.loads(configuration(name))["group"]))


def copy(name, prepare=""):
    """Fills the folder that Mooring runs in."""
    def fill(folder):
        shutil.copytree(
            EXAMPLES / name, folder, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("mooring.toml", "__pycache__", "db.sqlite3", "secret.key"))
        if prepare:
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            subprocess.run(["bash", "-ec", prepare], cwd=folder, check=True, env={**os.environ, "PATH": path})
    return fill


@contextlib.contextmanager
def running(command, folder):
    if not command:
        yield
        return
    process = subprocess.Popen(command, cwd=folder, env={"PATH": "/usr/sbin:/usr/bin:/bin"})
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


class Visitor:
    """A browser's part: it keeps its cookies."""

    def __init__(self, base, recipe):
        self.session, self.base, self.recipe = requests.Session(), base, recipe
        self.count = 0
        self.pid = self.ask()["pid"]

    def ask(self):
        answer = self.session.get(self.base + self.recipe.path, timeout=60)
        assert answer.status_code == 200, answer.text
        facts = answer.json()
        self.count += 1
        assert not self.recipe.number or facts[self.recipe.number] == self.count
        return facts

    def goes_on(self):
        assert self.ask()["pid"] == self.pid
