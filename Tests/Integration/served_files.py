"""The folders of files that the tests have served, and what must not be."""

import atexit
import functools
import gzip
import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

ROUTES = """
[group.app]
servers = ["127.0.0.1:1"]
[routes]
"/app" = "app"
"/static" = { files = "static", compress = true, headers = { Cache-Control = "max-age=60" } }
"/plain" = { files = "static" }
"/.well-known/acme-challenge" = { files = "acme", errors = { 404 = "missing.html" } }
"""
TEXT = bytes(range(32, 112))
BIG = 64 * 1024 * 1024


@functools.cache
def big_file():
    """64 MiB, no two blocks of which are the same; made once."""
    file = Path(tempfile.mkdtemp(prefix="m-files-", dir="/tmp")) / "big.bin"
    atexit.register(shutil.rmtree, file.parent)
    block = hashlib.sha256(b"mooring").digest() * 32768
    with file.open("wb") as big:
        for number in range(BIG // len(block)):
            big.write(number.to_bytes(8, "big") + block[8:])
    return file


def fill(folder):
    """The folders that are served, with what must not be."""
    static = folder / "static"
    for name in ("sub", "empty", "name with space", ".git"):
        (static / name).mkdir(parents=True)
    (folder / "acme").mkdir()
    (folder / "acme/token").write_text("acme answer")
    (folder / "missing.html").write_text("<p>no such challenge</p>")
    (folder / "secret").write_text("top secret")
    (static / "a.txt").write_bytes(TEXT)
    (static / "none.bin").write_bytes(b"")
    (static / "sub/index.html").write_text("<p>index of sub</p>")
    (static / "name with space/é.css").write_text("p {}")
    (static / ".git/config").write_text("top secret")
    (static / ".hidden").write_text("top secret")
    (static / "within.txt").symlink_to("a.txt")
    (static / "up").symlink_to("../secret")
    (static / "absolute").symlink_to(folder / "secret")
    (static / "updir").symlink_to("..")
    (static / "loop").symlink_to("loop")
    os.mkfifo(static / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(static / "socket"))
    script = b"let answer = 42;\n" * 100
    for name, content in (("", script), (".gz", gzip.compress(script)), (".br", b"brotli"), (".zst", b"zstd")):
        (static / f"app.js{name}").write_bytes(content)
        os.utime(static / f"app.js{name}", (1_000_000_000, 1_000_000_000))
    (static / "old.css").write_text("new")
    (static / "old.css.gz").write_bytes(b"old")
    os.utime(static / "old.css.gz", (1_000_000_000, 1_000_000_000))
    (static / "photo.png").write_bytes(b"png")
    (static / "photo.png.gz").write_bytes(b"never")
    os.link(big_file(), static / "big.bin")


def ask(balancer, path="/static/a.txt", method="GET", **fields):
    return balancer.request(path, method, headers={k.replace("_", "-"): v for k, v in fields.items()})
