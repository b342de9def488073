"""Starlette's and Django's own ways to stream, to listen and to end, under every server of ASGI."""

import json
import socket

import pytest

from asgi_host import SERVERS, connect, hosting
from wsgi_client import Client
from wsgi_host import wait_until

STARLETTE = '''
import asyncio, contextlib, json, sys, tempfile

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

seen = []

@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"shared": "of the lifespan"}
    print("the lifespan is over", flush=True)

async def index(request):
    return JSONResponse({
        "url": str(request.url), "link": str(request.url_for("item", number=3)), "state": request.state.shared,
        "client": request.client.host if request.client else None, "session": request.scope["mooring"]["session"]})

async def item(request):
    return RedirectResponse(request.url_for("index"))

async def endless(request):
    async def parts():
        try:
            number = 0
            while True:
                yield b"data: %d\\n\\n" % number
                number += 1
                await asyncio.sleep(0.01)
        finally:
            seen.append("ended")
    return StreamingResponse(parts(), media_type="text/event-stream")

async def silent(request):
    async def parts():
        try:
            yield b"first"
            await asyncio.sleep(1000)
        finally:
            seen.append("ended")
    return StreamingResponse(parts())

def synchronous(request):
    return StreamingResponse(b"%d;" % number for number in range(1000))

async def counted(request):
    length = 0
    async for part in request.stream():
        length += len(part)
    return JSONResponse(length)

async def broken(request):
    async def parts():
        yield b"first"
        raise RuntimeError("on purpose")
    return StreamingResponse(parts())

async def exiting(request):
    async def parts():
        yield b"first"
        sys.exit(3)
    return StreamingResponse(parts())

async def polled(request):
    seen.append("polling")
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)
    seen.append("ended")
    return Response()

async def file(request):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"z" * 300_000)
    return FileResponse(file.name)

async def told(request):
    return JSONResponse(seen)

async def behind(socket):
    await socket.accept()
    try:
        while True:
            await socket.send_text((await socket.receive_text()).upper())
    except WebSocketDisconnect as left:
        seen.append([left.code, left.reason])

class Adding(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-added"] = "1"
        return response

adding = [Middleware(Adding)]
app = Starlette(lifespan=lifespan, routes=[
    Route("/", index), Route("/item/{number}", item), Route("/endless", endless), Route("/silent", silent),
    Route("/synchronous", synchronous), Route("/counted", counted, methods=["POST"]), Route("/broken", broken),
    Route("/exiting", exiting), Route("/polled", polled), Route("/file", file), Route("/told", told),
    Route("/added", index, middleware=adding), Route("/endless-added", endless, middleware=adding),
    WebSocketRoute("/socket", behind)])
'''
FAILING = '''
import contextlib
from starlette.applications import Starlette

@contextlib.asynccontextmanager
async def lifespan(app):
    raise OSError("no database")
    yield

app = Starlette(lifespan=lifespan)
'''
DJANGO = {
    "mysite/__init__.py": "", "mysite/settings.py": '''
SECRET_KEY = "k"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
''', "mysite/asgi.py": '''
import os
from django.core.asgi import get_asgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_asgi_application()
''', "mysite/urls.py": '''
import asyncio
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

seen = []

def index(request):
    return JsonResponse({
        "path": request.path, "info": request.path_info, "link": reverse("told"), "secure": request.is_secure(),
        "client": request.META.get("REMOTE_ADDR"), "host": request.META["SERVER_NAME"],
        "session": request.scope["mooring"]["session"]})

async def told(request):
    return JsonResponse(seen, safe=False)

@csrf_exempt
def posted(request):
    return JsonResponse(dict(request.POST.items()) | {name: len(file.read()) for name, file in request.FILES.items()})

async def endless(request):
    async def parts():
        try:
            while True:
                yield b"part"
                await asyncio.sleep(0.01)
        finally:
            seen.append("ended")
    return StreamingHttpResponse(parts())

async def slow(request):
    seen.append("begun")
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        seen.append("ended")
        raise
    return HttpResponse("late")

def synchronous(request):
    return StreamingHttpResponse(iter([b"one ", b"two"]))

def failing(request):
    raise RuntimeError("on purpose")

urlpatterns = [
    path("", index), path("told", told, name="told"), path("posted", posted), path("endless", endless),
    path("slow", slow), path("synchronous", synchronous), path("failing", failing)]
'''}
MOUNTED = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /shop\r\nMooring-Session: abc\r\n"


@pytest.fixture(scope="module", params=SERVERS)
def starlette(request):
    with hosting(request.param, {"app.py": STARLETTE}) as host:
        yield host.wait_until_ready()


@pytest.fixture(scope="module", params=SERVERS)
def django(request):
    with hosting(request.param, DJANGO, app="mysite.asgi") as host:
        yield host.wait_until_ready()


def leave(host, path, until=lambda: True):
    """A client that leaves when it has had the first bytes, or when something is so."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(15)
        client.connect(host.socket)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if until is None:
            client.recv(100)
        else:
            wait_until(until)


def told(host):
    return json.loads(Client(host).ask("/told").body)


@pytest.mark.parametrize("path", ["/endless", "/silent", "/endless-added"])
def test_starlette_s_streams_end_when_the_client_leaves(starlette, path):
    before = len(told(starlette))
    leave(starlette, path, until=None)
    wait_until(lambda: told(starlette)[before:] == ["ended"])
    assert path not in starlette.log


def test_starlette_s_requests_know_that_the_client_has_left(starlette):
    before = len(told(starlette))
    leave(starlette, "/polled", until=lambda: told(starlette)[before:] == ["polling"])
    wait_until(lambda: told(starlette)[before:] == ["polling", "ended"])


def test_starlette_s_answers_are_whole(starlette):
    client = Client(starlette)
    assert client.ask("/synchronous").body.endswith(b"998;999;")
    assert client.ask("/file").body == b"z" * 300_000
    part = client.ask("/file", fields="Range: bytes=1-3\r\n")
    assert (part.status, part.body) == (206, b"zzz")
    assert client.ask("/file", method="HEAD").fields["content-length"] == "300000"
    body = b"5\r\nabcde\r\n0\r\n\r\n"
    assert client.ask("/counted", method="POST", fields="Transfer-Encoding: chunked\r\n", body=body).body == b"5"
    assert client.ask("/added").fields["x-added"] == "1"


@pytest.mark.parametrize("path, said", [("/broken", "RuntimeError: on purpose"), ("/exiting", "SystemExit: 3")])
def test_starlette_s_streams_that_fail_break_off(starlette, path, said):
    client = Client(starlette)
    answer = client.ask(path)
    assert (answer.status, answer.body, answer.is_whole) == (200, b"first", False)
    wait_until(lambda: said in starlette.log)
    assert client.ask("/told").status == 200


def test_starlette_s_links_stay_in_the_mount(starlette):
    told = json.loads(Client(starlette).ask("/", fields=MOUNTED).body)
    assert told == {
        "url": "https://x/shop/", "link": "https://x/shop/item/3", "state": "of the lifespan",
        "client": "203.0.113.9", "session": "abc"}
    assert Client(starlette).ask("/item/3", fields=MOUNTED).fields["location"] == "https://x/shop/"


def test_starlette_s_websockets_hear_of_the_close(starlette):
    with connect(starlette, "/socket") as connection:
        connection.send("word")
        assert connection.recv(timeout=15) == "WORD"
        connection.close(4000, "bye")
    # granian does not tell the reason.
    wait_until(lambda: told(starlette)[-1] == [4000, "" if starlette.server == "granian" else "bye"])


def test_starlette_s_lifespan_that_fails_is_told_with_its_traceback():
    with hosting("uvicorn", {"app.py": FAILING}) as host:
        assert host.process.wait(15) == 1
        lines = host.log.splitlines()
        assert lines[0] == "The application failed in its lifespan startup:" and "Traceback" in lines[1]
        assert lines[-1] == "OSError: no database"


@pytest.mark.parametrize("path, word", [("/endless", None), ("/slow", "begun")])
def test_django_s_views_end_when_the_client_leaves(django, path, word):
    before = len(told(django))
    leave(django, path, until=(lambda: told(django)[before:] == [word]) if word else None)
    wait_until(lambda: told(django)[before:][-1:] == ["ended"])
    assert path not in django.log


def test_django_s_answers_are_whole(django):
    client = Client(django)
    assert client.ask("/synchronous").body == b"one two"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    assert json.loads(client.ask("/posted", method="POST", fields=form + "Content-Length: 7\r\n", body=b"a=b&c=d").body) == {
        "a": "b", "c": "d"}
    file = (b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + b"y" * 3_000_000 + b"\r\n--x--\r\n")
    kind = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(file)}\r\n"
    assert json.loads(client.ask("/posted", method="POST", fields=kind, body=file).body) == {"f": 3_000_000}
    assert client.ask("/failing").status == 500


def test_django_s_links_stay_in_the_mount(django):
    told = json.loads(Client(django).ask("/", fields=MOUNTED).body)
    assert told == {
        "path": "/shop/", "info": "/", "link": "/shop/told", "secure": True, "client": "203.0.113.9", "host": "x",
        "session": "abc"}
