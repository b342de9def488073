"""The admin API's heads, mutated by chance: nothing is changed or shown without the token."""

import contextlib
import http.client
import json
import os
import random
import re
import socket

import pytest

from balancer import ECHO, Balancer

SEED = int(os.environ.get("FUZZ_SEED", "1"))
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "400"))
TOKEN = "a-token-of-32-bytes-for-this-test"
HEADS = [
    b"GET /stats HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    b"POST /groups/app/restart HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Connection: close\r\n\r\n{}",
    b"POST /reload HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"
    b"Authorization: Bearer wrong\r\nConnection: close\r\n\r\n",
    b"POST /groups/app/scale HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n11\r\n{\"min\":0,\"max\":1}\r\n0\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\n", b"\0", b" ", b":", b"Host: a\r\n", b"Authorization: Bearer \r\n", b"Content-Length: 1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"HTTP/2.0", b"http://evil/", b"*", b"%2e%2e/", b"//", b"\xff",
    b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"X: " + b"a" * 5000 + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"-1", b"18446744073709551616",
]


def mutated(head, dice):
    head = bytearray(head)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(head) + 1)
        match dice.randrange(4):
            case 0: head[at:at] = dice.choice(PIECES)
            case 1: del head[at:at + dice.randint(1, 20)]
            case 2: head[at:at + 1] = bytes([dice.randrange(256)])
            case 3: head[at:at] = head[dice.randrange(len(head) or 1):][:dice.randint(1, 60)]
    return bytes(head)


@pytest.fixture(scope="module")
def balancer():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = f"""
[admin]
address = "127.0.0.1:{port}"
token_file = "token"
[group.app]
wsgi = "app.py"
"""
    # Only its owner may read the token's file.
    mask = os.umask(0o077)
    try:
        balancer = Balancer(configuration, files={"app.py": ECHO, "token": TOKEN})
    finally:
        os.umask(mask)
    yield balancer
    balancer.stop()


def ask(balancer, path):
    connection = http.client.HTTPConnection(balancer.admin_socket, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        return json.loads(connection.getresponse().read())


def test_no_mutated_head_gets_past_the_token(balancer):
    host, _, port = balancer.admin_socket.rpartition(":")
    dice = random.Random(SEED)
    generation = ask(balancer, "/stats/app")["generation"]
    for number in range(ROUNDS):
        head = mutated(dice.choice(HEADS).replace(b"HOST", f"{host}:{port}".encode()), dice)
        with socket.create_connection((host, port), timeout=8) as connection:
            answer = b""
            with contextlib.suppress(OSError):
                connection.sendall(head)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    answer += piece
        statuses = set(re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)) - {b"100"}
        # Open without a token: whether it is well, as after a mutated path.
        is_open = b"healthz" in head or b"readyz" in head
        assert is_open or not any(status < b"300" for status in statuses), (SEED, number, head, answer[:500])
        assert balancer.process.poll() is None, (SEED, number, head)
    assert ask(balancer, "/stats/app")["generation"] == generation
    assert ask(balancer, "/stats/app")["max"] == 1
