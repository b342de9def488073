"""TLS, HTTP/2 and WebSockets as real clients speak them."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest
import websockets

import tls
from balancer import ECHO, Balancer, wait_until
from origin import Origin
from tls import client, secure

GROUP = """
[group.app]
wsgi = "echo.py"
processes = 2
threads = 10
queue = 2000
process_queue = 2000
"""
TUNNEL = """
import asyncio, os, websockets

async def echo(connection):
    async for message in connection:
        await connection.send(f"{os.getpid()} {message}")

async def main():
    server = await websockets.unix_serve(echo, os.environ["MOORING_SOCKET"], ping_interval=None)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def balancer(certificates):
    balancer = Balancer(
        secure(certificates, GROUP), files={"echo.py": ECHO})
    try:
        balancer.wait_ready("app", 2)
        yield balancer
    finally:
        balancer.stop()


def test_http2_and_http_1_1_are_chosen_by_the_client(balancer, certificates):
    with client(balancer, certificates) as two, client(balancer, certificates, False) as one:
        assert two.get("/").http_version == "HTTP/2"
        assert one.get("/").http_version == "HTTP/1.1"


def test_the_cookie_on_tls_is_for_this_host_alone(balancer, certificates):
    with client(balancer, certificates) as visitor:
        answer = visitor.get("/")
        field = answer.headers["set-cookie"]
        assert field.startswith("__Host-mooring=") and "; Secure" in field and "Domain" not in field
        pid = answer.json()["pid"]
        for _ in range(20):
            assert visitor.get("/").json()["pid"] == pid


def test_parallel_first_requests_of_a_browser_make_one_session(balancer, certificates):
    async def burst():
        host, port = balancer.address
        async with httpx.AsyncClient(
                http2=True, verify=tls.trusting(certificates), timeout=20) as browser:
            pages = [browser.get(f"https://{host}:{port}/slow") for _ in range(6)]
            return await asyncio.gather(*pages)
    answers = asyncio.run(burst())
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["session"] for a in answers}) == 1
    assert len({a.json()["pid"] for a in answers}) == 1


def test_large_bodies_pass_both_ways_over_http2_and_memory_stays_flat(certificates):
    size = 64 * 1024 * 1024

    def big(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 65536):
            connection.sendall(b"z" * 65536)
    with Origin({"/big": big}) as origin:
        configuration = secure(certificates, f"[group.app]\nservers = [{origin.server}]\n")
        balancer = Balancer(configuration)
        try:
            with client(balancer, certificates) as visitor:
                before = resident(balancer.pid)
                with visitor.stream("GET", "/big") as answer:
                    assert sum(len(piece) for piece in answer.iter_raw()) == size
                pieces = (b"y" * 65536 for _ in range(size // 65536))
                assert visitor.post("/up", content=pieces).status_code == 200
                assert origin.requests[-1][2] == size
                assert resident(balancer.pid) - before < 16 * 1024
        finally:
            balancer.stop()


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def test_a_websocket_keeps_its_session_and_holds_no_slot(certificates):
    configuration = secure(certificates, """
[group.app]
command = ["python3", "tunnel.py"]
processes = 2
threads = 1
""")
    balancer = Balancer(configuration, files={"tunnel.py": TUNNEL})

    async def talk():
        host, port = balancer.address
        url, context = f"wss://{host}:{port}/", tls.trusting(certificates)
        async with websockets.connect(url, ssl=context) as first:
            cookie = first.response.headers["Set-Cookie"].split(";")[0]
            assert cookie.startswith("__Host-mooring=")
            await first.send("ahoy")
            pid = (await first.recv()).split()[0]
            headers = {"Cookie": cookie}
            # One thread, and a second tunnel all the same: neither holds the slot.
            async with websockets.connect(url, ssl=context, additional_headers=headers) as second:
                await second.send("again")
                assert await second.recv() == f"{pid} again"
                tunnels = {str(p["pid"]): p["tunnels"] for p in balancer.group("app")["processes"]}
                assert tunnels[pid] == 2
                assert {p["in_flight"] for p in balancer.group("app")["processes"]} == {0}
            await first.send("still here")
            assert await first.recv() == f"{pid} still here"
    try:
        balancer.wait_ready("app", 2)
        asyncio.run(talk())
        wait_until(lambda: {p["tunnels"] for p in balancer.group("app")["processes"]} == {0})
    finally:
        balancer.stop()


@pytest.mark.alone
def test_h2load_with_500_connections_gets_every_answer(balancer):
    host, port = balancer.address
    said = subprocess.run(
        ["h2load", "-n", "5000", "-c", "500", "-m", "2", f"https://{host}:{port}/"],
        capture_output=True, text=True, check=True, timeout=90).stdout
    assert "5000 succeeded, 0 failed" in said, said


def test_json_of_the_statistics_knows_the_tunnels(balancer):
    assert "tunnels" in json.loads(balancer.admin("/stats").body)["groups"][0]["processes"][0]
