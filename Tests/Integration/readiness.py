"""How late Mooring finds out that a process is ready: from its listen(2) to its first request."""

from balancer import serving

# The time between its listen(2) and the first bytes of a request, in milliseconds.
COMMAND = """
import os, socket, sys, time
time.sleep(float(sys.argv[2]))
if sys.argv[1] == "socket":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["MOORING_SOCKET"])
    listener.listen()
else:
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
since = time.monotonic()
while True:
    connection, _ = listener.accept()
    if connection.recv(65536):
        body = str((time.monotonic() - since) * 1000).encode()
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
                           + body)
    connection.close()
"""

WSGI = """
import socket, time

since = []
plain = socket.socket.listen

def listen(self, *backlog):
    plain(self, *backlog)
    since.append(time.monotonic())

socket.socket.listen = listen

def application(environ, start_response):
    body = str((time.monotonic() - since[0]) * 1000).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

KINDS = ["socket", "{socket}", "port", "{port}", "wsgiref", "gunicorn", "waitress"]


def group(kind, delay):
    if kind in ("wsgiref", "gunicorn", "waitress"):
        return f'wsgi = "web.py"\nserver = "{kind}"\n'
    place = kind.strip("{}")
    words = ["python3", "-S", "command.py", place, f"{delay:.4f}"] + ([kind] if kind != place else [])
    return "command = " + str(words).replace("'", '"') + "\n"


def delays(kind, rounds):
    """In milliseconds, of that many starts that a request waits for, sorted."""
    found = []
    for number in range(rounds):
        # Not in step with anything that looks from time to time.
        configuration = f"[group.app]\n{group(kind, 0.1 + 0.0031 * number)}processes = {{ min = 0, max = 1 }}\n"
        with serving(configuration, files={"command.py": COMMAND, "web.py": WSGI}) as balancer:
            found.append(float(balancer.request().body))
    return sorted(found)
