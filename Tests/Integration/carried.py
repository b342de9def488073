"""Applications that name their sessions themselves, for clients without cookies."""

# As a server of the Model Context Protocol over streamable HTTP treats its sessions: a POST without an id begins one,
# DELETE ends it, and an id that the process does not know is answered 404.
MCP = """
import json, os, uuid

sessions = {}

def application(environ, start_response):
    known = environ.get("HTTP_MCP_SESSION_ID")
    method = environ["REQUEST_METHOD"]
    if known is None and method == "POST":
        known = uuid.uuid4().hex
        sessions[known] = 0
    if known not in sessions:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    fields = [("mcp-session-id", known)]
    if method == "DELETE":
        del sessions[known]
        start_response("200 OK", fields + [("Content-Length", "0")])
        return []
    sessions[known] += 1
    body = json.dumps({
        "pid": os.getpid(), "id": known, "count": sessions[known],
        "session": environ.get("HTTP_MOORING_SESSION", ""), "affinity": environ.get("HTTP_MOORING_AFFINITY", ""),
    }).encode()
    if method == "GET":
        start_response("200 OK", fields + [("Content-Type", "text/event-stream")])
        return stream(body)
    start_response("200 OK", fields + [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]

def stream(body):
    yield b"data: " + body + b"\\n\\n"
    while not os.path.exists("over"):
        yield b": ping\\n\\n"
        import time; time.sleep(0.05)
"""

# As a Socket.IO server treats its `sid`: the first request's body announces one, further requests and the WebSocket bring
# it in the query, and one that the process does not know is answered 400. /new leads to a session in the path.
IDS = """
import json, os, uuid
from urllib.parse import parse_qs

sessions = {}

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    sid = parse_qs(scope["query_string"].decode()).get("sid", [None])[0]
    path = scope["path"].split("/")
    if path[1] == "session":
        sid = path[2]
    if scope["type"] == "websocket":
        await receive()
        if sid not in sessions:
            return await send({"type": "websocket.close"})
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": str(os.getpid())})
        await receive()
        return
    fields, status = [], 200
    if sid is None:
        sid = uuid.uuid4().hex
        sessions[sid] = 0
        body = '0{"sid":"%s","upgrades":["websocket"],"pid":%d}' % (sid, os.getpid())
        if path[1] == "new":
            status, body, fields = 303, str(os.getpid()), [(b"location", b"/session/%s/" % sid.encode())]
    elif sid in sessions:
        sessions[sid] += 1
        body = json.dumps({"pid": os.getpid(), "count": sessions[sid]})
    else:
        status, body = 400, "unknown"
    fields += [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body.encode()})
"""
