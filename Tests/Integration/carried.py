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
