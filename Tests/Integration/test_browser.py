"""A real browser, over TLS and HTTP/2: it logs in and stays with its process."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import tls
from balancer import ROOT, Balancer
from browser import chromium

EXAMPLE = ROOT / "Examples/django"


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
        try:
            balancer.wait_ready("django", 3)
            with chromium() as browser:
                asyncio.run(stay(browser, f"https://localhost:{balancer.address[1]}"))
        except BaseException:
            print(balancer.log[-4000:])
            raise
        finally:
            balancer.stop()


async def stay(browser, base):
    async with browser.page() as page:
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
