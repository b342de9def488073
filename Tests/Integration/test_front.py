"""TLS, HTTP/2 and WebSockets as real clients speak them."""

import asyncio
import json
import re
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

import httpx
import pytest
import websockets

import tls
from balancer import BINARY, ECHO, Balancer, wait_until
from origin import Origin

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
def certificates():
    with tempfile.TemporaryDirectory(prefix="m-tls-", dir="/tmp") as name:
        folder = Path(name)
        tls.make_authority(folder)
        tls.make_certificate(folder, "one", "localhost", "127.0.0.1")
        tls.make_certificate(folder, "two", "two.example", "*.two.example")
        yield folder


def secure(certificates, configuration, extra=""):
    """The configuration behind TLS with both certificates."""
    listen = f'[[listen]]\naddress = "127.0.0.1:0"\n{extra}'
    for name in ("one", "two"):
        listen += (f'[[listen.tls]]\ncertificate = "{certificates}/{name}.pem"\n'
                   f'key = "{certificates}/{name}.key"\n')
    return listen + configuration


@pytest.fixture(scope="module")
def balancer(certificates):
    balancer = Balancer(
        secure(certificates, GROUP), files={"echo.py": ECHO})
    try:
        balancer.wait_ready("app", 2)
        yield balancer
    finally:
        balancer.stop()


def client(balancer, certificates, http2=True):
    host, port = balancer.address
    return httpx.Client(
        base_url=f"https://{host}:{port}", http2=http2, verify=tls.trusting(certificates),
        timeout=20)


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


def test_the_certificate_is_chosen_by_the_name_that_is_asked_for(balancer, certificates):
    for asked, names in [("two.example", "two.example"), ("a.two.example", "two.example"),
                         ("localhost", "localhost"), ("unknown.example", "localhost")]:
        context = tls.trusting(certificates)
        context.check_hostname = False
        with socket.create_connection(balancer.address) as plain, \
                context.wrap_socket(plain, server_hostname=asked) as connection:
            found = [name for _, name in connection.getpeercert()["subjectAltName"]]
            assert names in found, (asked, found)


def test_old_versions_of_tls_are_refused(balancer, certificates):
    context = tls.trusting(certificates)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(balancer.address) as plain, pytest.raises(OSError):
        context.wrap_socket(plain, server_hostname="localhost")


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


def test_a_client_without_a_certificate_of_the_authority_is_refused(certificates):
    tls.make_certificate(certificates, "visitor", "visitor")
    balancer = Balancer(
        secure(certificates, GROUP, f'client_ca = "{certificates}/ca.pem"\n'),
        files={"echo.py": ECHO})
    try:
        balancer.wait_ready("app", 2)
        with pytest.raises(httpx.TransportError), client(balancer, certificates, False) as visitor:
            visitor.get("/")
        context = tls.trusting(certificates)
        context.load_cert_chain(certificates / "visitor.pem", certificates / "visitor.key")
        host, port = balancer.address
        assert httpx.get(f"https://{host}:{port}/", verify=context).status_code == 200
    finally:
        balancer.stop()


def test_bad_files_are_named(certificates, tmp_path):
    (tmp_path / "bad.pem").write_text("no certificate")
    for pem, key, named in [("bad.pem", f"{certificates}/one.key", "bad.pem"),
                            (f"{certificates}/one.pem", f"{certificates}/two.key", "two.key"),
                            ("missing.pem", f"{certificates}/one.key", "missing.pem")]:
        (tmp_path / "mooring.toml").write_text(
            f'state_dir = "s"\n[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\n'
            f'certificate = "{pem}"\nkey = "{key}"\n[group.a]\nservers = ["127.0.0.1:1"]\n')
        said = subprocess.run([BINARY, "check", "-c", str(tmp_path / "mooring.toml")],
                              capture_output=True, text=True, check=False)
        assert said.returncode == 2 and named in said.stderr, said


def test_certificates_are_read_anew_by_a_reload_under_load(certificates, tmp_path):
    tls.make_authority(tmp_path, "other")
    tls.make_certificate(tmp_path, "fresh", "localhost", "127.0.0.1", authority="other")
    for name in ("one", "two", "ca"):
        for kind in ("pem", "key"):
            (tmp_path / f"{name}.{kind}").write_bytes(
                (certificates / f"{name}.{kind}").read_bytes())
    balancer = Balancer(secure(tmp_path, GROUP), files={"echo.py": ECHO})
    try:
        balancer.wait_ready("app", 2)
        host, port = balancer.address
        load = subprocess.Popen(
            ["h2load", "-n", "5000", "-c", "500", "-m", "2", f"https://{host}:{port}/"],
            stdout=subprocess.PIPE, text=True)
        for kind in ("pem", "key"):
            (tmp_path / f"one.{kind}").write_bytes((tmp_path / f"fresh.{kind}").read_bytes())
        assert balancer.admin("/reload", method="POST").status == 200
        with httpx.Client(verify=tls.trusting(tmp_path, "other"), timeout=20) as visitor:
            assert visitor.get(f"https://{host}:{port}/").status_code == 200
        said = load.communicate(timeout=60)[0]
        assert "5000 succeeded, 0 failed" in said, said
    finally:
        balancer.stop()


def test_an_https_server_is_verified_unless_said_otherwise(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "one.pem", certificates / "one.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    for server, status in [(f'"{address}"', (502, 503)),
                           (f'{{ address = "{address}", ca = "{certificates}/ca.pem" }}', (200,)),
                           (f'{{ address = "{address}", verify = false }}', (200,))]:
        balancer = Balancer(f"[group.a]\nkeepalive = false\nservers = [{server}]\n")
        try:
            assert balancer.request().status in status, server
        finally:
            balancer.stop()
    listener.close()


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


def test_h2load_with_500_connections_gets_every_answer(balancer):
    host, port = balancer.address
    said = subprocess.run(
        ["h2load", "-n", "5000", "-c", "500", "-m", "2", f"https://{host}:{port}/"],
        capture_output=True, text=True, check=True, timeout=90).stdout
    assert "5000 succeeded, 0 failed" in said, said


def test_no_answer_meets_another_request_while_processes_die(certificates):
    """Each answer carries its request's own token, over many streams at once."""
    app = ECHO.replace('"multiprocess":', '"token": environ.get("HTTP_X_TOKEN", ""), "multiprocess":')
    balancer = Balancer(secure(certificates, GROUP), files={"echo.py": app})
    wrong, right = [], []

    async def visitor(number, browser, url):
        for turn in range(40):
            token = f"{number}-{turn}"
            try:
                answer = await browser.get(url, headers={"X-Token": token})
            except httpx.TransportError:
                continue
            if answer.status_code == 200:
                (right if answer.json()["token"] == token else wrong).append(token)

    async def crowd():
        host, port = balancer.address
        async with httpx.AsyncClient(
                http2=True, verify=tls.trusting(certificates), timeout=20) as browser:
            visitors = [visitor(n, browser, f"https://{host}:{port}/") for n in range(40)]
            await asyncio.gather(*visitors, killer())

    async def killer():
        for _ in range(3):
            await asyncio.sleep(0.3)
            pids = balancer.pids("app")
            if pids:
                subprocess.run(["kill", "-9", str(pids[0])], check=False)
    try:
        balancer.wait_ready("app", 2)
        asyncio.run(crowd())
        assert not wrong and len(right) > 800, (wrong[:5], len(right))
    finally:
        balancer.stop()


def test_five_hundred_connections_get_their_own_answers_through_deaths_and_a_reload(certificates):
    """HTTP/1.1 over TLS: what comes back on a connection is the answer to what was asked on it."""
    app = ECHO.replace('"multiprocess":', '"token": environ.get("HTTP_X_TOKEN", ""), "multiprocess":')
    balancer = Balancer(secure(certificates, GROUP), files={"echo.py": app})
    wrong, right = [], []

    async def visitor(number, host, port, context):
        reader = writer = None
        for turn in range(8):
            token = f"{number}-{turn}"
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(
                        host, port, ssl=context, server_hostname="localhost",
                        ssl_handshake_timeout=60)
                writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nX-Token: {token}\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(re.search(r"(?i)content-length: (\d+)", head).group(1))
                body = await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError):
                writer = None
                continue
            if head.startswith("HTTP/1.1 200"):
                (right if json.loads(body)["token"] == token else wrong).append(token)

    async def crowd():
        host, port = balancer.address
        context = tls.trusting(certificates)
        visitors = [visitor(n, host, port, context) for n in range(500)]
        await asyncio.gather(*visitors, trouble())

    async def trouble():
        for _ in range(3):
            await asyncio.sleep(0.7)
            balancer.admin("/reload", method="POST")
            if pids := balancer.pids("app"):
                subprocess.run(["kill", "-9", str(pids[0])], check=False)
    try:
        balancer.wait_ready("app", 2)
        asyncio.run(crowd())
        assert not wrong and len(right) > 2500, (wrong[:5], len(right))
    finally:
        balancer.stop()


def test_json_of_the_statistics_knows_the_tunnels(balancer):
    assert "tunnels" in json.loads(balancer.admin("/stats").body)["groups"][0]["processes"][0]
