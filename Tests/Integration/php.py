"""PHP as FastCGI processes, nginx in front of it as the reference, and scripts that both run."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from balancer import wait_until

SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
# What it was asked, as far as the server decides it.
ECHO = """<?php
header("Content-Type: application/json");
$fields = [];
foreach ($_SERVER as $name => $value) if (is_string($value) && $value !== "") $fields[$name] = bin2hex($value);
$body = file_get_contents("php://input");
$files = [];
foreach ($_FILES as $name => $file) $files[$name] = [$file["name"], $file["size"], md5_file($file["tmp_name"])];
echo json_encode(["server" => $fields, "get" => $_GET, "post" => $_POST, "files" => $files,
    "cookies" => $_COOKIE, "length" => strlen($body), "body" => md5($body)], JSON_INVALID_UTF8_SUBSTITUTE), "\\n";
"""
# A response of any kind, by the query.
ANSWER = """<?php
$what = $_GET["what"] ?? "";
switch ($what) {
case "status": http_response_code((int)$_GET["code"]); header("X-Made: by PHP"); echo "status"; break;
case "reason": header("HTTP/1.1 418 I am a teapot"); echo "short and stout"; break;
case "location": header("Location: " . $_GET["to"]); break;
case "cookies": setcookie("a", "1"); setcookie("b", "2", 0, "/x"); header("X-A: 1"); header("X-A: 2", false); break;
case "length": header("Content-Length: 5"); echo "12345"; break;
case "type": header("Content-Type: text/plain; charset=x"); echo "plain"; break;
case "notype": header_remove("Content-Type"); ini_set("default_mimetype", ""); echo "none"; break;
case "empty": break;
case "big": for ($i = 0; $i < 300; $i++) echo str_repeat(chr(65 + $i % 26), 1000); break;
case "flush": for ($i = 0; $i < 5; $i++) { echo "part $i\\n"; flush(); } break;
case "nul": header("X-Bytes: \\xc3\\xa9"); echo "a\\0b\\xff"; break;
case "hop": header("Connection: close"); header("Keep-Alive: timeout=1"); echo "hop"; break;
case "cache": header("ETag: \\"x\\""); header("Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT"); echo "cached"; break;
case "warn": error_log("said on stderr"); echo "warned"; break;
case "exit": header("X-Exit: 1"); echo "before"; exit(3);
default: echo "answer";
}
"""
# Counts what it is sent without keeping it.
SINK = """<?php
$in = fopen("php://input", "rb");
$count = 0; $hash = hash_init("crc32b");
while (!feof($in)) { $piece = fread($in, 1 << 16); $count += strlen($piece); hash_update($hash, $piece); }
echo $count, " ", hash_final($hash), " ", $_SERVER["CONTENT_LENGTH"] ?? "none";
"""
SCRIPTS = {
    "index.php": "<?php echo 'front page of ', $_SERVER['SCRIPT_NAME'], '|', $_SERVER['PATH_INFO'] ?? '';",
    "echo.php": ECHO, "answer.php": ANSWER, "sink.php": SINK, "dir/index.php": ECHO, "dir/sub/echo.php": ECHO,
    "a b.php": ECHO, "folder.php/in.php": ECHO, "up.jpg": "<?php echo 'run as a script';",
}
FPM = """
[global]
daemonize = no
error_log = {folder}/fpm.log
[www]
listen = {listen}
listen.mode = 0666
pm = static
pm.max_children = {children}
{account}
php_admin_flag[log_errors] = on
php_admin_value[error_log] =
php_admin_value[post_max_size] = 2G
php_admin_value[upload_max_filesize] = 2G
php_admin_value[memory_limit] = 64M
php_admin_flag[enable_post_data_reading] = {reads}
"""
NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{account}
events {{ worker_connections 64; }}
http {{
  access_log off;
  default_type application/octet-stream;
  absolute_redirect off;
  client_max_body_size 0;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    root {root};
    index index.php;
    location / {{ try_files $uri $uri/ =404; }}
    location ~ [^/]\\.php(/|$) {{
      fastcgi_split_path_info ^(.+?\\.php)(/.*)?$;
      if (!-f $document_root$fastcgi_script_name) {{ return 404; }}
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param SCRIPT_NAME $fastcgi_script_name;
      fastcgi_param PATH_INFO $fastcgi_path_info if_not_empty;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param DOCUMENT_URI $document_uri;
      fastcgi_param DOCUMENT_ROOT $document_root;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
      fastcgi_param REQUEST_SCHEME $scheme;
      fastcgi_param HTTPS $https if_not_empty;
      fastcgi_param GATEWAY_INTERFACE CGI/1.1;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param SERVER_ADDR $server_addr;
      fastcgi_param REDIRECT_STATUS 200;
      fastcgi_pass unix:{socket};
    }}
  }}
}}
"""


def program(name):
    found = next((path for path in map(lambda n: shutil.which(n, path=SBIN), name) if path), None)
    assert found, f"{name[0]} is not installed"
    return found


def fpm_program():
    return program(["php-fpm", "php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm8.1"])


def cgi_program():
    return program(["php-cgi", "php-cgi8.2"])


def write_scripts(root, scripts=SCRIPTS):
    for name, text in scripts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def fpm_configuration(folder, listen, children=2, reads="on"):
    account = "user = root\ngroup = root" if os.geteuid() == 0 else ""
    return FPM.format(folder=folder, listen=listen, children=children, account=account, reads=reads)


def fpm_words(file):
    return [fpm_program(), "-F", "-y", str(file), *(["-R"] if os.geteuid() == 0 else [])]


@contextlib.contextmanager
def folder():
    path = Path(tempfile.mkdtemp(prefix="m-php-", dir="/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def running(words, listens, **options):
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        wait_until(lambda: process.poll() is not None or listens(), what=words[0])
        assert process.poll() is None, f"{words[0]} ended with {process.returncode}"
        yield process
    finally:
        process.terminate()
        process.wait(10)


def accepts(family, address):
    with contextlib.suppress(OSError), socket.socket(family) as client:
        client.connect(address)
        return True


@contextlib.contextmanager
def fpm(place, listen=None, **options):
    """php-fpm with a pool of its own; where it listens."""
    listen = listen or str(place / "fpm.sock")
    (place / "fpm.conf").write_text(fpm_configuration(place, listen, **options))
    if listen.startswith("/"):
        family, address = socket.AF_UNIX, listen
    else:
        family, address = socket.AF_INET, ("127.0.0.1", int(listen.rpartition(":")[2]))
    with running(fpm_words(place / "fpm.conf"), lambda: accepts(family, address)):
        yield listen


@contextlib.contextmanager
def nginx(place, root, fpm_socket):
    """nginx with fastcgi_pass; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = "user root;" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(
        NGINX.format(folder=place, port=port, root=root, socket=fpm_socket, account=account))
    words = [program(["nginx"]), "-p", str(place), "-c", str(place / "nginx.conf")]
    with running(words, lambda: accepts(socket.AF_INET, ("127.0.0.1", port))):
        yield "127.0.0.1", port
