"""A request of an ASGI application with its response, in the one form that every server gets right."""

import asyncio

from mooring_asgi_run import FAILURE, FAILURE_FIELDS, ClientLeft, Run, octets

DISCONNECT = {"type": "http.disconnect"}


class Request(Run):
    """One exchange: the server gets a head with the first part of a body, and as much as was promised."""

    def __init__(self, gateway, scope, take, give):
        super().__init__(gateway, scope, take, give)
        self.is_head = scope["method"] == "HEAD"
        # Of the request: its body has been read to its end; what was read ahead; who reads ahead.
        self.is_read = False
        self.ahead = []
        self.watcher = None
        self.is_taking = False
        self.news = asyncio.Event()
        # Of the response: what was said of it and not sent yet, and how far it is.
        self.head = None
        self.is_begun = False
        self.is_over = False
        self.is_marked = False
        self.has_body = True
        # Bytes of the body that are still promised; None: nothing was promised.
        self.left = None
        self.sent_to_nobody = 0

    async def serve(self, application):
        try:
            await super().serve(application)
        finally:
            if self.watcher:
                self.watcher.cancel()

    async def leave(self):
        """The process is about to stop: a request is answered all the same."""

    def drop(self):
        self.is_gone = True
        self.news.set()

    # What comes from the client.

    async def receive(self):
        if self.is_over:
            return DISCONNECT
        if not self.watcher and not self.ahead and not self.is_read and not self.is_gone:
            self.is_taking = True
            try:
                return self.note(await self.take())
            finally:
                self.is_taking = False
        if not self.ahead:
            self.watch()
        while not self.ahead and not self.is_gone:
            self.news.clear()
            await self.news.wait()
        return self.ahead.pop(0) if self.ahead else DISCONNECT

    def note(self, message):
        """Takes down how much of the request has come."""
        if message["type"] == "http.disconnect":
            self.drop()
            return DISCONNECT
        self.is_read = not message.get("more_body", False)
        return message

    def watch(self):
        """Reads ahead, by one part, to hear that the client has left while the application is not listening."""
        if not self.watcher and not self.is_taking and not self.is_gone:
            self.watcher = asyncio.ensure_future(self.read_ahead())

    async def read_ahead(self):
        while True:
            message = self.note(await self.take())
            if self.is_gone:
                return
            self.ahead.append(message)
            self.news.set()
            if not self.is_read:
                # More would have to be kept.
                self.watcher = None
                return

    # What goes to the client.

    async def send(self, message):
        kind = message["type"]
        if kind == "http.response.start":
            if self.head or self.is_begun:
                raise RuntimeError("http.response.start was sent twice")
            self.take_head(message)
        elif kind != "http.response.body":
            raise RuntimeError(f"not a message of a response: {kind!r}")
        elif not self.head:
            raise RuntimeError("http.response.body was sent before http.response.start")
        elif self.is_over:
            raise RuntimeError("http.response.body was sent after the end of the response")
        else:
            await self.send_part(octets(message.get("body", b"")), message.get("more_body", False))

    def take_head(self, message):
        status, left, fields = message["status"], None, []
        if not 200 <= status <= 999:
            raise ValueError(f"not a status: {status!r}")
        for name, value in self.fields(message.get("headers", [])):
            if name == b"content-length":
                if not value.isdigit():
                    raise ValueError(f"not a length: {value!r}")
                if status in (204, 304) or left is not None:
                    continue
                left = int(value)
            fields.append((name, value))
        self.head = {"type": "http.response.start", "status": int(status), "headers": fields}
        self.left, self.has_body = left, not self.is_head and status not in (204, 304)

    async def send_part(self, data, has_more):
        if self.is_gone:
            # The first time is a chance for those to end who listen, and for the others to be ended.
            self.sent_to_nobody += 1
            if self.sent_to_nobody > 1:
                raise ClientLeft("the client has left")
            return await asyncio.sleep(0)
        if not has_more and not self.is_begun:
            self.promise(data)
        if self.left is not None and self.has_body:
            # More than was promised would pass for the beginning of the next response.
            data = data[:self.left]
            self.left -= len(data)
            if self.left and not has_more:
                raise ValueError(f"the body is {self.left} bytes shorter than its Content-Length")
        if not self.is_begun:
            await self.begin()
        self.is_over = not has_more
        if not has_more:
            await self.give_part(data if self.has_body else b"", False)
        elif data and self.has_body:
            await self.give_part(data, True)
        if has_more:
            self.watch()

    def promise(self, data):
        """Adds the length of a body that is whole, where the application did not say it.

        The empty body of a HEAD says nothing of how long a GET's would be.
        """
        if self.left is None and self.head["status"] not in (204, 304) and (data or not self.is_head):
            self.head["headers"].append((b"content-length", b"%d" % len(data)))
            self.left = len(data)

    async def begin(self):
        self.is_begun = True
        mark = self.gateway.mark
        self.is_marked = bool(mark) and self.left is None and self.has_body
        if self.is_marked:
            self.head["headers"].append((b"mooring-break", mark.hex().encode()))
        await self.give(self.head)

    async def give_part(self, data, has_more):
        await self.give({"type": "http.response.body", "body": data, "more_body": has_more})

    # How it ends.

    async def end(self):
        if not self.is_over and not self.is_gone:
            what = "the end of its response" if self.is_begun else "a response"
            raise RuntimeError(f"the application returned without {what}")

    async def fail(self):
        """Answers 500 if nothing has been sent, else breaks off: it must not pass for whole."""
        if self.is_gone or self.is_over:
            return
        if not self.is_begun:
            self.has_body = not self.is_head
            self.head = {"type": "http.response.start", "status": 500, "headers": FAILURE_FIELDS}
            await self.give(self.head)
            await self.give_part(FAILURE if self.has_body else b"", False)
        elif not self.has_body:
            await self.give_part(b"", False)
        elif self.is_marked:
            await self.give_part(self.gateway.mark, False)
        self.is_over = True
