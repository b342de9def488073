"""The lifespan of an ASGI application: the same under every server, which knows nothing of it."""

import asyncio

# What an application looks for in the startup event that takes it for a request or for a connection.
OF_OTHER_MESSAGES = ("body", "more_body", "text", "bytes")


class Failed(Exception):
    """The application's startup has failed, and has been reported."""


class Lifespan:
    """One task of the application, from before the first request until after the last one.

    An application may know nothing of lifespans: it raises at once, or returns. With one that has
    taken the startup event before it raises, as nobody else has a reason to, the start has failed.
    """

    def __init__(self, application, errors):
        self.application = application
        self.errors = errors
        # What requests find in their scope, each in a copy.
        self.state = {}
        self.events = asyncio.Queue()
        self.stage = "startup"
        self.answer = None
        self.has_received = False
        self.task = None

    async def start(self):
        loop = asyncio.get_running_loop()
        self.answer = loop.create_future()
        self.events.put_nowait({"type": "lifespan.startup"})
        self.task = loop.create_task(self.run())
        await self.answer
        if self.answer.result() == "failed":
            raise Failed
        self.stage = "shutdown"

    async def stop(self):
        """Tells the application that it is over; false: that has failed."""
        if self.task.done():
            return True
        self.answer = asyncio.get_running_loop().create_future()
        self.events.put_nowait({"type": "lifespan.shutdown"})
        await self.answer
        return self.answer.result() != "failed"

    async def run(self):
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.application(scope, self.receive, self.send)
        except GeneratorExit:
            raise
        except BaseException as problem:
            if self.means_failure(problem):
                self.errors.report(problem, f"The application failed in its lifespan {self.stage}:")
                self.settle("failed")
        self.settle("unknown")

    def means_failure(self, problem):
        if self.stage == "shutdown":
            return True
        takes_it_for_another = isinstance(problem, KeyError) and problem.args[0] in OF_OTHER_MESSAGES
        is_answered = self.answer.done()
        return self.has_received and not takes_it_for_another and not is_answered

    async def receive(self):
        event = await self.events.get()
        self.has_received = True
        return event

    async def send(self, message):
        kind = message["type"]
        if kind == f"lifespan.{self.stage}.complete":
            self.settle("complete")
        elif kind == f"lifespan.{self.stage}.failed":
            if not self.answer.done():
                text = message.get("message", "")
                self.errors.write(f"The application failed in its lifespan {self.stage}:\n{text}".rstrip() + "\n")
            self.settle("failed")
        else:
            # To what comes here without a look at the type of its scope, this is no request either.
            self.has_received = False
            raise RuntimeError(f"not a message of the lifespan's {self.stage}: {kind!r}")

    def settle(self, outcome):
        if not self.answer.done():
            self.answer.set_result(outcome)
