"""Files on their way to clients: big ones, slow readers, TLS and HTTP/2, and what happens meanwhile."""

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import socket

import pytest

import http2
import tls
from balancer import serving, wait_until
from served_files import BIG, ROUTES, TEXT, ask, big_file, fill


@pytest.fixture(scope="module")
def balancer():
    with serving(ROUTES, prepare=fill) as balancer:
        yield balancer


def digest(stream):
    hashed = hashlib.sha256()
    while piece := stream.read(1 << 20):
        hashed.update(piece)
    return hashed.hexdigest()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) * 1024


def test_a_big_file_arrives_whole_and_takes_no_memory(balancer):
    with (balancer.folder / "static/big.bin").open("rb") as big:
        expected = digest(big)
    ask(balancer)
    before = resident(balancer.pid)
    connection = http.client.HTTPConnection(*balancer.address, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/static/big.bin")
        assert digest(connection.getresponse()) == expected
        connection.request("GET", "/static/a.txt")
        assert connection.getresponse().read() == TEXT
    assert resident(balancer.pid) - before < 8 * 1024 * 1024


def test_parts_of_a_big_file_are_the_right_ones(balancer):
    first, second, third = (5_000_000, 9_000_000), (1_000, 3_000_000), (BIG - 100_000, BIG - 1)
    ranges = ", ".join(f"{a}-{b}" for a, b in (first, second, third))
    answer = ask(balancer, "/static/big.bin", Range=f"bytes={ranges}")
    assert answer.status == 206 and len(answer.body) == int(answer.headers["Content-Length"])
    content = (balancer.folder / "static/big.bin").read_bytes()
    boundary = answer.headers["Content-Type"].rpartition("=")[2].encode()
    position = 0
    for start, end in (first, second, third):
        head = answer.body.index(b"\r\n\r\n", position)
        assert b"--" + boundary in answer.body[position:head]
        position = head + 4 + end - start + 1
        assert answer.body[head + 4:position] == content[start:end + 1]
    assert answer.body[position:] == b"\r\n--" + boundary + b"--\r\n"


def test_a_slow_reader_gets_everything_and_holds_an_open_file(balancer):
    with socket.create_connection(balancer.address, 20) as client:
        client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        start = client.recv(100)
        wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 1)
        # Others are served meanwhile.
        assert ask(balancer).status == 200
        stream = client.makefile("rb")
        head = start + stream.readline()
        while not head.endswith(b"\r\n\r\n"):
            head += stream.readline()
        with (balancer.folder / "static/big.bin").open("rb") as big:
            for _ in range(BIG // (1 << 20)):
                assert stream.read(1 << 20) == big.read(1 << 20)
    wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 0)


def test_a_client_that_leaves_closes_the_file(balancer):
    with socket.create_connection(balancer.address, 20) as client:
        client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(1000)
        wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 1)
    wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 0)
    links = [os.readlink(f"/proc/{balancer.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{balancer.pid}/fd")
             if os.path.islink(f"/proc/{balancer.pid}/fd/{fd}")]
    assert not any("big.bin" in link for link in links)


def test_a_file_that_is_cut_off_breaks_the_response_off():
    with serving(ROUTES, prepare=fill) as balancer:
        file = balancer.folder / "static/big.bin"
        file.unlink()
        shutil.copyfile(big_file(), file)
        with socket.create_connection(balancer.address, 20) as client:
            client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            received = client.recv(1000)
            wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 1)
            content = file.read_bytes()
            os.truncate(file, 32 * 1024 * 1024)
            while piece := client.recv(1 << 20):
                received += piece
        body = received.partition(b"\r\n\r\n")[2]
        assert len(body) < BIG and content.startswith(body)
        with http2.Connection(balancer.address) as connection:
            os.truncate(file, BIG)
            stream = connection.ask(http2.request("/static/big.bin"))
            connection.read(lambda: len(connection.answers[stream].data) > 100_000)
            os.truncate(file, 0)
            connection.read(lambda: connection.answers[stream].over)
            assert connection.answers[stream].reset is not None
        wait_until(lambda: balancer.admin("/stats").json()["requests"]["files_open"] == 0)


def test_files_go_over_tls_and_http2(tmp_path):
    tls.make_authority(tmp_path)
    for name in ("one", "two"):
        tls.make_certificate(tmp_path, name, "127.0.0.1")
    with serving(tls.secure(tmp_path, ROUTES), prepare=fill) as balancer:
        with (balancer.folder / "static/big.bin").open("rb") as big:
            expected = digest(big)
        for is_http2 in (False, True):
            with tls.client(balancer, tmp_path, http2=is_http2) as client:
                assert client.get("/static/a.txt").content == TEXT
                part = client.get("/static/a.txt", headers={"Range": "bytes=1-2"})
                assert (part.status_code, part.content) == (206, TEXT[1:3])
                parts = client.get("/static/a.txt", headers={"Range": "bytes=1-2,5-6"})
                assert len(parts.content) == int(parts.headers["Content-Length"])
                assert client.head("/static/a.txt").headers["Content-Length"] == str(len(TEXT))
                assert client.get("/static/sub").headers["Location"] == "/static/sub/"
                hashed = hashlib.sha256()
                with client.stream("GET", "/static/big.bin") as stream:
                    assert stream.http_version == ("HTTP/2" if is_http2 else "HTTP/1.1")
                    for piece in stream.iter_raw():
                        hashed.update(piece)
                assert hashed.hexdigest() == expected


def test_a_reload_opens_the_folder_again_and_leaves_transfers_alone():
    with serving(ROUTES, prepare=fill) as balancer:
        with socket.create_connection(balancer.address, 20) as client:
            client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            received = client.recv(1000)
            (balancer.folder / "static").rename(balancer.folder / "before")
            (balancer.folder / "static").mkdir()
            (balancer.folder / "static/a.txt").write_text("after")
            assert ask(balancer).body == TEXT
            assert balancer.admin("/reload", "POST").status == 200
            assert ask(balancer).body == b"after"
            # Without its folder the configuration is not taken.
            shutil.rmtree(balancer.folder / "static")
            refused = balancer.admin("/reload", "POST")
            assert refused.status == 422 and b"static cannot be served: No such file" in refused.body
            while piece := client.recv(1 << 20):
                received += piece
        assert len(received.partition(b"\r\n\r\n")[2]) == BIG


def test_a_transfer_outlives_a_take_over():
    with serving(ROUTES, prepare=fill, keeps_address=True) as balancer:
        with socket.create_connection(balancer.address, 30) as client:
            client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            received = bytearray(client.recv(1000))
            old, balancer.process = balancer.process, balancer.launch("--takeover")
            assert ask(balancer).body == TEXT
            assert old.poll() is None
            while piece := client.recv(1 << 20):
                received += piece
            assert len(received.partition(b"\r\n\r\n")[2]) == BIG
        assert old.wait(40) == 0
        old.stdout.close()
