"""An application that uses ASGI in every way that it allows, and in some that it does not."""

import asyncio
import json
import os
import sys

TEXT = [(b"content-type", b"text/plain")]
seen = []
life = []
tasks = set()


async def start(send, status=200, headers=TEXT):
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def part(send, data, more=True):
    await send({"type": "http.response.body", "body": data, "more_body": more})


def whole(data, status=200, headers=TEXT):
    async def answer(scope, receive, send):
        await start(send, status, headers)
        await part(send, data, False)
    return answer


def parts(*pieces, status=200, headers=TEXT):
    async def answer(scope, receive, send):
        await start(send, status, headers)
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            await part(send, piece)
        await part(send, b"", False)
    return answer


def raising(problem):
    async def answer(scope, receive, send):
        raise problem
    return answer


def sending(*messages):
    async def answer(scope, receive, send):
        for message in messages:
            await send(message)
    return answer


def early(problem):
    async def answer(scope, receive, send):
        await start(send)
        raise problem
    return answer


def of_a_task(problem):
    """The failure of a task of its own, which the application waits for."""
    async def answer(scope, receive, send):
        async def fail():
            raise problem
        await asyncio.ensure_future(fail())
    return answer


async def after_end(scope, receive, send):
    await whole(b"whole")(scope, receive, send)
    seen.append((await receive())["type"])
    await part(send, b"more")


async def minimal(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


async def buffers(scope, receive, send):
    await start(send, headers=[[b"X-Of-Lists", b" kept "]])
    await part(send, bytearray(b"one "))
    await part(send, memoryview(b"two"), False)


async def duplex(scope, receive, send):
    """Answers each part of the request before the next one comes."""
    await start(send)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        await part(send, message["body"].upper())
        if not message.get("more_body"):
            return await part(send, b"", False)


async def listening(scope, receive, send):
    """Waits for the client to leave before it has said a word."""
    seen.append("listening")
    while (message := await receive())["type"] != "http.disconnect":
        pass
    seen.append(message["type"])


async def listening_while_sending(scope, receive, send):
    await start(send)
    await part(send, b"begun")
    seen.append("streaming")
    while (message := await receive())["type"] != "http.disconnect":
        pass
    seen.append(message["type"])


async def sending_for_ever(scope, receive, send):
    """Does not listen: what it sends has to fail, or it would never end."""
    seen.append("sending")
    await start(send)
    try:
        while True:
            await part(send, b"x" * 100)
            await asyncio.sleep(0.01)
    except OSError:
        seen.append("failed")
        raise


async def half_an_upload(scope, receive, send):
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            seen.append(f"cut after {length}")
            return
        length += len(message["body"])
        if not message.get("more_body"):
            seen.append(f"whole with {length}")
            return await whole(b"%d" % length)(scope, receive, send)
        seen.append(length)


async def waiting(scope, receive, send):
    """Until /open is asked for."""
    seen.append("waiting")
    while "open" not in seen:
        await asyncio.sleep(0.01)
    await whole(b"waited")(scope, receive, send)


async def opening(scope, receive, send):
    seen.append("open")
    await whole(b"")(scope, receive, send)


async def deaf(scope, receive, send):
    """Neither ends nor listens."""
    seen.append("deaf")
    await start(send)
    await part(send, b"begun")
    await asyncio.sleep(1000)


async def leaving_a_task(scope, receive, send):
    async def leave():
        sys.exit(4)
    tasks.add(asyncio.ensure_future(leave()))
    await whole(b"left")(scope, receive, send)


async def upload(scope, receive, send):
    length = 0
    while True:
        message = await receive()
        length += len(message.get("body", b""))
        if not message.get("more_body"):
            return await whole(b"%d" % length)(scope, receive, send)


async def tell(scope, receive, send):
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    scope["state"]["count"] = scope["state"].get("count", 0) + 1
    told = {name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in scope.items() if name != "headers"}
    told["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    told |= {"body": body.decode("latin-1"), "seen": seen, "pid": os.getpid(), "life": life}
    told["state"] = {name: repr(value) for name, value in scope["state"].items()}
    await whole(json.dumps(told, default=repr).encode())(scope, receive, send)


ROUTES = {
    "/plain": whole(b"a body"), "/404": whole(b"nothing here", 404), "/empty": whole(b""),
    "/parts": parts(b"a ", b"", b"body"), "/many": parts(*[b"%d;" % number for number in range(1000)]),
    "/large": whole(b"x" * (8 << 20)), "/minimal": minimal, "/buffers": buffers,
    "/sized": whole(b"a body", headers=TEXT + [(b"content-length", b"6")]),
    "/sized-parts": parts(b"a ", b"body", headers=TEXT + [(b"content-length", b"6")]),
    "/long": whole(b"more than that", headers=[(b"content-length", b"4")]),
    "/short": whole(b"less", headers=[(b"content-length", b"50")]),
    "/204": whole(b"a body", 204, [(b"content-length", b"6")]),
    "/304": whole(b"a body", 304, [(b"etag", b'"x"'), (b"content-length", b"6")]),
    "/hop-by-hop": whole(b"a body", headers=[(b"connection", b"close"), (b"transfer-encoding", b"chunked")]),
    "/server": whole(b"", headers=[(b"server", b"mine"), (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT")]),
    "/latin": whole(b"", headers=[(b"x-name", b"Jos\xc3\xa9"), (b"x-odd", b"Jos\xe9")]),
    "/raise": raising(RuntimeError("on purpose")), "/exit": raising(SystemExit(3)),
    "/interrupt": raising(KeyboardInterrupt()), "/generator-exit": raising(GeneratorExit()),
    "/cancelled": raising(asyncio.CancelledError()), "/memory": raising(MemoryError()),
    "/early": early(RuntimeError("on purpose")), "/task-exit": of_a_task(SystemExit(3)),
    "/silent": sending(), "/only-start": sending({"type": "http.response.start", "status": 200}),
    "/no-start": sending({"type": "http.response.body", "body": b"x"}),
    "/twice": sending({"type": "http.response.start", "status": 200}, {"type": "http.response.start", "status": 404}),
    "/unknown": sending({"type": "http.response.nonsense"}),
    "/bad-status": whole(b"", 20), "/interim": whole(b"", 100),
    "/bad-name": whole(b"", headers=[(b"bad name", b"x")]), "/bad-value": whole(b"", headers=[(b"x", b"a\r\ny: b")]),
    "/type": whole("text"),
    "/late": parts(b"first", RuntimeError("on purpose")), "/late-exit": parts(b"first", SystemExit(3)),
    "/late-sized": parts(b"first", RuntimeError("on purpose"), headers=[(b"content-length", b"50")]),
    "/never-ends": sending({"type": "http.response.start", "status": 200},
                           {"type": "http.response.body", "body": b"first", "more_body": True}),
    "/after-end": after_end, "/duplex": duplex, "/listening": listening,
    "/listening-while-sending": listening_while_sending, "/sending-for-ever": sending_for_ever,
    "/half": half_an_upload, "/waiting": waiting, "/open": opening, "/deaf": deaf, "/upload": upload,
    "/leaving-a-task": leaving_a_task,
}


# WebSockets: the path says what is done.

async def echo(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    protocols = scope["subprotocols"]
    await send({"type": "websocket.accept", "subprotocol": protocols[-1] if protocols else None,
                "headers": [(b"X-Of", b"accept"), (b"set-cookie", b"a=b; path=/")]})
    seen.append("open")
    while (message := await receive())["type"] == "websocket.receive":
        assert ("text" in message) != ("bytes" in message)
        await send({"type": "websocket.send", **{name: message[name] for name in ("text", "bytes") if name in message}})
    seen.append([message["code"], message["reason"]])
    try:
        await send({"type": "websocket.send", "text": "late"})
    except OSError:
        seen.append("not sent")


def accepting(*messages):
    async def answer(scope, receive, send):
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        for message in messages:
            if isinstance(message, BaseException):
                raise message
            await send(message)
    return answer


async def closing(scope, receive, send):
    await accepting({"type": "websocket.close", "code": 4001, "reason": "enough"})(scope, receive, send)
    seen.append((await receive())["code"])


async def closing_while_receiving(scope, receive, send):
    async def listen():
        while (message := await receive())["type"] != "websocket.disconnect":
            pass
        seen.append(message["code"])

    await accepting()(scope, receive, send)
    listener = asyncio.ensure_future(listen())
    await asyncio.sleep(0.05)
    await send({"type": "websocket.close", "code": 4002})
    await listener


async def only_sending(scope, receive, send):
    await accepting()(scope, receive, send)
    try:
        while True:
            await send({"type": "websocket.send", "text": "x" * 100})
            await asyncio.sleep(0.01)
    except OSError:
        seen.append("failed")
        raise


SOCKETS = {
    "/only-sending": only_sending,
    "/close-while-receiving": closing_while_receiving,
    "/echo": echo, "/close": closing, "/close-plain": accepting({"type": "websocket.close"}),
    "/return": accepting(), "/raise": accepting(RuntimeError("on purpose")), "/exit": accepting(SystemExit(3)),
    "/reject": sending({"type": "websocket.close"}), "/silent": sending(),
    "/raise-early": raising(RuntimeError("on purpose")), "/exit-early": raising(SystemExit(3)),
    "/deny": sending(
        {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"login")]},
        {"type": "websocket.http.response.body", "body": b"who ", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"are you?"}),
    "/wrong": accepting({"type": "websocket.send"}),
    "/not-offered": sending({"type": "websocket.accept", "subprotocol": "other"}),
}


async def tell_socket(scope, receive, send):
    told = {name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in scope.items() if name not in ("headers", "state")}
    await accepting({"type": "websocket.send", "text": json.dumps(told, default=repr)})(scope, receive, send)
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def lifespan(scope, receive, send):
    while True:
        kind = (await receive())["type"]
        life.append(kind)
        if kind == "lifespan.startup":
            scope["state"]["shared"] = "of the lifespan"
        else:
            print("the lifespan is over", flush=True)
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await SOCKETS.get(scope["path"].removeprefix(scope["root_path"]), tell_socket)(scope, receive, send)
    else:
        await ROUTES.get(scope["path"].removeprefix(scope["root_path"]), tell)(scope, receive, send)
