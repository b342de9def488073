"""What people type first: each line serves within its program's own start, or ends with what to write."""

import re
import subprocess
import sys
import time

import pytest
from balancer import wait_until
from test_run import Run, home, running  # noqa: F401

FLASK = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def index():
    return "hello from flask"
"""
FACTORY = """
from flask import Flask
def create_app(name="nobody"):
    app = Flask(__name__)
    app.get("/")(lambda: f"hello from {name}")
    return app
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello from asgi"})
"""
PASTE = """
def make(global_config):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"hello from paste"]
    return application
"""
INI = "[app:main]\nuse = call:app:make\n"
NODE = """
require("http").createServer((_, response) => response.end("hello from node")).listen(process.env.PORT)
"""
PHP = "<?php echo 'hello from php';\n"


def django(folder):
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", "."], cwd=folder, check=True)
    settings = folder / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + "\nALLOWED_HOSTS = ['*']\n")


SERVES = {
    "Flask's app.py": (["app.py"], {"app.py": FLASK}, b"hello from flask"),
    "Flask's app.py as a module": (["app:app"], {"app.py": FLASK}, b"hello from flask"),
    "Django's module": (["mysite.wsgi"], django, b"The install worked successfully"),
    "Django's file": (["mysite/wsgi.py"], django, b"The install worked successfully"),
    "a factory": (["app:create_app()"], {"app.py": FACTORY}, b"hello from nobody"),
    "a factory with an argument": (["app:create_app('ann')"], {"app.py": FACTORY}, b"hello from ann"),
    "Django's ASGI module": (["mysite.asgi"], django, b"The install worked successfully"),
    "an ASGI application": (["app:app"], {"app.py": ASGI}, b"hello from asgi"),
    "an ASGI application in a file": (["app.py"], {"app.py": ASGI}, b"hello from asgi"),
    "an ASGI factory": (["app:make()"], {"app.py": ASGI + "def make():\n    return app\n"}, b"hello from asgi"),
    "an ASGI application that another module has": (
        ["main:app"], {"app.py": ASGI, "main.py": "from app import app\n"}, b"hello from asgi"),
    "a WSGI application that another module has": (
        ["main:app"], {"app.py": FLASK, "main.py": "from app import app\n"}, b"hello from flask"),
    "a file of Paste Deploy": (["config:dev.ini"], {"app.py": PASTE, "dev.ini": INI}, b"hello from paste"),
    "uvicorn by a socket": (["--", "uvicorn", "app:app", "--uds", "{socket}"], {"app.py": ASGI}, b"hello from asgi"),
    "uvicorn by a port": (["--", "uvicorn", "app:app", "--port", "{port}"], {"app.py": ASGI}, b"hello from asgi"),
    "node": (["--", "node", "server.js"], {"server.js": NODE}, b"hello from node"),
    "php": (["--", "php", "-S", "127.0.0.1:{port}"], {"index.php": PHP}, b"hello from php"),
}


def fill(folder, files):
    if callable(files):
        return files(folder)
    for name, text in files.items():
        (folder / name).write_text(text)
    return None


@pytest.mark.parametrize("name", SERVES)
def test_it_serves(tmp_path, home, name):  # noqa: F811
    arguments, files, expected = SERVES[name]
    fill(tmp_path, files)
    with running(tmp_path, *arguments, **home) as run:
        status, body, _ = wait_until(lambda: (answer := run.get())[0] == 200 and answer, what=run.said)
        assert status == 200 and expected in body
        # Nothing failed on the way.
        assert "error" not in run.said.lower().replace("errors", ""), run.said


ENDS = {
    "a factory without its call": (["app.py"], {"app.py": FACTORY}, r".*app\.py has nothing named 'application' or 'app'; .+ app\.py:create_app\(\)"),
    "a factory by its name alone": (["app.py:create_app"], {"app.py": FACTORY}, r"APP: app\.py:create_app does not take .+; name the callable: app\.py:create_app\(\)"),
    "a factory with an argument that is no literal": (["app:create_app(x)"], {"app.py": FACTORY}, r"APP: app: write a name, or a call with literal arguments .+"),
    "a factory with too many arguments": (["app:create_app(1, 2, 3)"], {"app.py": FACTORY}, r"APP: app:create_app cannot be called with these arguments; line \d+: def create_app\(.*\)"),
    "a program in one word": (["--", "node server.js"], {"server.js": NODE}, r'.*COMMAND: .*\["node", "server\.js"\].*'),
    "a script that is no program": (["--", "./app.py"], {"app.py": FLASK}, r".*app\.py cannot be executed; run: chmod \+x .+"),
}


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_with_one_line_that_says_what_to_write(tmp_path, home, name):  # noqa: F811
    arguments, files, expected = ENDS[name]
    fill(tmp_path, files)
    begun = time.monotonic()
    run = Run(tmp_path, *arguments, **home)
    assert run.process.wait(30) in (1, 2), run.said
    assert time.monotonic() - begun < 25
    run.process.stdout.close()
    assert any(re.fullmatch(expected, line) for line in run.said.splitlines()), run.said
