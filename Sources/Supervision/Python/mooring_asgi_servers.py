"""The servers that can serve an ASGI application, each on the loop of one process."""

import asyncio
import logging
import os
import sys

from mooring_choice import BACKLOG, CONNECTIONS, FIELD_SIZE, KEEPALIVE_SECONDS, first_installed

# The module to look for. The first that is installed is taken.
SERVERS = {"uvicorn": "uvicorn", "granian": "granian", "hypercorn": "hypercorn"}
# It has no way to break off a response: one with a length ends short of it, others seem whole.
ENDS_ALL = {"granian"}
# What uvicorn says of a response that the gateway has broken off, and has reported.
ALREADY_SAID = "ASGI callable returned without"


async def serve_uvicorn(gateway, place, stopping, errors):
    import contextlib

    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self):
            """Leaves signals to the host, which has more to end than the server."""
            yield

    server = Server(uvicorn.Config(
        gateway, interface="asgi3", lifespan="off", workers=1, backlog=BACKLOG, log_config=None, access_log=False,
        proxy_headers=False, server_header=False, date_header=False, timeout_keep_alive=KEEPALIVE_SECONDS,
        h11_max_incomplete_event_size=FIELD_SIZE))
    running = asyncio.ensure_future(server.serve(sockets=[place.listen()]))
    await first(running, stopping)
    server.should_exit = True
    await running


async def serve_hypercorn(gateway, place, stopping, errors):
    from hypercorn.app_wrappers import ASGIWrapper
    from hypercorn.asyncio.run import worker_serve
    from hypercorn.config import Config, Sockets
    from hypercorn.protocol import h11
    from mooring_hypercorn import WebSocketStream

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            for stage in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{stage}.complete"})
        else:
            await gateway(scope, receive, send)

    config = Config()
    config.accesslog, config.errorlog = None, logger(errors, "mooring.hypercorn")
    config.backlog, config.h11_max_incomplete_size = BACKLOG, FIELD_SIZE
    config.keep_alive_timeout = config.graceful_timeout = KEEPALIVE_SECONDS
    config.keep_alive_max_requests = 1 << 62
    config.include_server_header = config.include_date_header = False
    h11.WSStream = WebSocketStream
    sockets = Sockets([], [place.listen()], [])
    await worker_serve(ASGIWrapper(application), config, sockets=sockets, shutdown_trigger=stopping.wait)


async def serve_granian(gateway, place, stopping, errors):
    from granian._granian import SocketHolder
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    class OnSocket(Server):
        def _init_shared_socket(self):
            listener = place.listen()
            self._shd = SocketHolder(listener.detach(), bool(place.unix), BACKLOG)
            self._sfd = self._shd.get_fd()

    handler = {"class": "logging.StreamHandler", "stream": errors}
    server = OnSocket(
        gateway, interface=Interfaces.ASGINL, backlog=BACKLOG, backpressure=CONNECTIONS, http=HTTPModes.http1,
        log_level=LogLevels.error, log_dictconfig={"handlers": {"console": handler, "access": handler}})
    running = asyncio.ensure_future(server.serve())
    await first(running, stopping)
    server.stop()
    await running


FUNCTIONS = {"uvicorn": serve_uvicorn, "granian": serve_granian, "hypercorn": serve_hypercorn}


def choose(name):
    """A server by its name; `auto`: the first that is installed."""
    chosen = first_installed(SERVERS, name)
    if chosen == "hypercorn":
        import mooring_hypercorn  # As long as its folder is on the path.
    return chosen


async def first(running, stopping):
    """Until the server ends or is to end, whichever comes first."""
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def logger(errors, name):
    log = logging.getLogger(name)
    log.propagate = False
    log.setLevel(logging.ERROR)
    log.addHandler(logging.StreamHandler(errors))
    return log


def prepare(server, errors):
    """Has what applications log by uvicorn's names printed, unless they choose otherwise."""
    if server == "uvicorn":
        log = logger(errors, server)
        log.setLevel(logging.INFO)
        log.handlers[-1].addFilter(is_news)


def is_news(record):
    """Whether a record is the application's, or a warning of the server's."""
    folders = [os.path.dirname(sys.modules[name].__file__) for name in ("uvicorn", "websockets") if name in sys.modules]
    if not record.pathname.startswith(tuple(folder + os.sep for folder in folders)):
        return True
    return record.levelno >= logging.WARNING and ALREADY_SAID not in str(record.msg)
