"""The servers that can serve an application, each in one process and with as many threads as slots."""

import logging
import os
import signal
import sys
from pathlib import Path
from urllib.parse import quote

from mooring_choice import BACKLOG, CONNECTIONS, FIELD_SIZE, FIELDS, KEEPALIVE_SECONDS, first_installed
from mooring_response import Gateway, Habits


def serve_granian(application, place, threads, context, errors):
    """One process: granian's server of threads with one worker thread.

    Meant by its makers for interpreters without a global lock, it runs as well with one, and saves
    the main process that their command keeps (28 MB instead of 53). It is no public interface, so
    a version that has changed it is served by the command's own server instead.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    # It cannot cut off a response: one with a length ends short of it, others look complete except
    # for the mark, which only Mooring understands.
    mark = os.urandom(8) if context.trusts_peer else None
    gateway = Gateway(
        application, context, errors, Habits(has_write=False, breaking=StopIteration, mark=mark))
    variables = dict(os.environ)

    def adapted(environ, start_response):
        # It adds the process's environment, which would look like fields from the client.
        for name, value in variables.items():
            if environ.get(name) == value:
                del environ[name]

        def start(status, headers):
            start_response(status, [sendable(name, value, context.trusts_peer) for name, value in headers])

        return gateway(environ, start)

    # Its format would prefix a traceback with the level.
    handler = {"class": "logging.StreamHandler", "stream": errors}
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
    server.serve(target_loader=lambda: adapted, wrap_loader=False)


def sendable(name, value, is_mooring):
    """A field whose value reaches the client in its latin-1 octets, though granian sends it as UTF-8.

    Mooring accepts octets that are not UTF-8 in a field of its own, for names without meaning to a proxy.
    """
    if value.isascii():
        return name, value
    octets = value.encode("latin-1")
    try:
        return name, octets.decode("utf-8")
    except UnicodeDecodeError:
        if is_mooring and "_" not in name and name.lower() != "set-cookie":
            return "Mooring-Octets", f"{name}={quote(octets)}"
        return name, value


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


def serve_gunicorn(application, place, threads, context, errors):
    """gunicorn's worker of threads in this process, without the arbiter that would fork it."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.http import wsgi
    from gunicorn.workers import gthread

    # WebSocket libraries that have taken over its connection raise StopIteration.
    gateway = Gateway(application, context, errors, Habits(passed=(StopIteration,)))
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
        # Mooring has limited the head already. 0 means no limit for the line alone.
        "limit_request_line": 0,
        "limit_request_fields": FIELDS,
        "limit_request_field_size": FIELD_SIZE,
        # SCRIPT_NAME and PATH_INFO as fields: Mooring does not send them, and others must not.
        "forwarder_headers": "",
    }

    class OwnFields(wsgi.Response):
        """Keeps the application's `Server` and `Date`, instead of gunicorn's own two."""

        own = ()

        def process_headers(self, headers):
            self.own = [field for field in headers if field[0].lower() in ("server", "date")]
            super().process_headers(headers)

        def default_headers(self):
            names = {name.lower() for name, _ in self.own}
            lines = [line for line in super().default_headers() if line.partition(":")[0].lower() not in names]
            return lines + [f"{name}: {value}\r\n" for name, value in self.own]

    wsgi.Response = OwnFields

    class Worker(gthread.ThreadWorker):
        def is_parent_alive(self):
            """The parent is not an arbiter but Mooring, which processes survive until they are adopted."""
            return True

    class Application(BaseApplication):
        def load_config(self):
            for key, value in settings.items():
                self.cfg.set(key, value)

        def load(self):
            return gateway

    app = Application()
    log = app.cfg.logger_class(app.cfg)
    for handler in log.error_log.handlers:
        handler.setStream(errors)
    # Mooring sends nothing to a process that it has stopped, so there is no request to wait for.
    gthread.STOP_KEEPALIVE_LINGER = 0.0
    worker = Worker(1, os.getppid(), [place.listen()], app, 0, app.cfg, log)
    worker.init_process()


def serve_waitress(application, place, threads, context, errors):
    """waitress in our own loop: its own drops requests in flight when it is stopped."""
    from waitress.channel import ClientDisconnected, HTTPChannel
    from waitress.server import create_server
    from waitress.task import WSGITask

    class Task(WSGITask):
        def get_environment(self):
            return super().get_environment() | {"SERVER_SOFTWARE": "waitress"}

        def build_response_header(self):
            head = super().build_response_header()
            if self.request.command == "HEAD":
                self.chunked_response = False  # Or it would send the end of a body.
            return head

    class Channel(HTTPChannel):
        task_class = Task

    logger = logging.getLogger("waitress")
    logger.addHandler(logging.StreamHandler(errors))
    # Without a spare thread it warns about every waiting request; Mooring sends none.
    logger.setLevel(logging.ERROR)
    gateway = Gateway(application, context, errors, Habits(breaking=ClientDisconnected))
    server = create_server(
        gateway, sockets=[place.listen()], threads=threads, connection_limit=CONNECTIONS,
        channel_timeout=KEEPALIVE_SECONDS, ident=None, clear_untrusted_proxy_headers=False,
        max_request_body_size=1 << 62)
    server.channel_class = Channel
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


def serve_standard(application, place, threads, context, errors):
    """The host's own server, of the standard library alone."""
    from mooring_server import Broken, Server

    gateway = Gateway(application, context, errors, Habits(breaking=Broken))
    Server(gateway, place.listen(), threads, errors).run()


def serve_gevent(application, place, threads, context, errors):
    """gevent's own server, for an application that has made Python's threads into greenlets.

    Its connections are not limited to `threads`: Mooring sends no more requests than that, and the
    idle connections that it keeps must not count.
    """
    from email.parser import Parser

    import gevent
    from gevent import pywsgi
    from gevent.event import Event

    running = set()
    pywsgi.MAX_REQUEST_LINE = FIELD_SIZE

    class Handler(pywsgi.WSGIHandler):
        def MessageClass(self, stream, *_):
            """The fields, without the limits of `http.client`: Mooring has limited the head already."""
            lines = iter(lambda: stream.readline(FIELD_SIZE).rstrip(b"\r\n"), b"")
            return Parser(_class=pywsgi.OldMessage).parsestr(b"\r\n".join(lines).decode("latin-1"))

        def get_environ(self):
            return super().get_environ() | {"RAW_URI": self.path}

        def finalize_headers(self):
            super().finalize_headers()
            if self.command == "HEAD":
                self.response_use_chunked = False  # Or it would send the end of a body.

        def handle_one_response(self):
            running.add(self)
            try:
                super().handle_one_response()
            finally:
                running.discard(self)

    gateway = Gateway(application, context, errors)
    server = pywsgi.WSGIServer(place.listen(), gateway, log=None, error_log=errors, handler_class=Handler)
    stopping = Event()
    gevent.signal_handler(signal.SIGTERM, stopping.set)
    server.start()
    stopping.wait()
    server.close()
    while running:
        gevent.sleep(0.02)
    server.stop(timeout=0)


# The module to look for. The first three are in order of preference.
SERVERS = {"granian": "granian", "gunicorn": "gunicorn", "waitress": "waitress", "wsgiref": None}
FUNCTIONS = {
    "granian": serve_granian, "gunicorn": serve_gunicorn, "waitress": serve_waitress, "wsgiref": serve_standard,
    "gevent": serve_gevent,
}


def choose(name):
    """A server by its name; `auto`: the first that is installed."""
    chosen = first_installed(SERVERS, name)
    if chosen == "wsgiref":
        import mooring_server  # As long as its folder is on the path.
    return chosen


def after_patching(server, name):
    """Another server where the application has replaced Python's threads and sockets, as it may.

    granian's threads would wait for a greenlet loop that does not run.
    """
    gevent, eventlet = map(sys.modules.get, ("gevent.monkey", "eventlet.patcher"))
    if gevent and any(map(gevent.is_module_patched, ("socket", "threading", "select"))):
        library, better = "gevent", "gevent"
    elif eventlet and any(map(eventlet.is_monkey_patched, ("socket", "thread", "select"))):
        library, better = "eventlet", "wsgiref"
    else:
        return server
    if name == "auto":
        return choose(better) if better in SERVERS else better
    if server == "granian":
        sys.exit(f"mooring_host: the application patches Python for {library}, under which granian does "
                 "not work; set server = \"auto\"")
    return server
