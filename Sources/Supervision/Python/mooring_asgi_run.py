"""What a request and a WebSocket of an ASGI application have in common."""

import asyncio
import re

from mooring_mount import below_mount

NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection",
              b"te", b"trailer", b"transfer-encoding", b"upgrade"}
# What frameworks raise because the client has left, besides errors of sockets.
LEAVING = {"ClientDisconnect", "ClientDisconnected", "RequestAborted", "WebSocketDisconnect"}
FAILURE = b"Internal Server Error\n"
FAILURE_FIELDS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(FAILURE))]


class ClientLeft(OSError):
    """Nobody gets what the application sends."""


class Run:
    """One run of the application, from its scope to its end."""

    def __init__(self, gateway, scope, take, give):
        self.gateway = gateway
        self.scope = scope
        # The server's `receive` and `send`.
        self.take, self.give = take, give
        self.task = asyncio.current_task()
        # The client has left, or is taken for one that has.
        self.is_gone = False

    @property
    def title(self):
        query = self.scope["query_string"]
        target = self.scope["raw_path"] + (b"?" + query if query else b"")
        return f"{self.scope.get('method', 'WebSocket')} {ascii(target.decode('latin-1'))[1:-1]}"

    async def serve(self, application):
        """Runs the application to its end; nothing that it raises goes further."""
        try:
            await application(self.scope, self.receive, self.send)
            await self.end()
        except BaseException as problem:
            if isinstance(problem, GeneratorExit) and asyncio._get_running_loop() is None:
                raise
            self.report(problem)
            await self.fail()

    def report(self, problem):
        is_expected = self.is_gone and is_of_leaving(problem)
        is_ended = self.gateway.is_stopping and isinstance(problem, asyncio.CancelledError)
        if not is_expected and not is_ended:
            self.gateway.errors.report(problem, f"The application failed in {self.title}:")

    def fields(self, given):
        """The fields of a response as all servers take them, with cookies below the mount."""
        kept = []
        for name, value in given:
            name, value = bytes(name), bytes(value)
            if not NAME.fullmatch(name):
                raise ValueError(f"not the name of a field: {name!r}")
            if not VALUE.fullmatch(value):
                raise ValueError(f"not the value of the field {name.decode('ascii')}: {value!r}")
            name = name.lower()
            if name == b"set-cookie" and self.scope["root_path"]:
                mounted = below_mount(value.decode("latin-1"), self.scope["root_path"].encode().decode("latin-1"))
                value = mounted.encode("latin-1")
            if name not in HOP_BY_HOP:
                kept.append((name, value.strip(b" \t")))
        return kept


def is_of_leaving(problem):
    """Whether an exception only says that the client has left."""
    parts = getattr(problem, "exceptions", None)
    if parts:
        return all(map(is_of_leaving, parts))
    return isinstance(problem, (OSError, asyncio.CancelledError)) or type(problem).__name__ in LEAVING


def octets(data):
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"a body consists of bytes, not of {type(data).__name__}")
