"""A backend that keeps its sessions in memory and misbehaves when it is asked to.

Every request that reaches it is one line of the file `deliveries` beside it, so a driver can tell what
was delivered, to whom, and how often.
"""

import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

HERE = os.path.dirname(os.path.abspath(__file__))
# Of two processes with one number this tells which, in a long run.
BORN = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
DELIVERIES = os.open(f"{HERE}/deliveries", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
sessions = {}
poured = [0]
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = False

    def log_message(self, *_):
        pass

    def address_string(self):
        return "-"

    def do_GET(self):
        action = self.path.split("?")[0].rsplit("/", 1)[-1]
        if action == "health":
            return self.say({})
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        session = self.headers.get("Mooring-Session", "-")
        nonce = self.headers.get("X-Nonce", "-")
        os.write(DELIVERIES, f"{os.getpid()} {BORN} {session} {self.command} {nonce}\n".encode())
        with lock:
            sessions[session] = sessions.get(session, 0) + 1
        getattr(self, f"do_{action.replace('-', '_')}", self.do_page)()

    do_POST = do_GET

    def say(self, facts, status=200, pin=None):
        body = json.dumps(facts).encode()
        self.send_response(status)
        if pin:
            self.send_header("Mooring-Pin", pin)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def facts(self):
        session = self.headers.get("Mooring-Session", "-")
        return {"pid": os.getpid(), "born": BORN, "session": session, "count": sessions.get(session, 0),
                "affinity": self.headers.get("Mooring-Affinity", ""), "length": len(self.body),
                "nonce": self.headers.get("X-Nonce", ""),
                "client": self.headers.get("X-Forwarded-For", "")}

    def do_stay(self):
        """The session must last, however long it is idle."""
        self.say(self.facts(), pin="hold=1h")

    def do_page(self):
        self.say(self.facts())

    def do_hold(self):
        time.sleep(float(self.headers.get("X-Seconds", "0.5")))
        self.say(self.facts())

    def do_die_before(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_die_in_length(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        self.wfile.flush()
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    def do_die_in_chunk(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 500)
        self.wfile.flush()
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    def do_big(self):
        body = b"y" * 3_000_000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_hints(self):
        """Early hints without end, and no answer."""
        hint = b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"x" * 8000 + b">\r\n\r\n"
        while True:
            self.wfile.write(hint)

    def do_family(self):
        """A child, and a grandchild that leaves the process group and its parent."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                os.setsid()
                os.write(writer, f"{os.getpid()} ".encode())
                os.execvp("sleep", ["sleep", "1000"])
            os._exit(0)
        os.waitpid(child, 0)
        helper = os.fork()
        if helper == 0:
            os.execvp("sleep", ["sleep", "1000"])
        stray = int(os.read(reader, 100).split()[0])
        os.close(reader)
        os.close(writer)
        self.say({**self.facts(), "family": [helper, stray]})

    def do_flood(self):
        for line in range(20_000):
            sys.stderr.write(f"line {line} of a flood that nobody wants to read\n")
        sys.stderr.flush()
        self.say(self.facts())

    def do_eat(self):
        """More memory than it may have; like most programs it does not survive that."""
        try:
            self.say({"length": len(b"x" * (400 << 20))})
        except MemoryError:
            os.abort()

    def do_pour(self):
        """Goes on for ever: `X-Rate` lines a second, 0: as many as there is room for."""
        def write(rate):
            due = time.monotonic()
            while True:
                for _ in range(rate // 100 or 1000):
                    os.write(2, b"something went wrong, and nobody wants to read of it\n")
                    poured[0] += 1
                due += 0.01
                if rate:
                    time.sleep(max(0, due - time.monotonic()))
        threading.Thread(target=write, args=[int(self.headers.get("X-Rate", 0))], daemon=True).start()
        self.say(self.facts())

    def do_poured(self):
        """How many lines have been written."""
        self.say({"lines": poured[0]})

    def do_last(self):
        """Answers well, and ends."""
        self.say(self.facts())
        self.close_connection = True
        threading.Timer(0.01, lambda: os._exit(1)).start()

    def do_deaf(self):
        stubborn.set()
        self.say(self.facts())

    def do_unlink(self):
        os.unlink(os.environ["MOORING_SOCKET"])
        self.say(self.facts())

    def do_descriptors(self):
        found = {}
        for name in os.listdir("/proc/self/fd"):
            try:
                found[name] = os.readlink(f"/proc/self/fd/{name}")
            except OSError:
                pass
        self.say({**self.facts(), "descriptors": found})

    def do_tunnel(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                         b"Upgrade: echo\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True
        while piece := self.connection.recv(4096):
            self.connection.sendall(f"{os.getpid()} ".encode() + piece)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


stubborn = threading.Event()


def stop(*_):
    if not stubborn.is_set():
        os._exit(0)


def misbehave():
    """As the file `odd` beside it requests, if this is the odd group."""
    if os.environ.get("MOORING_GROUP") != "odd":
        return
    try:
        how = open(f"{HERE}/odd").read().strip()
    except FileNotFoundError:
        return
    if how == "exit":
        print("the database is missing", file=sys.stderr, flush=True)
        sys.exit(1)
    if how == "hang":
        signal.signal(signal.SIGTERM, stop)
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "1000"])
        while True:
            time.sleep(1000)
    if how == "crash":
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    misbehave()
    Server(os.environ["MOORING_SOCKET"], Handler).serve_forever()
