"""FastCGI to php-fpm: the same responses as nginx's fastcgi_pass gives, over 60 requests."""

import binascii
import contextlib
import http.client
import json
import re
import socket
import threading
import zlib

import pytest

import php
from balancer import serving
MULTIPART = (b"--x\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n"
             b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n"
             b"Content-Type: a/b\r\n\r\n" + bytes(range(256)) * 500 + b"\r\n--x--\r\n")


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# Method, target, more field lines, and the body.
CORPUS = [
    # Methods.
    ("GET", "/echo.php", [], b""), ("HEAD", "/echo.php", [], b""), ("POST", "/echo.php", [], b""),
    ("PUT", "/echo.php", [], b"put"), ("DELETE", "/echo.php", [], b""), ("PATCH", "/echo.php", [], b"patch"),
    ("OPTIONS", "/echo.php", [], b""), ("PROPFIND", "/echo.php", ["Depth: 1"], b"<x/>"),
    ("GET", "/echo.php", [], b"a body of GET"), ("HEAD", "/answer.php?what=big", [], b""),
    # Paths, and what is left of them for the script.
    ("GET", "/echo.php/a/b", [], b""), ("GET", "/echo.php/", [], b""), ("GET", "/echo.php/a%20b/%C3%A9?x=1", [], b""),
    ("GET", "/echo.php/a//b", [], b""), ("GET", "//echo.php", [], b""), ("GET", "/echo.php?a=1&b[]=2&b[]=3", [], b""),
    ("GET", "/echo.php?", [], b""), ("GET", "/echo.php?a=%00%ff+%2B&=x", [], b""), ("GET", "/%65cho.php", [], b""),
    ("GET", "/dir/../echo.php", [], b""), ("GET", "/./echo.php", [], b""), ("GET", "/a%20b.php", [], b""),
    ("GET", "/dir/nothing/", [], b""), ("GET", "/dir/sub/echo.php/x", [], b""),
    ("GET", "/", [], b""), ("GET", "/dir/", [], b""), ("GET", "/dir/?q=1", [], b""), ("GET", "/dir", [], b""),
    ("GET", "/dir?q=1", [], b""), ("POST", "/dir/", [], b"posted"),
    # What is no script.
    ("GET", "/no.php", [], b""), ("GET", "/no.php/echo.php", [], b""), ("GET", "/up.jpg/echo.php", [], b""),
    ("GET", "/dir/no.php/", [], b""), ("GET", "/nowhere/at/all", [], b""), ("POST", "/no.php", [], b"for nobody"),
    # Bodies.
    ("POST", "/echo.php", ["Content-Type: application/x-www-form-urlencoded"], b"a=1&b=%C3%A9&c[x]=y"),
    ("POST", "/echo.php", ["Content-Type: multipart/form-data; boundary=x"], MULTIPART),
    ("POST", "/echo.php", ["Content-Type: application/json"], b"{}"), ("POST", "/echo.php", [], bytes(300_000)),
    ("POST", "/sink.php", [], b"x" * 3_000_000),
    ("POST", "/echo.php", ["Transfer-Encoding: chunked"], chunked(b"hello", b" ", b"world")),
    ("POST", "/echo.php", ["Expect: 100-continue"], b"expected"),
    # Fields.
    ("GET", "/echo.php", ["X-Odd:   spaces  ", "x-lower: b", "X-Empty:", "X-Long: " + "v" * 6000], b""),
    ("GET", "/echo.php", ["X_Under: 1", "X.Dot: 2", "Proxy: http://evil.example", "X-Tab: a\tb"], b""),
    ("GET", "/echo.php", ["Cookie: a=1; b=2", "Authorization: Basic dXNlcjpwYXNz", "Accept: */*"], b""),
    ("GET", "/echo.php", ["Script-Filename: /etc/passwd", "Remote-Addr: 6.6.6.6", "Https: on"], b""),
    # Responses.
    ("GET", "/answer.php?what=status&code=404", [], b""), ("GET", "/answer.php?what=status&code=500", [], b""),
    ("GET", "/answer.php?what=status&code=204", [], b""), ("GET", "/answer.php?what=status&code=304", [], b""),
    ("GET", "/answer.php?what=reason", [], b""), ("GET", "/answer.php?what=location&to=http://a.example/x", [], b""),
    ("GET", "/answer.php?what=location&to=/local", [], b""), ("GET", "/answer.php?what=cookies", [], b""),
    ("GET", "/answer.php?what=length", [], b""), ("GET", "/answer.php?what=big", [], b""),
    ("GET", "/answer.php?what=flush", [], b""), ("GET", "/answer.php?what=nul", [], b""),
    ("GET", "/answer.php?what=exit", [], b""),
]
# What each server says of itself, and of its own connection to the client.
OWN = re.compile(r"^(HTTP_(VIA|X_FORWARDED_.*|X_REQUEST_ID|TRACEPARENT|MOORING_.*|CONNECTION|EXPECT|TRANSFER_ENCODING|CONTENT_TYPE|CONTENT_LENGTH)"
                 r"|SERVER_(SOFTWARE|NAME|PORT)|REMOTE_PORT|REQUEST_TIME.*|HOME|USER|FCGI_ROLE|PATH_TRANSLATED"
                 r"|HTTP_HOST|PATH|HOSTNAME|LANG.*)$")
SAME = ["content-type", "location", "x-made", "x-a", "x-bytes", "x-exit", "x-powered-by", "etag"]


@pytest.fixture(scope="module")
def servers():
    with php.folder() as place:
        root = php.write_scripts(place / "root")
        with php.fpm(place) as listen, php.nginx(place, root, listen) as reference:
            configuration = (
                f'[group.php]\nprotocol = "fastcgi"\nservers = ["unix:{listen}"]\nthreads = 2\n'
                f'fastcgi = {{ root = "{root}" }}\naffinity = {{ pin = "never" }}\n')
            with serving(configuration) as balancer:
                yield balancer, reference


def ask(address, method, target, fields, body):
    with contextlib.closing(socket.create_connection(address, 20)) as connection:
        lines = [f"{method} {target} HTTP/1.1", "Host: example.org", "Connection: close", *fields]
        if not any(line.startswith("Transfer-Encoding") for line in fields) and (body or method in ("POST", "PUT")):
            lines.append(f"Content-Length: {len(body)}")
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            connection.sendall(body)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        return response, response.read()


def seen(answer):
    """What a client can tell of an answer, but for what each server says of itself."""
    response, body = answer
    fields = {name: response.headers.get_all(name) for name in SAME if name in response.headers}
    cookies = [c for c in response.headers.get_all("Set-Cookie", []) if not c.startswith("mooring=")]
    if response.headers.get_content_type() == "application/json" and body:
        document = json.loads(body)
        document["server"] = {
            name: binascii.unhexlify(value) for name, value in document["server"].items() if not OWN.match(name)}
        body = document
    elif response.status in (301, 404) and "x-made" not in fields:
        # A page of the server's own.
        body, fields = None, {name: fields[name] for name in fields if name == "location"}
    return response.status, fields, cookies, body


def test_the_corpus_has_sixty_requests():
    assert len(CORPUS) == 60


@pytest.mark.parametrize("request_", CORPUS, ids=lambda r: f"{r[0]} {r[1]}"[:60])
def test_the_response_is_the_one_that_nginx_gives(servers, request_):
    balancer, reference = servers
    assert seen(ask(balancer.address, *request_)) == seen(ask(reference, *request_))


def test_fields_of_one_name_are_one_parameter(servers):
    """nginx sends them one by one up to 1.22, so that PHP knows the last alone; RFC 3875 asks for all."""
    response, body = ask(servers[0].address, "GET", "/echo.php", ["X-A: 1", "X-A: 2", "Cookie: a=1", "Cookie: b=2"], b"")
    told = json.loads(body)
    assert binascii.unhexlify(told["server"]["HTTP_X_A"]) == b"1, 2"
    assert told["cookies"] == {"a": "1", "b": "2"}


def peak(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) >> 10


@pytest.mark.alone
@pytest.mark.parametrize("length", ["told", "not told"])
def test_an_upload_of_a_gibibyte_takes_no_memory(length):
    """With a length to PHP; without one to a program that reads up to the end."""
    piece, count = bytes(range(256)) * 4096, 1024
    with php.folder() as place, contextlib.ExitStack() as parts:
        root = php.write_scripts(place / "root")
        if length == "told":
            listen = parts.enter_context(php.fpm(place, reads="off"))
        else:
            listen = str(place / "sink.sock")
            parts.enter_context(Sink(listen))
        script = f'root = "{root}"' if length == "told" else ""
        configuration = (f'[group.php]\nprotocol = "fastcgi"\nservers = ["unix:{listen}"]\n'
                         f"fastcgi = {{ {script} }}\n")
        with serving(configuration) as balancer:
            ask(balancer.address, "POST", "/sink.php", [], b"warm")
            before = peak(balancer.pid)
            with contextlib.closing(socket.create_connection(balancer.address, 60)) as connection:
                framing = f"Content-Length: {len(piece) * count}" if length == "told" else "Transfer-Encoding: chunked"
                connection.sendall(f"POST /sink.php HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
                frame = piece if length == "told" else b"%x\r\n%s\r\n" % (len(piece), piece)
                for _ in range(count):
                    connection.sendall(frame)
                if length != "told":
                    connection.sendall(b"0\r\n\r\n")
                response = http.client.HTTPResponse(connection)
                response.begin()
                told = response.read().decode().split()
            assert (response.status, int(told[0])) == (200, len(piece) * count)
            if length == "told":
                checksum = 0
                for _ in range(count):
                    checksum = zlib.crc32(piece, checksum)
                assert told[1:] == [f"{checksum:08x}", str(len(piece) * count)]
            assert peak(balancer.pid) - before < 16, "MiB"


class Sink:
    """Counts the bytes of a body up to its end, without PHP."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        reader, count = connection.makefile("rb"), 0
        while header := reader.read(8):
            length, padding = int.from_bytes(header[4:6], "big"), header[6]
            reader.read(length + padding)
            if header[1] != 5:
                continue
            count += length
            if length == 0:
                body = b"Content-Type: text/plain\r\n\r\n%d" % count
                connection.sendall(b"\1\6\0\1" + len(body).to_bytes(2, "big") + b"\0\0" + body
                                   + b"\1\3\0\1\0\x08\0\0" + bytes(8))
                count = 0
