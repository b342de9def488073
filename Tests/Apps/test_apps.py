"""Real applications with default settings, in a real browser over HTTP/2, over the end of the balancer.

Run by Scripts/test-apps: two visitors each get the whole page and a session; then the balancer is killed and
started again, and the same process answers, with what the session had.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import tls
from apps import APPS
from balancer import serving
from browser import chromium
from recipes import configuration, copy


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("name", APPS)
def test_two_visitors_go_on_after_a_kill_of_the_balancer(browser, certificates, name):
    app = APPS[name]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = f"[group.app]\n{app.group}\npass_env = [\"HOME\"]\n" if app.group else configuration(app.example)
    text = tls.secure(certificates, text).replace(":0", f":{port}", 1)

    def prepare(folder):
        if app.example:
            copy(app.example)(folder)
        if app.prepare:
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            subprocess.run(["bash", "-c", app.prepare], cwd=folder, check=True, env={**os.environ, "PATH": path})
    with serving(text, files=app.files, prepare=prepare) as balancer:
        asyncio.run(visit(balancer, browser, app))


async def visit(balancer, browser, app):
    base = f"https://localhost:{balancer.address[1]}{app.path}"
    async with browser.page() as one, browser.page() as two:
        facts = {}
        for page, times in ((one, 1), (two, 2)):
            await page.load(base, f"!!({app.there})", 60)
            failures = [failure for failure in page.failures() if not is_harmless(failure, base)]
            assert not failures, failures
            assert "h2" in page.protocols()
            for _ in range(times):
                await more(page, app)
            facts[page] = await page.evaluate(app.number), await page.evaluate(app.pid)
        balancer.crash()
        balancer.start()
        for page in (one, two):
            number, pid = facts[page]
            if not app.outlives:
                await page.load(base, f"!!({app.there})", 60)
                number = 0
            after = int(await more(page, app))
            assert after > int(number), (number, after)
            assert await page.evaluate(app.pid) == pid


def is_harmless(failure, base):
    """Some applications have no icon, or fonts from elsewhere; Mooring's page comes while a first process takes
    long to start."""
    address, reason = failure
    return not address.startswith(base[:base.index("/", 8)]) or (address.endswith("/favicon.ico") and reason == 404) or (address == base and reason == 503)


async def more(page, app):
    """Makes the session count; what it has come to."""
    if not app.more:
        return await page.evaluate(app.number)
    before = await page.evaluate(app.number)
    for _ in range(20):
        await page.evaluate(app.more)
        try:
            # A page whose connection was cut takes a moment to be back.
            return await page.wait(f"(async () => {{ const n = await ({app.number}); return n > {before} && n }})()", 3)
        except AssertionError:
            continue
    raise AssertionError(f"it does not count on: {page.failures()}")
