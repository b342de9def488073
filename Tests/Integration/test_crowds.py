"""Five hundred connections while everything behind them changes: each gets its own answers."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest

import tls
from balancer import ECHO, serving, wait_until
from tls import secure

pytestmark = pytest.mark.alone
GROUP = """
[group.app]
wsgi = "echo.py"
processes = 3
threads = 10
queue = 5000
process_queue = 5000

[limits]
spawns_per_source = 0
"""
APP = ECHO.replace('"multiprocess":', '"token": environ.get("HTTP_X_TOKEN", ""), "multiprocess":')
CONNECTIONS = 500


class Crowd:
    """What the visitors saw; each answer carries the token of the request that it is for."""

    def __init__(self, balancer, certificates, folder):
        self.balancer, self.folder = balancer, folder
        self.host, self.port = balancer.address
        self.context = tls.trusting(certificates)
        self.wrong, self.right, self.refused = [], 0, 0
        self.over = False
        self.handshakes = 0

    def note(self, status, token, body):
        if status != 200:
            # A process died under it, or its session did: an error, and never another client's answer.
            self.refused += 1
            if status not in (502, 503):
                self.wrong.append((token, status))
        elif json.loads(body)["token"] == token:
            self.right += 1
        else:
            self.wrong.append((token, body))

    async def open(self, protocol):
        self.context.set_alpn_protocols([protocol])
        streams = await asyncio.open_connection(
            self.host, self.port, ssl=self.context, server_hostname="localhost",
            ssl_handshake_timeout=60)
        self.handshakes += 1
        return streams

    async def visit_http1(self, number):
        turn = 0
        while not self.over:
            reader, writer = await self.open("http/1.1")
            # Some requests on each, so that handshakes and requests happen side by side.
            for _ in range(20):
                token, turn = f"{number}-{turn}", turn + 1
                writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nX-Token: {token}\r\n\r\n".encode())
                try:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    length = int(re.search(r"(?i)content-length: (\d+)", head).group(1))
                    body = await reader.readexactly(length)
                except (asyncio.IncompleteReadError, ConnectionError):
                    self.refused += 1
                    break
                self.note(int(head.split(" ")[1]), token, body)
                if self.over:
                    break
            writer.close()

    async def visit_http2(self, number):
        turn = 0
        while not self.over:
            reader, writer = await self.open("h2")
            connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
            connection.initiate_connection()
            for _ in range(5):
                tokens = {}
                for _ in range(4):
                    stream = connection.get_next_available_stream_id()
                    tokens[stream], turn = f"{number}-{turn}", turn + 1
                    connection.send_headers(stream, [
                        (":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "x"),
                        ("x-token", tokens[stream])], end_stream=True)
                writer.write(connection.data_to_send())
                if not await self.read_streams(reader, writer, connection, tokens) or self.over:
                    break
            writer.close()

    async def read_streams(self, reader, writer, connection, tokens):
        statuses, bodies = {}, {stream: b"" for stream in tokens}
        while tokens:
            data = await reader.read(65536)
            if not data:
                self.refused += len(tokens)
                return False
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id] = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    connection.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    stream = event.stream_id
                    self.note(statuses[stream], tokens.pop(stream), bodies[stream])
                elif isinstance(event, h2.events.StreamReset):
                    self.refused += 1
                    tokens.pop(event.stream_id, None)
            writer.write(connection.data_to_send())
        return True

    async def trouble(self):
        """Certificates change, and processes die and come back, all the time."""
        blocking = asyncio.get_running_loop().run_in_executor
        for turn in range(4):
            done, handshakes = self.right, self.handshakes
            for kind in ("key", "pem"):
                shutil.copy(self.folder / f"{('two', 'first')[turn % 2]}.{kind}", self.folder / f"one.{kind}")
            answer = await blocking(None, lambda: self.balancer.admin("/reload", method="POST"))
            assert answer.status == 200
            pids = await blocking(None, lambda: self.balancer.pids("app"))
            for pid in pids[:2]:
                os.kill(pid, signal.SIGKILL)
            await blocking(None, lambda p=pids: wait_until(
                lambda: len(set(self.balancer.pids("app")) - set(p[:2])) >= 3, what="processes again"))
            # The crowd goes on between one trouble and the next, with new connections too.
            await blocking(None, lambda d=done, h=handshakes: wait_until(
                lambda: self.right > d + CONNECTIONS and self.handshakes > h + 50, 60, "answers"))
        self.over = True

    async def run(self, visit):
        self.context.check_hostname = False
        await asyncio.gather(*(visit(number) for number in range(CONNECTIONS)), self.trouble())


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_no_answer_is_wrong_or_mixed_up_while_certificates_change_and_processes_die(
        certificates, tmp_path, protocol):
    for name in ("one", "two", "ca"):
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"{name}.{kind}", tmp_path / f"{name}.{kind}")
            shutil.copy(certificates / f"one.{kind}", tmp_path / f"first.{kind}")
    with serving(secure(tmp_path, GROUP), files={"echo.py": APP}) as balancer:
        balancer.wait_ready("app", 3)
        crowd = Crowd(balancer, tmp_path, tmp_path)
        asyncio.run(crowd.run(crowd.visit_http1 if protocol == "http1" else crowd.visit_http2))
        assert not crowd.wrong, crowd.wrong[:5]
        assert crowd.right > 5 * CONNECTIONS and crowd.refused < crowd.right / 4, vars(crowd)


WHOLE = """
local wrong = 0
function response(status, headers, body)
    -- Whole answers only, and none of anybody else's making.
    if status == 200 and not body:match('^{"pid": %d+,.*}$') then wrong = wrong + 1 end
    if status ~= 200 and status ~= 502 and status ~= 503 then wrong = wrong + 1 end
    if wrong > 0 then print("WRONG", status, body) wrong = 0 end
end
"""
TOOLS = {
    "wrk": lambda url, script: ["wrk", "-t1", "-c500", "-d10s", "-s", script, url],
    "h2load": lambda url, script: ["h2load", "-c500", "-m2", "-D10", url],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_five_hundred_connections_of_a_load_generator_outlive_reloads_and_deaths(certificates, tmp_path, tool):
    for name in ("one", "two", "ca"):
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"{name}.{kind}", tmp_path / f"{name}.{kind}")
            shutil.copy(certificates / f"one.{kind}", tmp_path / f"first.{kind}")
    (tmp_path / "whole.lua").write_text(WHOLE)
    with serving(secure(tmp_path, GROUP), files={"echo.py": APP}) as balancer:
        balancer.wait_ready("app", 3)
        host, port = balancer.address
        load = subprocess.Popen(
            TOOLS[tool](f"https://{host}:{port}/", str(tmp_path / "whole.lua")), stdout=subprocess.PIPE, text=True)
        turns = 0
        while load.poll() is None:
            for kind in ("key", "pem"):
                shutil.copy(tmp_path / f"{('two', 'first')[turns % 2]}.{kind}", tmp_path / f"one.{kind}")
            assert balancer.admin("/reload", method="POST").status == 200
            for pid in (pids := balancer.pids("app"))[:2]:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda p=pids: len(set(balancer.pids("app")) - set(p[:2])) >= 3, what="processes again")
            turns += 1
        said = load.communicate()[0]
    assert load.returncode == 0 and "WRONG" not in said, said
    if tool == "wrk":
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", said)
        connect, read, write = map(int, errors.groups()) if errors else (0, 0, 0)
        refused = int((re.search(r"Non-2xx or 3xx responses: (\d+)", said) or [0, 0])[1]) + read
        answered = int(re.search(r"(\d+) requests in", said)[1])
        assert connect == 0 and write == 0, said
    else:
        answered = int(re.search(r"(\d+) 2xx", said)[1])
        refused = int(re.search(r"(\d+) 5xx", said)[1])
        assert "0 4xx" in said and re.search(r" 0 errored, 0 timeout", said), said
    # What a dying process had begun to answer is lost; the rest is asked again elsewhere.
    assert turns >= 3 and answered > 1000 and refused < answered / 20, (turns, said)
