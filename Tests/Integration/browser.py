"""Headless Chromium by its DevTools protocol."""

import asyncio
import contextlib
import itertools
import json
import re
import subprocess
import tempfile

import websockets


class Browser:
    """One Chromium; each `page` of its own is another visitor's, with cookies of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="m-b-", dir="/tmp", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--ignore-certificate-errors", "--remote-debugging-port=0",
             f"--user-data-dir={self.folder.name}", "about:blank"],
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
        self.folder.cleanup()

    @contextlib.asynccontextmanager
    async def page(self):
        async with websockets.connect(self.address, max_size=None) as connection:
            page = Page(connection)
            await page.open()
            yield page


@contextlib.contextmanager
def chromium():
    browser = Browser()
    try:
        yield browser
    finally:
        browser.stop()


class Page:
    """A visitor's page."""

    def __init__(self, connection):
        self.connection, self.numbers = connection, itertools.count(1)
        self.session, self.events = None, []

    async def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self.connection.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self.connection.recv(), 60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    async def open(self):
        context = await self.call("Target.createBrowserContext")
        target = await self.call(
            "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"])
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        await self.call("Network.enable", self.session)

    async def evaluate(self, expression):
        result = await self.call(
            "Runtime.evaluate", self.session, expression=expression, awaitPromise=True,
            returnByValue=True)
        return result["result"].get("value")

    async def load(self, url, wanted, seconds=10):
        """The result of `wanted` once the page is there."""
        await self.call("Page.navigate", self.session, url=url)
        return await self.wait(f"location.href.startsWith({json.dumps(url)}) && ({wanted})", seconds)

    async def wait(self, wanted, seconds=10):
        for _ in range(int(seconds / 0.05)):
            if found := await self.evaluate(f"document.readyState == 'complete' && ({wanted})"):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(
            f"waited for {wanted}: {await self.evaluate('document.body.innerText')}; {self.failures()}")

    def failures(self):
        """What of the page did not come: URL and status, or the reason."""
        sent = {}
        failed = []
        for event in self.events:
            facts = event.get("params", {})
            match event.get("method"):
                case "Network.requestWillBeSent":
                    sent[facts["requestId"]] = facts["request"]["url"]
                case "Network.responseReceived" if facts["response"]["status"] >= 400:
                    failed.append((facts["response"]["url"], facts["response"]["status"]))
                case "Network.loadingFailed" if not facts.get("canceled"):
                    failed.append((sent.get(facts["requestId"], "?"), facts["errorText"]))
        return failed

    def protocols(self):
        """Those that parts of the page came over."""
        return {event["params"]["response"].get("protocol") for event in self.events
                if event.get("method") == "Network.responseReceived"}
