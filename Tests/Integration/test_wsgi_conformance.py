"""PEP 3333 as an application may use it (`wsgi_application`): the same under every server that the host knows."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from wsgi_client import Client
from wsgi_host import SERVERS, Host, is_installed, wait_until

APPLICATION = Path(__file__).with_name("wsgi_application.py")


@pytest.fixture(params=[*SERVERS, "gevent"])
def host(request):
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    with tempfile.TemporaryDirectory(prefix="m-") as folder:
        app = Path(folder) / "app.py"
        shutil.copy(APPLICATION, app)
        if request.param == "gevent":
            app.write_text("from gevent import monkey\nmonkey.patch_all()\n" + app.read_text())
        server = "auto" if request.param == "gevent" else request.param
        host = Host(folder, "app.py", server, HTTP_X_NOISE="from the environment", REMOTE_USER="root")
        host.server = request.param
        try:
            yield host.wait_until_ready()
        finally:
            if host.process.poll() is None:
                host.process.kill()
                host.process.wait()


@pytest.fixture
def client(host):
    return Client(host)


@pytest.mark.parametrize("path, status, body", [
    ("/generator", 404, b"nothing here"), ("/lazy", 302, b"moved"), ("/empty", 401, b""),
    ("/plain", 200, b"a body"), ("/streamed", 200, b"a body"), ("/one-part", 200, b"a body"),
    ("/bare", 404, b"a body"), ("/hop-by-hop", 200, b"a body"), ("/long", 200, b"more"),
    ("/file", 200, b"z" * 300_000), ("/close-fails", 200, b"whole"),
])
def test_the_answer_is_what_the_application_said(client, path, status, body):
    answer = client.ask(path)
    assert (answer.status, answer.body, answer.is_whole) == (status, body, True)
    assert client.ask("/plain").body == b"a body"


def test_fields_that_a_generator_sets_are_sent(client):
    assert client.ask("/generator").fields["x-where"] == "generator"
    assert client.ask("/lazy").fields["location"] == "/x"


def test_what_is_written_comes_before_what_is_returned(client):
    answer = client.ask("/writing")
    assert (answer.status, answer.body, answer.is_whole) == (201, b"one two three", True)
    assert client.tell()["closed"] == ["writing"]
    assert client.ask("/writing-much").body == b"x" * (64 * 65536) + b"y"


@pytest.mark.parametrize("path", ["/replaced", "/replaced-in-generator"])
def test_exc_info_replaces_a_head_that_has_not_been_sent(client, path):
    answer = client.ask(path)
    assert (answer.status, answer.body) == (503, b"replaced")
    assert "x-old" not in answer.fields


def test_exc_info_is_raised_once_the_head_has_been_sent(client):
    answer = client.ask("/too-late")
    # granian may not even send the head of a response that breaks off.
    assert answer.status in (200, None) and not answer.is_whole
    assert client.tell()["seen"] == ["KeyError('on purpose')"]


@pytest.mark.parametrize("path, said", [
    ("/raise", "RuntimeError: on purpose"), ("/exit", "SystemExit: 3"), ("/interrupt", "KeyboardInterrupt"),
    ("/generator-exit", "GeneratorExit"), ("/memory", "MemoryError"), ("/stop", "StopIteration"), ("/early", "RuntimeError: on purpose"),
    ("/early-exit", "SystemExit: 3"), ("/silent", "did not call start_response"),
    ("/silent-generator", "did not call start_response"), ("/no-body", "TypeError"),
    ("/twice", "called twice"), ("/bad-status", "not a status"), ("/interim", "not a status"),
    ("/bad-name", "not the name of a field"), ("/bad-value", "not the value of the field"), ("/type", "not of str"),
])
def test_a_failure_is_500_with_its_traceback_and_the_process_lives(host, client, path, said):
    for _ in range(2):
        answer = client.ask(path)
        assert (answer.status, answer.is_whole) == (500, True)
    assert client.tell()["pid"] == host.process.pid
    assert host.log.count(f"The application failed in GET {path}:\n") == 2
    assert said in host.log


@pytest.mark.parametrize("path", ["/late", "/late-exit", "/short"])
def test_a_response_that_fails_in_the_middle_is_not_taken_for_whole(host, client, path):
    answer = client.ask(path)
    assert answer.status in (200, None) and not answer.is_whole
    assert client.tell()["pid"] == host.process.pid
    assert f"The application failed in GET {path}:" in host.log


def test_every_body_is_closed_once(client):
    for path in ("/lazy", "/file", "/early", "/late", "/writing"):
        client.ask(path)
    assert sorted(client.tell()["closed"]) == ["failing", "failing", "file", "lazy", "writing"]


@pytest.mark.parametrize("path", ["/plain", "/streamed", "/sized", "/file", "/generator", "/writing", "/text"])
def test_the_answer_to_head_has_no_body(client, path):
    answers = [client.ask(path, method="HEAD"), client.ask("/plain")]
    assert answers[0].status == client.ask(path).status
    assert answers[1].body == b"a body"
    if path in ("/plain", "/sized"):
        assert answers[0].fields["content-length"] == "6"


@pytest.mark.parametrize("path, status", [("/204", 204), ("/304", 304)])
def test_a_status_without_a_body_has_none(client, path, status):
    for method in ("GET", "HEAD"):
        answer = client.ask(path, method=method)
        assert answer.status == status
        assert "transfer-encoding" not in answer.fields
        assert status == 304 or "content-length" not in answer.fields
        assert client.ask("/plain").body == b"a body"


def test_a_known_length_is_sent(client):
    for path in ("/plain", "/one-part"):
        assert client.ask(path).fields["content-length"] == "6"
    assert client.ask("/empty").fields["content-length"] == "0"


def test_a_chunked_body_ends_where_it_ends(client):
    told = client.tell(
        method="POST", fields="Transfer-Encoding: chunked\r\n", body=b"4\r\nhalf\r\n5\r\n done\r\n0\r\n\r\n")
    assert told["body"] == "half done"
    assert told["wsgi.input_terminated"] is True


def test_the_environment_is_complete_and_of_the_request_alone(client):
    told = client.tell("/a%20b//c?x=%2F")
    wanted = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/a b//c", "QUERY_STRING": "x=%2F",
        "REQUEST_URI": "/a%20b//c?x=%2F", "RAW_URI": "/a%20b//c?x=%2F", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.version": [1, 0],
        "wsgi.run_once": False, "wsgi.multithread": True, "body": ""}
    assert {key: told.get(key) for key in wanted} == wanted
    assert "HTTP_X_NOISE" not in told
    assert "REMOTE_USER" not in told


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_without_a_body_has_an_input_that_is_at_its_end(client, method):
    for fields in ("", "Content-Length: 0\r\n"):
        answer = client.ask("/empty-input", method=method, fields=fields)
        assert (answer.status, json.loads(answer.body)) == (200, [True, False, True, [], ""])


def test_a_large_head_is_taken(host, client):
    assert client.tell(fields=f"Cookie: a={'x' * 30_000}\r\n")["HTTP_COOKIE"] == "a=" + "x" * 30_000
    assert client.tell(f"/?{'x' * 30_000}")["QUERY_STRING"] == "x" * 30_000
    count = 85 if host.server == "granian" else 140  # It takes 100 with those that Mooring adds.
    told = client.tell(fields="".join(f"X-{number}: y\r\n" for number in range(count)))
    assert [told.get(f"HTTP_X_{number}") for number in range(count)] == ["y"] * count


def test_the_server_has_a_name(client):
    assert client.tell()["SERVER_SOFTWARE"]


def test_an_application_names_the_server_and_the_time_itself(client):
    lines = [line.lower() for line in client.ask("/server").lines]
    assert [line for line in lines if line.startswith("server:")] == ["server: mine"]
    assert [line for line in lines if line.startswith("date:")] == ["date: thu, 01 jan 1970 00:00:00 gmt"]


@pytest.mark.parametrize("path", ["//double//slash", "/%C3%A9%FF", "/;a=1/~x"])
def test_paths_are_octets(client, path):
    told = client.tell(path)
    assert told["PATH_INFO"] == unquote_to_bytes(path).decode("latin-1")
    assert told["REQUEST_URI"] == path


def test_a_mount_is_the_script_name(client):
    told = client.tell("/x%20y?q", fields="X-Forwarded-Prefix: /outer/sh%C3%B6p\r\n")
    assert told["SCRIPT_NAME"] == "/outer/sh\xc3\xb6p"
    assert (told["PATH_INFO"], told["REQUEST_URI"]) == ("/x y", "/outer/sh%C3%B6p/x%20y?q")


def test_cookies_stay_below_the_mount(client):
    def path(given):
        cookie = f"a=b; HttpOnly{given}; Secure"
        answer = client.ask(f"/cookie?{cookie.replace(' ', '+')}", fields="X-Forwarded-Prefix: /shop\r\n")
        return answer.fields["set-cookie"].removeprefix("a=b; HttpOnly").removesuffix("; Secure")

    assert path("; Path=/") == "; Path=/shop"
    assert path(";path=/x/") == ";path=/shop/x"
    assert path("; Path=/shopping") == "; Path=/shop/shopping"
    for kept in ("", "; Path=/shop", "; Path=/shop/x", "; Path=x"):
        assert path(kept) == kept


@pytest.mark.parametrize("prefix", ["//evil.example", "evil", "", "/"])
def test_what_is_no_prefix_is_no_script_name(client, prefix):
    told = client.tell("/x", fields=f"X-Forwarded-Prefix: {prefix}\r\n")
    assert (told["SCRIPT_NAME"], told["REQUEST_URI"]) == ("", "/x")


def test_fields_are_latin_1_both_ways(host, client):
    answer = client.ask("/field", fields="X-Name: Jos\xc3\xa9\r\n")
    assert answer.fields["x-name"] == "Jos\xc3\xa9"
    if host.server != "granian":  # It does not pass on such a field of a request.
        assert answer.body == repr("Jos\xc3\xa9").encode()


@pytest.mark.parametrize("path", ["/no-errors", "/no-descriptor"])
def test_closed_standard_error_breaks_nothing(host, client, path):
    assert client.ask(path).status == 500
    assert client.ask("/raise").status == 500
    assert client.ask("/plain").body == b"a body"
    assert "was closed\n" in host.log and "RuntimeError: on purpose" in host.log


def test_a_pool_with_work_left_is_left_at_once(host, client):
    if host.server == "gevent":
        pytest.skip("a pool of multiprocessing needs threads")
    answer = client.ask("/pool")
    assert json.loads(answer.body) == [0, 1, 4, 9]


def test_a_forked_child_ends_when_it_is_told_to(client):
    child = int(client.ask("/fork").body)
    os.kill(child, signal.SIGTERM)

    def has_ended():
        with contextlib.suppress(FileNotFoundError):  # gevent collects every child.
            return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return True

    wait_until(has_ended)
