"""A WebSocket of an ASGI application, with the same codes under every server."""

import asyncio

from mooring_asgi_run import FAILURE, FAILURE_FIELDS, ClientLeft, Run

DENIAL = "websocket.http.response"
# To an application that receives between what it sends, nobody else has to listen.
SENDS_UNHEARD = 8
# RFC 6455 section 7.4.1, and the registry that it makes.
NORMAL, NO_CODE, CUT, INTERNAL_ERROR, SERVICE_RESTART = 1000, 1005, 1006, 1011, 1012


class WebSocket(Run):
    """One WebSocket, from its handshake to its close."""

    def __init__(self, gateway, scope, take, give):
        super().__init__(gateway, scope, take, give)
        self.is_open = False
        # Another answer than the handshake's: status, fields and what has come of its body.
        self.denial = None
        # Messages sent since the application has last listened, and who listens in its place.
        self.unheard = 0
        self.watcher = None
        # The task that waits for a message; it is cancelled for another reason than its own.
        self.receiver = None
        self.is_interrupted = False
        # How it was closed from here: code and reason; done when the server has been told.
        self.closed = None
        self.closing = None

    async def serve(self, application):
        try:
            await super().serve(application)
        finally:
            if self.watcher:
                self.watcher.cancel()

    async def leave(self):
        """Closes it, as the process is about to stop."""
        self.is_gone = True
        if self.is_open:
            await self.close(SERVICE_RESTART, "")

    def drop(self):
        self.is_gone, self.is_open = True, False
        self.interrupt()

    def interrupt(self):
        """Has the application hear that it is over, though it may wait for a message."""
        if self.receiver:
            self.is_interrupted = True
            self.receiver.cancel()

    async def receive(self):
        self.unheard = 0
        if self.watcher:
            message = await asyncio.shield(self.watcher)
            self.watcher = None
            return message
        if self.closed or self.is_gone:
            return self.disconnect(None, None)
        return await self.take_message()

    async def take_message(self):
        self.receiver = asyncio.current_task()
        try:
            message = await self.take()
        except asyncio.CancelledError:
            if not self.is_interrupted:
                raise
            getattr(self.receiver, "uncancel", bool)()  # Of Python 3.11.
            return self.disconnect(None, None)
        finally:
            self.receiver = None
        if message["type"] == "websocket.receive":
            # One of the two, for those that look which is there.
            return {name: value for name, value in message.items() if value is not None}
        if message["type"] == "websocket.disconnect":
            self.is_gone, self.is_open = True, False
            return self.disconnect(message.get("code"), message.get("reason"))
        return message

    def watch(self):
        """Reads a message ahead, to hear that the client has left while the application only sends."""
        self.unheard += 1
        if self.unheard > SENDS_UNHEARD and not self.receiver and not self.watcher:
            self.watcher = asyncio.ensure_future(self.take_message())

    def disconnect(self, code, reason):
        if self.closed:
            code, reason = self.closed
        return {"type": "websocket.disconnect", "code": code or NO_CODE, "reason": reason or ""}

    async def send(self, message):
        kind = message["type"]
        if self.is_open and kind == "websocket.send":
            await self.give_message(message)
        elif self.is_open and kind == "websocket.close":
            await self.close(message.get("code", NORMAL), message.get("reason") or "")
        elif self.is_gone and kind == "websocket.close":
            return
        elif self.is_gone or self.closed and kind == "websocket.send":
            raise ClientLeft("the WebSocket is closed")
        elif self.is_open or self.closed:
            raise RuntimeError(f"{kind} was sent to {'an open' if self.is_open else 'a closed'} WebSocket")
        else:
            await self.answer(kind, message)

    async def give_message(self, message):
        data, text = message.get("bytes"), message.get("text")
        if data is None and not isinstance(text, str):
            raise TypeError(f"websocket.send takes bytes or a text, not {type(text).__name__}")
        content = {"text": text} if data is None else {"bytes": bytes(data)}
        self.watch()
        try:
            await self.give({"type": "websocket.send", **content})
        except OSError:
            self.is_gone, self.is_open = True, False
            raise ClientLeft("the client has left") from None

    async def answer(self, kind, message):
        """The application's word on the handshake."""
        if self.denial and kind == DENIAL + ".body":
            await self.deny(bytes(message.get("body", b"")), message.get("more_body", False))
        elif self.denial or kind not in ("websocket.accept", "websocket.close", DENIAL + ".start"):
            raise RuntimeError(f"{kind} was sent as an answer to a handshake")
        elif kind == "websocket.accept":
            fields, protocol = self.fields(message.get("headers", [])), message.get("subprotocol")
            if protocol is not None and protocol not in self.scope["subprotocols"]:
                raise ValueError(f"the client has not offered the subprotocol {protocol!r}")
            self.is_open = True
            await self.give({"type": kind, "headers": fields, "subprotocol": protocol})
        elif kind == "websocket.close":
            self.closed = (CUT, "")
            await self.give({"type": kind})
        else:
            self.denial = [message["status"], self.fields(message.get("headers", [])), b""]

    async def deny(self, data, has_more):
        """Sends another answer than the handshake's in one piece, as not all servers take several."""
        self.denial[2] += data
        if not has_more:
            self.closed = (CUT, "")
            status, fields, body = self.denial
            await self.give({"type": DENIAL + ".start", "status": status, "headers": fields})
            await self.give({"type": DENIAL + ".body", "body": body, "more_body": False})

    async def close(self, code, reason):
        self.is_open, self.closed = False, (code, reason)
        self.closing = asyncio.get_running_loop().create_future()
        self.interrupt()
        try:
            while self.receiver:
                # granian closes nothing while somebody waits for a message.
                await asyncio.sleep(0)
            await self.give({"type": "websocket.close", "code": code, "reason": reason})
        finally:
            if not self.closing.done():
                self.closing.set_result(None)

    async def end(self):
        if self.closing:
            await self.closing
        elif self.is_open:
            await self.close(NORMAL, "")
        elif not self.closed and not self.is_gone:
            raise RuntimeError("the application returned without an answer to the handshake")

    async def fail(self):
        if self.closing:
            await self.closing
        elif self.is_open:
            await self.close(INTERNAL_ERROR, "")
        elif not self.closed and not self.is_gone and DENIAL in self.scope["extensions"]:
            self.denial = [500, FAILURE_FIELDS, b""]
            await self.deny(FAILURE, False)
