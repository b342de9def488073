"""Bodies without a length: those that fit the request buffer reach the application with one."""

import json

import pytest

import http2
from balancer import serving
from origin import Origin

DJANGO = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

def index(request):
    return JsonResponse({
        "post": request.POST, "length": request.META.get("CONTENT_LENGTH", ""),
        "coding": request.META.get("HTTP_TRANSFER_ENCODING", "")})

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="k", DEBUG=False, MIDDLEWARE=[])
urlpatterns = [path("", index)]
application = get_wsgi_application()
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module", params=["granian", "gunicorn", "waitress", "wsgiref"])
def django(request):
    group = f'[group.site]\nwsgi = "app.py"\nserver = "{request.param}"\n[routes]\n"/" = "site"\n'
    with serving(group, files={"app.py": DJANGO}) as balancer:
        balancer.wait_ready("site", 1)
        yield balancer


def test_a_chunked_form_is_a_form(django):
    told = django.request("/", "POST", body=iter([b"a=1&", b"b=2"]), headers=FORM).json()
    assert told == {"post": {"a": "1", "b": "2"}, "length": "7", "coding": ""}


def test_a_form_over_http2_without_a_length_is_a_form(django):
    with http2.Connection(django.address) as connection:
        stream = connection.ask(
            http2.request("/", "POST", "a", ("content-type", FORM["Content-Type"])), end=False)
        connection.send(http2.frame(http2.DATA, 0, stream, b"a=1&") + http2.frame(http2.DATA, 1, stream, b"b=2"))
        told = json.loads(connection.wait(stream).body)
    assert told == {"post": {"a": "1", "b": "2"}, "length": "7", "coding": ""}


class Recorder(Origin):
    """A server that answers with what the request's framing was."""

    def serve(self, connection):
        with connection, connection.makefile("rb") as reader:
            while line := reader.readline():
                told = json.dumps(self.framing(reader)).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told)
                                   + (b"" if line.startswith(b"HEAD") else told))

    @staticmethod
    def framing(reader):
        fields = Recorder.fields(reader)
        told = {"length": fields.get("content-length"), "coding": fields.get("transfer-encoding"),
                "chunks": 0, "trailers": {}}
        body = b""
        if told["length"] is not None:
            body = reader.read(int(told["length"]))
        elif told["coding"]:
            while size := int(reader.readline(), 16):
                body += reader.read(size)
                assert reader.read(2) == b"\r\n"
                told["chunks"] += 1
            told["trailers"] = Recorder.fields(reader)
        return told | {"size": len(body), "is_right": body == pattern(len(body))}

    @staticmethod
    def fields(reader):
        lines = iter(reader.readline, b"\r\n")
        return {name.lower(): value.strip() for name, _, value in (line.decode().partition(":") for line in lines)}


def pattern(size):
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


def chunked(size, piece, trailers=""):
    body = pattern(size)
    pieces = [body[at:at + piece] for at in range(0, size, piece)]
    return b"".join(b"%x\r\n%b\r\n" % (len(data), data) for data in pieces) + f"0\r\n{trailers}\r\n".encode()


@pytest.fixture(scope="module")
def balancer():
    recorder = Recorder()
    group = f'[group.site]\nservers = [{recorder.server}]\nthreads = 50\n'
    with serving(group + '[limits]\nrequest_buffer = "64KiB"\n[routes]\n"/" = "site"\n') as balancer:
        yield balancer
    recorder.listener.close()


def post(balancer, body, fields=""):
    head = f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{fields}\r\n"
    out = balancer.raw(head.encode() + body, seconds=20)
    assert out.startswith(b"HTTP/1.1 200 "), out[:300]
    return json.loads(out.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("size, piece", [(0, 1), (1, 1), (5000, 1), (40_000, 1000), (60_000, 60_000)])
def test_a_body_that_fits_the_buffer_has_a_length(balancer, size, piece):
    told = post(balancer, chunked(size, piece))
    assert told == {
        "length": str(size), "coding": None, "chunks": 0, "trailers": {}, "size": size, "is_right": True}


@pytest.mark.parametrize("size, piece", [
    (64 * 1024, 4096), (100_000, 1), (100_000, 997), (300_000, 300_000), (2_000_000, 65_536)])
def test_a_larger_body_stays_in_chunks(balancer, size, piece):
    told = post(balancer, chunked(size, piece))
    assert (told["size"], told["is_right"]) == (size, True)
    if size > 80_000:
        assert (told["length"], told["coding"]) == (None, "chunked")


@pytest.mark.parametrize("size", [0, 1, 5000, 60_000, 200_000])
def test_trailers_are_kept(balancer, size):
    told = post(balancer, chunked(size, 4096, "X-Sum: 12\r\n"), "Trailer: X-Sum\r\n")
    assert (told["size"], told["is_right"], told["trailers"]) == (size, True, {"x-sum": "12"})


def test_a_length_that_came_is_sent(balancer):
    told = balancer.request("/", "POST", body=pattern(100_000)).json()
    assert (told["length"], told["coding"], told["is_right"]) == ("100000", None, True)
