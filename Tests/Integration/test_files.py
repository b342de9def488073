"""Files as the target of a route: what of them a request gets, and what it never gets."""

import email.utils
import gzip
import os
import re
import subprocess

import pytest

from balancer import BINARY, serving, wait_until
from served_files import ROUTES, TEXT, ask, fill


@pytest.fixture(scope="module")
def balancer():
    with serving(ROUTES, prepare=fill) as balancer:
        yield balancer


def test_a_file_is_sent_with_its_type_length_and_validators(balancer):
    answer = ask(balancer)
    assert (answer.status, answer.body) == (200, TEXT)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(TEXT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert re.fullmatch(r'"[0-9a-f-]+"', answer.headers["ETag"])
    modified = email.utils.parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp()
    assert modified == int((balancer.folder / "static/a.txt").stat().st_mtime)
    assert "Set-Cookie" not in answer.headers


def test_head_tells_the_same_without_a_body(balancer):
    get, head = ask(balancer), ask(balancer, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges"):
        assert head.headers[name] == get.headers[name]
    assert ask(balancer, method="HEAD", Range="bytes=0-1").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_files_are_only_read(balancer, method):
    answer = ask(balancer, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("ranges, content", [
    ("0-9", TEXT[:10]), ("70-", TEXT[70:]), ("-5", TEXT[-5:]), ("-500", TEXT), ("79-500", TEXT[79:]),
    ("5-5,900-", TEXT[5:6]),
])
def test_a_range_is_a_part(balancer, ranges, content):
    answer = ask(balancer, Range=f"bytes={ranges}")
    assert (answer.status, answer.body) == (206, content)
    start = TEXT.index(content)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(content) - 1}/{len(TEXT)}"
    assert answer.headers["Content-Length"] == str(len(content))


def test_several_ranges_are_parts_of_one_body(balancer):
    answer = ask(balancer, Range="bytes=10-19, 0-0, -2")
    assert answer.status == 206 and len(answer.body) == int(answer.headers["Content-Length"])
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", answer.headers["Content-Type"])[1]
    pieces = answer.body.split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    parts = [piece.partition(b"\r\n\r\n") for piece in pieces[1:-1]]
    assert [part[2] for part in parts] == [TEXT[10:20], TEXT[:1], TEXT[-2:]]
    assert b"Content-Range: bytes 10-19/80" in parts[0][0]
    assert b"Content-Type: text/plain; charset=utf-8" in parts[0][0]


@pytest.mark.parametrize("ranges, status", [
    ("bytes=80-", 416), ("bytes=-0", 416), ("bytes=900-901,1000-", 416), ("bytes=9-1", 200),
    ("pages=0-1", 200), ("bytes=0-50,20-70", 200), ("bytes=" + ",".join(f"{2*n}-{2*n}" for n in range(30)), 200),
])
def test_ranges_that_lead_to_nothing_or_cost_too_much(balancer, ranges, status):
    answer = ask(balancer, Range=ranges)
    assert answer.status == status
    if status == 416:
        assert answer.headers["Content-Range"] == "bytes */80"
    else:
        assert answer.body == TEXT


def test_an_empty_file_is_sent_whole(balancer):
    answer = ask(balancer, "/static/none.bin", Range="bytes=-5")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


def test_conditions_are_evaluated_in_their_order(balancer):
    whole = ask(balancer)
    tag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    past = "Mon, 01 Jan 2001 00:00:00 GMT"
    for fields, status in [
        ({"If_None_Match": tag}, 304), ({"If_None_Match": f'"x", W/{tag}'}, 304), ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200), ({"If_Modified_Since": date}, 304), ({"If_Modified_Since": past}, 200),
        ({"If_None_Match": '"x"', "If_Modified_Since": date}, 200), ({"If_Match": tag}, 200),
        ({"If_Match": '"x"'}, 412), ({"If_Match": f"W/{tag}"}, 412), ({"If_Match": "*"}, 200),
        ({"If_Unmodified_Since": past}, 412), ({"If_Unmodified_Since": date}, 200),
        ({"If_Match": tag, "If_Unmodified_Since": past}, 200), ({"If_Match": tag, "If_None_Match": tag}, 304),
        ({"Range": "bytes=0-1", "If_Range": tag}, 206), ({"Range": "bytes=0-1", "If_Range": '"x"'}, 200),
        ({"Range": "bytes=0-1", "If_Range": past}, 200), ({"Range": "bytes=0-1", "If_None_Match": tag}, 304),
        ({"Range": "bytes=900-", "If_Range": '"x"'}, 200), ({"Range": "bytes=0-1", "If_Match": '"x"'}, 412),
    ]:
        answer = ask(balancer, **fields)
        assert answer.status == status, fields
        if status == 304:
            assert answer.body == b"" and answer.headers["ETag"] == tag
            assert answer.headers["Cache-Control"] == "max-age=60" and "Content-Type" not in answer.headers


@pytest.mark.parametrize("path", [
    "/static/../secret", "/static/%2e%2e/secret", "/static/.%2e/secret", "/static/%2e%2e%2fsecret",
    "/static/..%2fsecret", "/static/sub%2findex.html", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/.git/config",
    "/static/.hidden", "/static/%2ehidden", "/static/up", "/static/absolute", "/static/updir/secret",
    "/static/loop", "/static/pipe", "/static/socket", "/static/empty/", "/static/empty", "/static/", "/static",
    "/static/a.txt/", "/static/a.txt/x", "/static/%00a.txt", "/static/..%5csecret", "/static//etc/passwd",
    "/static/" + "x" * 300, "/static/" + "a/" * 3000, "/static/%252e%252e/secret", "/staticx/a.txt", "/static%2fa.txt",
])
def test_nothing_else_is_reached(balancer, path):
    reply = balancer.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.1 40[04] ", reply), reply[:200]
    assert b"secret" not in reply.partition(b"\r\n\r\n")[2] and b"root:" not in reply


def test_a_link_that_stays_below_and_odd_names_are_served(balancer):
    assert ask(balancer, "/static/within.txt").body == TEXT
    assert ask(balancer, "/static//sub///index.html").status == 200
    answer = ask(balancer, "/static/name%20with%20space/%C3%A9.css")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_a_route_may_have_a_dot_and_its_own_pages(balancer):
    assert ask(balancer, "/.well-known/acme-challenge/token").body == b"acme answer"
    missing = ask(balancer, "/.well-known/acme-challenge/none", Accept="text/html")
    assert (missing.status, missing.body) == (404, b"<p>no such challenge</p>")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told_to_the_operator(balancer):
    (balancer.folder / "static/closed.txt").write_text("x")
    (balancer.folder / "static/closed.txt").chmod(0)
    assert ask(balancer, "/static/closed.txt").status == 403
    assert "static that was asked for cannot be opened: Permission denied" in balancer.log


def test_a_folder_has_its_index_and_is_asked_for_with_a_slash(balancer):
    assert ask(balancer, "/static/sub/").body == b"<p>index of sub</p>"
    answer = ask(balancer, "/static/sub?a=b&c=/d")
    assert (answer.status, answer.headers["Location"]) == (301, "/static/sub/?a=b&c=/d")


def test_the_redirect_keeps_what_a_trusted_proxy_has_taken_off():
    routes = '[[listen]]\naddress = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.1"]\n' + ROUTES
    with serving(routes, prepare=fill) as balancer:
        answer = ask(balancer, "/static/sub", X_Forwarded_Prefix="/shop")
        assert (answer.status, answer.headers["Location"]) == (301, "/shop/static/sub/")


@pytest.mark.parametrize("accepted, coding, content", [
    ("gzip", "gzip", None), ("br, gzip, zstd", "br", b"brotli"), ("zstd, gzip", "zstd", b"zstd"),
    ("gzip;q=1, br;q=0.1", "gzip", None), ("br;q=0, *", "zstd", b"zstd"), ("identity", None, None), (None, None, None),
])
def test_a_file_that_lies_ready_in_a_coding_is_sent(balancer, accepted, coding, content):
    fields = {"Accept_Encoding": accepted} if accepted else {"Accept_Encoding": ""}
    answer = ask(balancer, "/static/app.js", **fields)
    assert answer.status == 200 and answer.headers["Content-Encoding"] == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    body = gzip.decompress(answer.body) if coding == "gzip" else answer.body
    assert body == (content or (balancer.folder / "static/app.js").read_bytes())
    again = ask(balancer, "/static/app.js", If_None_Match=answer.headers["ETag"], **fields)
    assert again.status == 304 and again.headers["Vary"] == "Accept-Encoding"
    assert ask(balancer, "/static/app.js", If_None_Match=answer.headers["ETag"],
               Accept_Encoding="gzip" if coding != "gzip" else "br").status == 200


def test_codings_that_are_old_not_wanted_or_of_no_use_are_not_sent(balancer):
    assert ask(balancer, "/static/old.css", Accept_Encoding="gzip").body == b"new"
    answer = ask(balancer, "/static/photo.png", Accept_Encoding="gzip")
    assert answer.body == b"png" and "Vary" not in answer.headers
    answer = ask(balancer, "/plain/app.js", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] is None and "Vary" not in answer.headers


def test_keep_alive_pipelining_and_http_1_0(balancer):
    get = b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"HEAD /static/a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    reply = balancer.raw(get + head + get + last)
    assert reply.count(b"HTTP/1.1 200 OK") == 4 and reply.count(TEXT) == 3
    old = balancer.raw(b"GET /static/a.txt HTTP/1.0\r\n\r\n")
    assert old.endswith(TEXT) and b"\r\nConnection: close\r\n" in old
    kept = b"GET /static/a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    reply = balancer.raw(kept + b"GET /static/a.txt HTTP/1.0\r\n\r\n")
    assert reply.count(TEXT) == 2 and reply.count(b"\r\nConnection: keep-alive\r\n") == 1


def test_a_body_is_dropped_and_what_follows_it_is_served(balancer):
    with_body = b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    chunked = b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    last = b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    reply = balancer.raw(with_body + chunked + last)
    assert reply.count(b"HTTP/1.1 200 OK") == 3 and reply.count(TEXT) == 3
    # A client that waits to be asked for its body gets its response instead.
    reply = balancer.raw(
        b"GET /static/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 OK") and b"\r\nConnection: close\r\n" in reply


def test_the_log_and_the_counters_tell_of_files():
    with serving(ROUTES, prepare=fill) as balancer:
        tag = ask(balancer).headers["ETag"]
        ask(balancer, If_None_Match=tag)
        ask(balancer, "/static/none")
        line = re.compile(r'"GET /static/\S+ HTTP/1.1" (\d+) (\d+) .* - - none (\S+)$', re.M)
        # Each loop writes its own lines.
        lines = wait_until(lambda: len(found := line.findall(balancer.log)) == 3 and found)
        assert sorted(lines) == [("200", "80", "file"), ("304", "0", "file"), ("404", "22", "-")]
        requests = balancer.admin("/stats").json()["requests"]
        assert (requests["files_total"], requests["files_open"]) == (2, 0)
        assert b"mooring_file_responses_total 2" in balancer.admin("/metrics").body


def test_check_tells_of_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder, reason in (("none", "No such file or directory"), ("file", "Not a directory")):
        file = tmp_path / "mooring.toml"
        file.write_text(f'state_dir = "{tmp_path}/s"\nruntime_dir = "{tmp_path}/r"\n'
                        '[group.app]\nservers = ["127.0.0.1:1"]\n[routes]\n"/" = "app"\n'
                        f'"/s" = {{ files = "{folder}" }}\n')
        done = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True)
        assert done.returncode == 2
        assert f"{file}:7: routes.\"/s\".files: {tmp_path}/{folder} cannot be served: {reason}" in done.stdout + done.stderr
