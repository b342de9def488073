"""A real browser, over TLS and HTTP/2: it logs in and stays with its process."""

import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import websockets

import tls
from balancer import ROOT, Balancer

EXAMPLE = ROOT / "Examples/django"


class Browser:
    """Headless Chromium by its DevTools protocol."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--ignore-certificate-errors", "--remote-debugging-port=0",
             f"--user-data-dir={folder}", "about:blank"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                self.address = found.group(1)
                return
        raise AssertionError("chromium did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Page:
    def __init__(self, connection):
        self.connection, self.numbers = connection, itertools.count(1)

    async def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.connection.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self.connection.recv(), 30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def open(self):
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]

    async def evaluate(self, expression):
        result = await self.call(
            "Runtime.evaluate", self.session, expression=expression, awaitPromise=True,
            returnByValue=True)
        return result["result"].get("value")

    async def load(self, url, wanted):
        """What `wanted` says of the page once it is there."""
        await self.call("Page.navigate", self.session, url=url)
        return await self.wait(f"location.href == {json.dumps(url)} && ({wanted})")

    async def wait(self, wanted):
        for _ in range(500):
            if found := await self.evaluate(f"document.readyState == 'complete' && ({wanted})"):
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"waited for {wanted}: {await self.evaluate('document.body.innerText')}")


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium here")
def test_a_browser_logged_in_to_django_keeps_one_process_over_http2():
    with tempfile.TemporaryDirectory(prefix="m-b-", dir="/tmp") as name:
        folder = Path(name)
        tls.make_authority(folder)
        tls.make_certificate(folder, "one", "localhost", "127.0.0.1")
        subprocess.run(
            [sys.executable, "manage.py", "prepare"], cwd=EXAMPLE, check=True,
            env={**os.environ, "EXAMPLE_DATA": name}, stdout=subprocess.DEVNULL)
        balancer = Balancer(
            f'[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\n'
            f'certificate = "{folder}/one.pem"\nkey = "{folder}/one.key"\n'
            f'[group.django]\nwsgi = "mysite/wsgi.py"\ncwd = "{EXAMPLE}"\n'
            'pass_env = ["EXAMPLE_DATA"]\nprocesses = 3\nthreads = 4\n', EXAMPLE_DATA=name)
        browser = Browser(folder / "profile")
        try:
            balancer.wait_ready("django", 3)
            asyncio.run(stay(browser, f"https://localhost:{balancer.address[1]}"))
        except BaseException:
            print(balancer.log[-4000:])
            raise
        finally:
            browser.stop()
            balancer.stop()


async def stay(browser, base):
    async with websockets.connect(browser.address, max_size=None) as connection:
        page = Page(connection)
        await page.open()
        await page.load(f"{base}/login/", "document.forms.length")
        await page.evaluate(
            "document.forms[0].username.value = 'visitor1';"
            "document.forms[0].password.value = 'ahoy'; document.forms[0].submit()")
        await page.wait("document.body.innerText.includes('Welcome aboard, visitor1')")
        pids = set()
        for number in range(1, 16):
            text, protocol = await page.load(
                f"{base}/whoami?{number}", "[document.body.innerText,"
                " performance.getEntriesByType('navigation')[0].nextHopProtocol]")
            facts = json.loads(text)
            pids.add(facts["pid"])
            assert (facts["user"], protocol) == ("visitor1", "h2")
            assert facts["served"] >= number, "the session is unknown here"
        assert len(pids) == 1, pids
