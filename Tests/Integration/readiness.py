"""How late Mooring finds out that a process is ready: from its listen(2) to its first request."""

from balancer import serving, wait_until

# The time between its listen(2) and the first bytes of a request, in milliseconds. A connection without
# a request is Mooring's way to find out whether the process listens.
MEASURE = """
import socket, time

def serve_first(listener, since):
    while True:
        connection, _ = listener.accept()
        with connection:
            if connection.recv(65536):
                body = str((time.monotonic() - since) * 1000).encode()
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
                                   % len(body) + body)
                return
"""

# Not in step with anything that looks from time to time.
COMMAND = MEASURE + """
import os, random, sys
time.sleep(0.1 + random.random() / 20)
if sys.argv[1] == "socket":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["MOORING_SOCKET"])
    listener.listen()
else:
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
since = time.monotonic()
while True:
    serve_first(listener, since)
"""

# The host program tells that it is ready before its server takes a connection. How long the server needs
# for that is no delay of Mooring's, so the first request is answered here, before the server has begun.
WSGI = MEASURE + """
plain_listen, plain_sendto = socket.socket.listen, socket.socket.sendto
listening = []

def listen(self, *backlog):
    plain_listen(self, *backlog)
    listening.append((self, time.monotonic()))

def sendto(self, data, *where):
    plain_sendto(self, data, *where)
    if data == b"READY=1":
        serve_first(*listening[0])

socket.socket.listen, socket.socket.sendto = listen, sendto

def application(environ, start_response):
    start_response("200 OK", [])
    return []
"""

KINDS = ["socket", "{socket}", "port", "{port}", "wsgiref", "gunicorn", "waitress"]


def group(kind):
    if kind in ("wsgiref", "gunicorn", "waitress"):
        return f'wsgi = "web.py"\nserver = "{kind}"\n'
    place = kind.strip("{}")
    words = ["python3", "-S", "command.py", place] + ([kind] if kind != place else [])
    return "command = " + str(words).replace("'", '"') + "\n"


def delays(kind, rounds):
    """In milliseconds, of that many starts that a request waits for, sorted."""
    found = []
    configuration = f"[limits]\nspawns_per_source = 0\n[group.app]\n{group(kind)}processes = {{ min = 0, max = 1 }}\n"
    with serving(configuration, files={"command.py": COMMAND, "web.py": WSGI}) as balancer:
        for _ in range(rounds + 1):
            found.append(float(balancer.request().body))
            process = balancer.group("app")["processes"][0]["id"]
            assert balancer.admin(f"/processes/{process}/stop", "POST").status < 300
            wait_until(lambda: not balancer.group("app")["processes"], what="the end of the process")
    # With its first start a balancer comes for the first time by most of its own code.
    return sorted(found[1:])
