"""Runs an unchanged WSGI or ASGI application as one process of a Mooring group.

Mooring starts this file with the interpreter of the group. It loads the application (a script with
`application`, as mod_wsgi does, or `package.module:name`), and serves it on the socket that Mooring
names, in the first server that is installed: for WSGI granian, gunicorn, waitress, or `mooring_server`
beside this file, which needs the standard library alone; for ASGI uvicorn, granian or hypercorn. Errors
alone are printed.

The files beside it: `mooring_names` and `mooring_call` find the application. `mooring_request` and
`mooring_response` make all servers of WSGI behave the same, and `mooring_servers` knows each of them.
For ASGI these are `mooring_scope`, `mooring_asgi` with its parts, and `mooring_asgi_servers`.
"""

import argparse
import contextlib
import os
import socket
import stat
import sys
from pathlib import Path


class Place:
    """The address to listen on: a unix socket, or a port on the loopback interface."""

    def __init__(self, environ, backlog):
        self.backlog = backlog
        self.unix = environ.get("MOORING_SOCKET")
        port = environ.get("PORT", "")
        self.port = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
        if not self.unix and not 0 < self.port < 65536:
            sys.exit("mooring_host: set MOORING_SOCKET to a path, or PORT to a number up to 65535")

    def listen(self):
        """The listening socket; a unix socket is accessible to its owner only from the start."""
        if not self.unix:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=self.backlog)
            # Inherited by its connections: head and body are often sent separately.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            say_ready()
            return listener
        self.remove_socket()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(self.unix)
        finally:
            os.umask(mask)
        listener.listen(self.backlog)
        say_ready()
        return listener

    def remove_socket(self):
        """Removes the socket of a killed process at the path; other files stay."""
        try:
            if stat.S_ISSOCK(os.lstat(self.unix).st_mode):
                os.unlink(self.unix)
        except FileNotFoundError:
            pass


def say_ready():
    """Notifies Mooring that connections are accepted; otherwise Mooring detects it."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", socket.MSG_DONTWAIT, path)


@contextlib.contextmanager
def own_modules():
    """Makes the modules beside this file importable.

    Afterwards the module path is the application's; no compiled copies are left here.
    """
    folder = str(Path(__file__).resolve().parent)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != Path(folder)]
        sys.dont_write_bytecode = before


def main():
    arguments = parse()
    is_asgi = arguments.interface == "asgi"
    with own_modules():
        if is_asgi:
            import mooring_asgi_servers as servers
            import mooring_loop
            from mooring_scope import Context
        else:
            import mooring_servers as servers
            from mooring_request import Context
        from mooring_call import NotFound
        from mooring_children import Children
        from mooring_choice import BACKLOG, tell
        from mooring_errors import Errors, fill_standard_descriptors
        from mooring_names import load

        server = servers.choose(arguments.server)
    place = Place(os.environ, BACKLOG)
    fill_standard_descriptors()
    errors = Errors()
    children = Children()
    try:
        if is_asgi:
            loop = mooring_loop.make_loop()
            servers.prepare(server, errors)
        application = load(arguments.app, arguments.interface)
    except NotFound as problem:
        sys.exit(f"mooring_host: {problem}")
    except SystemExit:
        raise
    except BaseException as problem:
        errors.report(problem)
        sys.exit(1)
    if not is_asgi:
        with own_modules():
            server = servers.after_patching(server, arguments.server)
    fill_standard_descriptors()
    children.note_choice()
    if os.environ.pop("MOORING_TELL_SERVER", None):
        bound = f"up to {arguments.threads} requests at once" if is_asgi else f"{arguments.threads} threads"
        tell(server, arguments.app, bound)
    status = 0
    if is_asgi:
        context = Context(os.environ, arguments.app)
        status = mooring_loop.serve(loop, server, application, place, context, errors, arguments.stop_timeout)
    else:
        context = Context(arguments.threads, os.environ, errors, arguments.app)
        servers.FUNCTIONS[server](application, place, arguments.threads, context, errors)
    if place.unix:
        place.remove_socket()
    sys.exit(status)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", required=True)
    parser.add_argument("--interface", default="wsgi", choices=["wsgi", "asgi"])
    parser.add_argument("--server", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stop-timeout", type=float, default=10.0)
    arguments = parser.parse_args()
    most = 10_000 if arguments.interface == "wsgi" else 100_000
    if not 1 <= arguments.threads <= most:
        parser.error(f"--threads must be between 1 and {most}")
    return arguments


if __name__ == "__main__":
    main()
