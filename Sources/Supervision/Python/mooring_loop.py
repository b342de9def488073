"""The event loop of an ASGI application, and its way from the start of the lifespan to the end."""

import asyncio
import os
import signal

from mooring_asgi import Gateway
from mooring_asgi_servers import ENDS_ALL, FUNCTIONS
from mooring_lifespan import Failed, Lifespan

# How long tasks that the application has left behind may take to be cancelled.
CANCELLING_SECONDS = 1.0


def make_loop():
    """A loop, the current one from now on: uvloop's where it is installed."""
    try:
        import uvloop

        loop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def run(loop, main, errors):
    """Runs to the end of `main`, whatever other tasks raise."""
    task = loop.create_task(main)
    while True:
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt) as problem:
            # These end a loop, and the task that raised them has them as its result.
            if task.done():
                raise
            errors.report(problem, "The application tried to end the process:")


def end(loop):
    """Closes the loop, with what is left on it."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=CANCELLING_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def serve(loop, server, application, place, context, errors, seconds):
    """Serves until SIGTERM; the exit status of the process."""
    # The application may have run a loop of its own while it was loaded.
    asyncio.set_event_loop(loop)
    try:
        return run(loop, live(server, application, place, context, errors, seconds), errors)
    finally:
        end(loop)


async def live(server, application, place, context, errors, seconds):
    """From the application's start to its end.

    `seconds` are those from SIGTERM to SIGKILL.
    """
    lifespan = Lifespan(application, errors)
    try:
        await lifespan.start()
    except Failed:
        return 1
    context.state = lifespan.state
    # Nobody but Mooring knows what it means.
    mark = os.urandom(8) if server in ENDS_ALL and context.trusts_peer else None
    gateway = Gateway(application, context, errors, mark)
    loop = asyncio.get_running_loop()
    asked, stopping = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    serving = loop.create_task(FUNCTIONS[server](gateway, place, stopping, errors))
    waiting = loop.create_task(asked.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    # First what runs, then the server: granian leaves alone what still runs when it ends.
    await gateway.stop(seconds)
    stopping.set()
    await serving
    return 0 if await lifespan.stop() else 1
