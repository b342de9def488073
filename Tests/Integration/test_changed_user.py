"""A reload that gives a group another user: what was started before serves its sessions on."""

import os
import pwd
import signal

import pytest

from balancer import serving, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
PROGRAM = """
import http.server, os, socket, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def address_string(self): return "-"
    def do_GET(self):
        body = b"%d %d" % (os.getpid(), os.getuid())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    def get_request(self):
        return self.socket.accept()[0], ("", 0)
class TCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
place = sys.argv[1]
server = UnixServer(place, Handler) if "/" in place else TCPServer(("127.0.0.1", int(place)), Handler)
server.serve_forever()
"""


@pytest.mark.parametrize("place", ["socket", "port"])
def test_sessions_stay_with_the_process_of_the_user_before(place):
    users = ["nobody", "daemon"]
    text = (f'[group.app]\ncommand = ["/usr/bin/python3", "app.py", "{{{place}}}"]\nuser = "{users[0]}"\n'
            'processes = 1\nthreads = 4\n')
    with serving(text, files={"app.py": PROGRAM}, prepare=lambda folder: folder.chmod(0o755)) as balancer:
        balancer.wait_ready("app", 1)
        first = balancer.request("/")
        pid, user = map(int, first.body.split())
        assert user == pwd.getpwnam(users[0]).pw_uid
        balancer.file.write_text(balancer.file.read_text().replace(users[0], users[1]))
        os.kill(balancer.process.pid, signal.SIGHUP)
        wait_until(lambda: int(balancer.request("/").body.split()[1]) == pwd.getpwnam(users[1]).pw_uid)
        for _ in range(3):
            again = balancer.request("/", cookie=first.cookie)
            assert again.status == 200 and int(again.body.split()[0]) == pid, again.body
