"""Real proxies in front of a balancer, with upstream connections that they keep and share among their clients."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from balancer import wait_until

NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream mooring {{ server {address}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://mooring;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Real-IP $remote_addr;
    }}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:{port}
  default_backend mooring
backend mooring
  server one {address}
"""


@contextlib.contextmanager
def proxy(kind, balancer):
    """The address of the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
    folder.chmod(0o777)
    text = {"nginx": NGINX, "haproxy": HAPROXY}[kind].format(
        folder=folder, port=port, address="{}:{}".format(*balancer.address))
    (folder / "conf").write_text(text)
    words = {"nginx": ["nginx", "-p", str(folder), "-c", str(folder / "conf")],
             "haproxy": ["haproxy", "-db", "-f", str(folder / "conf")]}[kind]
    program = shutil.which(words[0], path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program, f"{kind} is not installed"
    process = subprocess.Popen([program, *words[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
    try:
        wait_until(listens, what=kind)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)
