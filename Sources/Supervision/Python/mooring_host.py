"""Runs an unchanged WSGI application as one process of a Mooring group.

Mooring starts this file with the interpreter of the group. It loads the application (a script with
`application`, as mod_wsgi does, or `package.module:name`), and serves it on the socket that Mooring
names, in the first server that is installed: granian, gunicorn, waitress, or the one at the end of
this file, which needs the standard library alone.
"""

import argparse
import importlib
import importlib.machinery
import importlib.util
import os
import queue
import selectors
import signal
import socket
import sys
import threading
from pathlib import Path


class Place:
    """Where to listen: a unix socket, or a port on the loopback interface."""

    def __init__(self, environ):
        self.unix = environ.get("MOORING_SOCKET")
        self.port = int(environ.get("PORT", "0"))
        if not self.unix and not self.port:
            sys.exit("mooring_host: neither MOORING_SOCKET nor PORT is set; Mooring sets one of them")

    def listen(self, backlog=1024):
        if self.unix:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            mask = os.umask(0o177)
            try:
                listener.bind(self.unix)
            finally:
                os.umask(mask)
        else:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
        listener.listen(backlog)
        return listener


def load(name):
    """The callable in a script file, or in a module by its dotted name."""
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    path = Path(name)
    if path.is_file():
        return from_script(path.resolve())
    if name.endswith((".wsgi", ".py")) or "/" in name:
        sys.exit(f"mooring_host: no such file: {name} (in {folder})")
    module_name, _, attribute = name.partition(":")
    module = importlib.import_module(module_name)
    return named(module, attribute or "application", name)


def from_script(path):
    if str(path.parent) not in sys.path:
        sys.path.insert(1, str(path.parent))
    # A name that no import statement can reach, as the script is not a module of anything.
    loader = importlib.machinery.SourceFileLoader("__mooring_script__", str(path))
    spec = importlib.util.spec_from_file_location(loader.name, str(path), loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return named(module, "application", path)


def named(module, attributes, where):
    found = module
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    if not callable(found):
        sys.exit(f"mooring_host: {where} has no callable named '{attributes}'")
    return found


class Surroundings:
    """What the application is told about its process and its client, whatever the server.

    The only peer is Mooring, over a socket of its own, so that its forwarding fields can be believed.
    """

    def __init__(self, application, threads, environ):
        self.application = application
        self.multithread = threads > 1
        self.multiprocess = environ.get("MOORING_MULTIPROCESS") == "1"
        self.group = environ.get("MOORING_GROUP", "")
        self.process = environ.get("MOORING_PROCESS", "")

    def __call__(self, environ, start_response):
        environ["wsgi.multithread"] = self.multithread
        environ["wsgi.multiprocess"] = self.multiprocess
        environ["mooring.group"] = self.group
        environ["mooring.process"] = self.process
        environ["mooring.session"] = environ.get("HTTP_MOORING_SESSION", "")
        environ["mooring.affinity"] = environ.get("HTTP_MOORING_AFFINITY", "")
        client = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if client:
            environ["REMOTE_ADDR"] = client
            environ.pop("REMOTE_PORT", None)
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "http")
        environ["wsgi.url_scheme"] = scheme if scheme in ("http", "https") else "http"
        if environ["wsgi.url_scheme"] == "https":
            environ["HTTPS"] = "on"
        name, port = split_host(environ.get("HTTP_X_FORWARDED_HOST") or environ.get("HTTP_HOST", ""))
        environ["SERVER_NAME"] = name or "localhost"
        environ["SERVER_PORT"] = port or ("443" if scheme == "https" else "80")
        return self.application(environ, start_response)


def split_host(text):
    """Name and port of an authority; brackets around an IPv6 address stay."""
    name, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (not name.count(":") or name.startswith("[")):
        return name, port
    return text, ""


def serve_granian(application, place, threads):
    """One process: granian's server of threads with one worker thread.

    Meant by its makers for interpreters without a global lock, it runs as well with one, and saves
    the main process that their command keeps. It is no public interface, so a version that has
    changed it is served by the command's own server instead.
    """
    from granian.constants import HTTPModes, Interfaces

    # 28 MB against 53: no second interpreter. Pinned to what was tried.
    options = {
        "target": "application",
        "interface": Interfaces.WSGI,
        "workers": 1,
        "blocking_threads": threads,
        "backpressure": 16384,
        "http": HTTPModes.http1,
        "websockets": False,
        "log_enabled": False,
    }
    if place.unix:
        options["uds"] = Path(place.unix)
        options["uds_permissions"] = 0o600
    else:
        options["address"] = "127.0.0.1"
        options["port"] = place.port
    try:
        from granian.server.mt import MTServer

        class OneProcess(MTServer):
            def _check_gil(self):
                pass

        server = OneProcess(**options)
    except (ImportError, AttributeError, TypeError):
        from granian import Granian

        server = Granian(**options)
    server.serve(target_loader=lambda: application, wrap_loader=False)


def serve_gunicorn(application, place, threads):
    from gunicorn.app.base import BaseApplication

    settings = {
        "bind": f"unix:{place.unix}" if place.unix else f"127.0.0.1:{place.port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": threads,
        "keepalive": 75,
        "timeout": 0,
        "graceful_timeout": 30,
        "umask": 0o177,
        "loglevel": "error",
    }

    class Application(BaseApplication):
        def load_config(self):
            for key, value in settings.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)
            if "control_socket_disable" in self.cfg.settings:
                self.cfg.set("control_socket_disable", True)

        def load(self):
            return application

    Application().run()


def serve_waitress(application, place, threads):
    from waitress.server import create_server

    where = {"unix_socket": place.unix, "unix_socket_perms": "600"} if place.unix else {
        "host": "127.0.0.1", "port": place.port}
    server = create_server(
        application, threads=threads, channel_timeout=120, clear_untrusted_proxy_headers=False, **where)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.run()


def serve_standard(application, place, threads):
    Server(application, place.listen(), threads).run()


class Server:
    """A small HTTP/1.1 server: connections wait in a selector, requests run on a few threads.

    A connection holds a thread only while a request runs on it, so that Mooring's idle connections
    keep nobody waiting.
    """

    def __init__(self, application, listener, threads):
        self.application = application
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.ready = queue.SimpleQueue()
        self.back = queue.SimpleQueue()
        self.wake_reader, self.wake_writer = socket.socketpair()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]
        self.stopping = False

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        self.listener.setblocking(False)
        self.wake_reader.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.wake_reader, selectors.EVENT_READ)
        for thread in self.threads:
            thread.start()
        while not self.stopping:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.wake_reader:
                    self.take_back()
                else:
                    self.selector.unregister(key.fileobj)
                    self.ready.put(key.data)
        self.listener.close()
        for _ in self.threads:
            self.ready.put(None)
        for thread in self.threads:
            thread.join()

    def stop(self, *_):
        self.stopping = True
        self.wake_writer.send(b"x")

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        connection.settimeout(120)
        self.watch(Connection(connection))

    def take_back(self):
        self.wake_reader.recv(4096)
        while not self.back.empty():
            self.watch(self.back.get())

    def watch(self, connection):
        if connection.has_more():
            self.ready.put(connection)
        else:
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def work(self):
        while (connection := self.ready.get()) is not None:
            if connection.serve_one(self.application) and not self.stopping:
                self.back.put(connection)
                self.wake_writer.send(b"x")
            else:
                connection.close()


class Connection:
    HEAD_LIMIT = 64 * 1024

    def __init__(self, connection):
        self.socket = connection
        self.reader = connection.makefile("rb", buffering=64 * 1024)

    def close(self):
        self.reader.close()
        self.socket.close()

    def has_more(self):
        """Whether a next request is in the buffer already, where no selector sees it."""
        self.socket.setblocking(False)
        try:
            return bool(self.reader.peek(1)[:1])
        except (BlockingIOError, ValueError, OSError):
            return False
        finally:
            self.socket.settimeout(120)

    def serve_one(self, application):
        """Serves one request; true: the connection can take another."""
        try:
            head = self.read_head()
            if head is None:
                return False
            return Exchange(self, *head).run(application)
        except (OSError, ValueError):
            return False

    def read_head(self):
        line = self.reader.readline(self.HEAD_LIMIT).decode("latin-1").rstrip("\r\n")
        if not line:
            return None
        method, target, version = line.split(" ")
        fields = []
        size = len(line)
        while True:
            line = self.reader.readline(self.HEAD_LIMIT).decode("latin-1")
            size += len(line)
            if not line or size > self.HEAD_LIMIT:
                return None
            line = line.rstrip("\r\n")
            if not line:
                return method, target, version, fields
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))


class Exchange:
    def __init__(self, connection, method, target, version, fields):
        self.connection = connection
        self.method = method
        self.version = version
        self.body = body_reader(connection.reader, fields)
        self.environ = self.make_environ(target, fields)
        self.status = None
        self.headers = []
        self.sent_head = False
        self.chunked = False
        self.keep = version == "HTTP/1.1"

    def make_environ(self, target, fields):
        from urllib.parse import unquote_to_bytes

        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.version,
            "wsgi.version": (1, 0),
            "wsgi.input": self.body,
            "wsgi.errors": sys.stderr,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        for name, value in fields:
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            if key in environ and key.startswith("HTTP_"):
                value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
            environ[key] = value
        return environ

    def run(self, application):
        result = None
        try:
            result = application(self.environ, self.start_response)
            if self.status is None:
                raise RuntimeError("the application did not call start_response")
            try:
                single = len(result) == 1
            except TypeError:
                single = False
            for data in result:
                if data:
                    self.write(data, len(data) if single else None)
            self.finish()
        except Exception:
            import traceback

            traceback.print_exc()
            if self.sent_head:
                return False
            self.status, self.headers = "500 Internal Server Error", [("Content-Type", "text/plain")]
            self.write(b"Internal Server Error\n", 22)
            self.finish()
        finally:
            if hasattr(result, "close"):
                result.close()
        return self.keep and self.body.drain()

    def start_response(self, status, headers, exc_info=None):
        if exc_info and self.sent_head:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status is not None and not exc_info:
            raise RuntimeError("start_response was called twice")
        self.status, self.headers = status, list(headers)
        return lambda data: self.write(data, None)

    def send_head(self, length):
        names = {name.lower() for name, _ in self.headers}
        code = int(self.status[:3])
        bodyless = code < 200 or code in (204, 304) or self.method == "HEAD"
        if "content-length" not in names and not bodyless:
            if length is not None:
                self.headers.append(("Content-Length", str(length)))
            elif self.keep:
                self.chunked = True
                self.headers.append(("Transfer-Encoding", "chunked"))
        lines = [f"HTTP/1.1 {self.status}"] + [f"{name}: {value}" for name, value in self.headers]
        if not self.keep:
            lines.append("Connection: close")
        self.sent_head = True
        self.silent = bodyless
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def write(self, data, length):
        out = b"" if self.sent_head else self.send_head(length)
        if not self.silent:
            out += b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data
        self.connection.socket.sendall(out)

    def finish(self):
        out = b"" if self.sent_head else self.send_head(0)
        if self.chunked:
            out += b"0\r\n\r\n"
        if out:
            self.connection.socket.sendall(out)


def body_reader(reader, fields):
    lowered = {name.lower(): value for name, value in fields}
    if lowered.get("transfer-encoding", "").lower() == "chunked":
        return ChunkedBody(reader)
    return LengthBody(reader, int(lowered.get("content-length", "0")))


class Body:
    """`wsgi.input`: never reads into the next request."""

    def read(self, size=-1):
        parts = []
        while size != 0:
            data = self.some(size if size > 0 else 65536)
            if not data:
                break
            parts.append(data)
            if size > 0:
                size -= len(data)
        return b"".join(parts)

    def readline(self, size=-1):
        line = bytearray()
        while size < 0 or len(line) < size:
            data = self.some(1)
            line += data
            if not data or data == b"\n":
                break
        return bytes(line)

    def readlines(self, hint=-1):
        return list(self)

    def __iter__(self):
        return iter(self.readline, b"")

    def drain(self):
        """Skips what the application left unread; false: too much, or it has broken off."""
        for _ in range(64):
            if not self.some(65536):
                return self.whole
        return False


class LengthBody(Body):
    def __init__(self, reader, length):
        self.reader, self.left = reader, length

    @property
    def whole(self):
        return self.left == 0

    def some(self, size):
        data = self.reader.read1(min(size, self.left)) if self.left else b""
        self.left -= len(data)
        return data


class ChunkedBody(Body):
    def __init__(self, reader):
        self.reader, self.left, self.whole, self.first = reader, 0, False, True

    def some(self, size):
        if self.left == 0 and not self.whole:
            if not self.first:
                self.reader.readline(16)
            self.first = False
            self.left = int(self.reader.readline(1024).split(b";")[0], 16)
            if self.left == 0:
                while self.reader.readline(8192) not in (b"\r\n", b"\n", b""):
                    pass
                self.whole = True
        data = self.reader.read1(min(size, self.left)) if self.left else b""
        self.left -= len(data)
        return data


SERVERS = {
    "granian": ("granian", serve_granian),
    "gunicorn": ("gunicorn", serve_gunicorn),
    "waitress": ("waitress", serve_waitress),
    "wsgiref": (None, serve_standard),
}


def choose(name):
    """The function of a server by its name; `auto`: the first that is installed."""
    for candidate, (module, function) in SERVERS.items():
        if name not in ("auto", candidate):
            continue
        if module is None or importlib.util.find_spec(module):
            return function
        if name == candidate:
            sys.exit(f"mooring_host: {name} is not installed for {sys.executable}; "
                     f"run '{sys.executable} -m pip install {name}' or set server = \"auto\"")
    sys.exit(f"mooring_host: unknown server {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", required=True)
    parser.add_argument("--server", default="auto", choices=["auto", *SERVERS])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    place = Place(os.environ)
    # A SIGTERM while the application is still being loaded ends at once.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    serve = choose(arguments.server)
    application = Surroundings(load(arguments.app), arguments.threads, os.environ)
    serve(application, place, arguments.threads)


if __name__ == "__main__":
    # Scripts that are loaded must not find this file's folder on their path.
    if sys.path and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        del sys.path[0]
    main()
