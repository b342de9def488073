"""Runs an unchanged WSGI application as one process of a Mooring group.

Mooring starts this file with the interpreter of the group. It loads the application (a script with
`application`, as mod_wsgi does, or `package.module:name`), and serves it on the socket that Mooring
names, in the first server that is installed: granian, gunicorn, waitress, or `mooring_server`
beside this file, which needs the standard library alone. Errors alone are printed.
"""

import argparse
import importlib
import importlib.util
import io
import logging
import os
import signal
import socket
import stat
import sys
import traceback
import types
from pathlib import Path

BACKLOG = 1024
# Mooring opens as many connections as it has requests at once; this only bounds a mistake.
CONNECTIONS = 4096
# Longer than Mooring keeps an idle connection: the end that re-uses connections closes them.
KEEPALIVE_SECONDS = 3600

class Place:
    """Where to listen: a unix socket, or a port on the loopback interface."""

    def __init__(self, environ):
        self.unix = environ.get("MOORING_SOCKET")
        port = environ.get("PORT", "")
        self.port = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
        if not self.unix and not 0 < self.port < 65536:
            sys.exit("mooring_host: set MOORING_SOCKET to a path, or PORT to a number up to 65535")

    def listen(self):
        """The listening socket; a unix socket is its owner's alone from the start."""
        if not self.unix:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
            # Handed down to its connections: head and body are often sent apart.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
        self.remove_socket()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(self.unix)
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
        return listener

    def remove_socket(self):
        """Removes what a killed process left at the path; a file of another kind stays."""
        try:
            if stat.S_ISSOCK(os.lstat(self.unix).st_mode):
                os.unlink(self.unix)
        except FileNotFoundError:
            pass


def load(name):
    """The callable in a script file, or in a module by its dotted name."""
    folder = os.getcwd()
    sys.path.insert(0, folder)
    # FILE, or FILE:NAME as some write it.
    for path, attribute in ((name, ""), name.rpartition(":")[::2]):
        if path and os.path.isfile(path):
            return named(from_script(os.path.abspath(path)), attribute or "application", name)
    if name.endswith((".wsgi", ".py")) or "/" in name:
        sys.exit(f"mooring_host: no such file: {name} (in {folder})")
    module_name, _, attribute = name.partition(":")
    sys.argv[:] = [module_name]
    module = importlib.import_module(module_name)
    return named(module, attribute or "application", name)


def from_script(path):
    """Runs a file as a module of its own, whatever its name and extension, as mod_wsgi does.

    The modules beside it can be imported. Of a package (`mysite/wsgi.py`) it is the folder around
    it that comes first; its own comes last, or `mysite/celery.py` would hide the real celery.
    """
    folder = root = os.path.dirname(path)
    while os.path.isfile(os.path.join(root, "__init__.py")):
        root = os.path.dirname(root)
    sys.path.insert(1, root)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.argv[:] = [path]
    # A name that no import statement can reach, as the script is not a module of anything. No
    # compiled copy is kept: that of app.wsgi would lie where that of app.py belongs.
    module = types.ModuleType("__mooring_script__")
    module.__file__ = path
    sys.modules[module.__name__] = module
    code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def named(module, attributes, where):
    found = module
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    if not callable(found):
        sys.exit(f"mooring_host: {where} has no callable named '{attributes}'")
    return found


class Surroundings:
    """What the application is told about its process and its client, whatever the server.

    Over the unix socket the only peer is Mooring, so that its fields can be believed; a port can be
    reached by everybody on the machine.
    """

    def __init__(self, application, threads, environ):
        self.application = application
        self.trusts_peer = bool(environ.get("MOORING_SOCKET"))
        self.multithread = threads > 1
        self.multiprocess = environ.get("MOORING_MULTIPROCESS") == "1"
        self.group = environ.get("MOORING_GROUP", "")
        self.process = environ.get("MOORING_PROCESS", "")

    def __call__(self, environ, start_response):
        environ["wsgi.multithread"] = self.multithread
        environ["wsgi.multiprocess"] = self.multiprocess
        environ["mooring.group"] = self.group
        environ["mooring.process"] = self.process
        length = environ.get("CONTENT_LENGTH", "")
        if length not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = io.BufferedReader(Input(environ["wsgi.input"], length), 65536)
        if self.trusts_peer:
            self.believe(environ)
        host, port = split_host(environ.get("HTTP_HOST", ""))
        secure = environ["wsgi.url_scheme"] == "https"
        environ["SERVER_NAME"] = host or "localhost"
        environ["SERVER_PORT"] = port or ("443" if secure else "80")
        return self.application(environ, start_response)

    def believe(self, environ):
        """Takes over what Mooring says of the session and of the client."""
        environ["mooring.session"] = environ.get("HTTP_MOORING_SESSION", "")
        environ["mooring.affinity"] = environ.get("HTTP_MOORING_AFFINITY", "")
        # The last address is the one that Mooring itself has seen.
        environ["REMOTE_ADDR"] = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        environ.pop("REMOTE_PORT", None)
        secure = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
        environ["wsgi.url_scheme"] = "https" if secure else "http"
        if secure:
            environ["HTTPS"] = "on"


class Input(io.RawIOBase):
    """A request's body below its buffer, which makes up for what servers do.

    granian's `readline` loses bytes, and to granian and gunicorn a body that breaks off has ended:
    half an upload would pass for the whole. Here it is an OSError, as in the better servers.
    """

    def __init__(self, stream, length):
        self.stream = stream
        self.left = int(length) if length.isascii() and length.isdigit() else None

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.take(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self):
        return b"".join(iter(lambda: self.take(1 << 18), b""))

    def take(self, size):
        if self.left is None:
            return self.stream.read(size)
        data = self.stream.read(min(size, self.left)) if self.left else b""
        if self.left and not data:
            raise ConnectionResetError("the request's body broke off")
        self.left -= len(data)
        return data


def split_host(authority):
    """Name and port of a Host field; brackets around an IPv6 address stay."""
    name, colon, port = authority.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return name, port
    return authority, ""


def serve_granian(application, place, threads):
    """One process: granian's server of threads with one worker thread.

    Meant by its makers for interpreters without a global lock, it runs as well with one, and saves
    the main process that their command keeps (28 MB instead of 53). It is no public interface, so
    a version that has changed it is served by the command's own server instead.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    # Its format would begin a traceback with the level; its output belongs to standard error.
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
    options = {
        "target": "application",
        "interface": Interfaces.WSGI,
        "workers": 1,
        "blocking_threads": threads,
        "backlog": BACKLOG,
        "backpressure": CONNECTIONS,
        "http": HTTPModes.http1,
        "websockets": False,
        "log_level": LogLevels.error,
        "log_dictconfig": {"handlers": {"console": handler, "access": handler}},
    }
    if place.unix:
        place.remove_socket()
        options |= {"uds": Path(place.unix), "uds_permissions": 0o600}
    else:
        options |= {"address": "127.0.0.1", "port": place.port}
    server = granian_class()(**options)
    server.serve(target_loader=lambda: application, wrap_loader=False)


def granian_class():
    try:
        from granian.server.mt import MTServer

        if not (hasattr(MTServer, "_check_gil") and hasattr(MTServer, "_spawn_wsgi_worker")):
            raise ImportError
    except ImportError:
        from granian import Granian

        return Granian

    class OneProcess(MTServer):
        def _check_gil(self):
            """Threads that share a global lock are fine: one of them is busy with Python."""

    return OneProcess


def serve_gunicorn(application, place, threads):
    """gunicorn's worker of threads in this process, without the arbiter that would fork it."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.workers import gthread

    settings = {
        "worker_class": "gthread",
        "workers": 1,
        "threads": threads,
        "worker_connections": CONNECTIONS,
        "keepalive": KEEPALIVE_SECONDS,
        # Mooring's stop_timeout is the one that counts.
        "graceful_timeout": KEEPALIVE_SECONDS,
        "timeout": 0,
        "loglevel": "error",
        # Mooring has limited the head already.
        "limit_request_line": 0,
        "limit_request_fields": 1000,
        "limit_request_field_size": 0,
    }

    class Application(BaseApplication):
        def load_config(self):
            for key, value in settings.items():
                self.cfg.set(key, value)

        def load(self):
            return application

    app = Application()
    log = app.cfg.logger_class(app.cfg)
    # Nobody sends to a process that Mooring has told to stop, so nobody has to be waited for.
    gthread.STOP_KEEPALIVE_LINGER = 0.0
    worker = gthread.ThreadWorker(1, os.getppid(), [place.listen()], app, 0, app.cfg, log)
    worker.init_process()


def serve_waitress(application, place, threads):
    """waitress in a loop of ours: its own drops the requests in flight when it is stopped."""
    from waitress.server import create_server

    # Without a thread to spare it warns of every request that waits; Mooring sends no such.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)

    def without_body(environ, start_response):
        """It would send the body of a HEAD's answer, which the next response would begin with."""
        result = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return result
        for _ in result:
            pass
        if hasattr(result, "close"):
            result.close()
        return []

    server = create_server(
        without_body, sockets=[place.listen()], threads=threads, connection_limit=CONNECTIONS,
        channel_timeout=KEEPALIVE_SECONDS, ident=None, clear_untrusted_proxy_headers=False,
        max_request_body_size=1 << 62)
    stopping = []

    def stop(*_):
        stopping.append(True)
        server.pull_trigger()

    def turn(seconds):
        server.asyncore.loop(timeout=seconds, map=server._map, use_poll=True, count=1)

    def is_busy():
        channels = list(server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        turn(30)
    server.del_channel()
    server.socket.close()
    turn(0)
    while is_busy():
        turn(0.02)
    server.task_dispatcher.shutdown()


def serve_standard(application, place, threads):
    # Loaded by their place, not by the path of modules, which is the application's; and without
    # leaving compiled copies in Mooring's folder.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    for name in ("mooring_body", "mooring_server"):
        spec = importlib.util.spec_from_file_location(name, Path(__file__).resolve().with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    sys.dont_write_bytecode = before
    sys.modules["mooring_server"].Server(application, place.listen(), threads).run()


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
    if not 1 <= arguments.threads <= 10000:
        parser.error("--threads must be between 1 and 10000")
    place = Place(os.environ)
    # A SIGTERM while the application is still being loaded ends at once.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    serve = choose(arguments.server)
    application = Surroundings(loaded(arguments.app), arguments.threads, os.environ)
    serve(application, place, arguments.threads)
    if place.unix:
        place.remove_socket()


def loaded(name):
    """As `load`; a failure is told from the application's first line on, without this file's."""
    try:
        return load(name)
    except SystemExit:
        raise
    except BaseException as problem:
        entry = problem.__traceback__
        while entry and entry.tb_frame.f_code.co_filename in (__file__, importlib.__file__):
            entry = entry.tb_next
        traceback.print_exception(type(problem), problem, entry)
        sys.exit(1)


if __name__ == "__main__":
    # Scripts that are loaded must not find this file's folder on their path.
    if sys.path and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        del sys.path[0]
    main()
