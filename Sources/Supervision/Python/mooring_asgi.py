"""An ASGI application as its server sees it."""

import asyncio

from mooring_asgi_request import Request
from mooring_asgi_socket import WebSocket

KINDS = {"http": Request, "websocket": WebSocket}
# Parts of the time to stop: by then requests that still run take their client for one that has left, and
# then they are cancelled. The rest is the lifespan's.
LEFT, CANCELLED = 0.5, 0.7


class Gateway:
    """Runs the application for each request of its server.

    Servers differ in what they tell, in when they send a head, and in what a failure does. Here the scope
    is the same under all of them, what the application sends is checked before a server sees it, and
    whatever it raises ends the request, never the process.
    """

    def __init__(self, application, context, errors, mark=None):
        self.application = application
        self.context = context
        self.errors = errors
        # Eight bytes that, as the last part of a body without a length, tell Mooring that it broke off,
        # for a server that ends every such body as if it were whole; None: it does not.
        self.mark = mark
        self.running = set()
        self.is_stopping = False

    async def __call__(self, scope, receive, send):
        self.context.complete(scope)
        run = KINDS[scope["type"]](self, scope, receive, send)
        self.running.add(run)
        try:
            await run.serve(self.application)
        finally:
            self.running.discard(run)

    async def stop(self, seconds):
        """Lets what runs come to its end, in time for the lifespan to end as well."""
        self.is_stopping = True
        leaving = [asyncio.ensure_future(run.leave()) for run in self.running]
        await self.wait(seconds * LEFT)
        for run in list(self.running):
            run.drop()
        await self.wait(seconds * (CANCELLED - LEFT))
        for run in list(self.running):
            self.errors.write(f"{run.title} still ran when the process had to stop, and was cancelled\n")
            run.task.cancel()
        for task in leaving:
            task.cancel()

    async def wait(self, seconds):
        """Until nothing runs, and not longer."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.running and loop.time() < end:
            await asyncio.sleep(0.02)
