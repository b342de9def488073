"""What a process is not to see of a request: other groups' cookies, and fields that stand for its server's own."""

import pytest

import http2
from balancer import serving
from origin import Origin

MOUNTED = """
def application(environ, start_response):
    said = environ["SCRIPT_NAME"] + "|" + environ["PATH_INFO"] + "|" + environ.get("HTTP_API_KEY", "")
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said.encode()]
"""


@pytest.fixture(scope="module")
def origin():
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def balancer(origin):
    with serving(f"""
[group.app]
servers = [{origin.server}]
[group.shop]
servers = [{origin.server}]
affinity = {{ cookie = "shop" }}
[group.open]
servers = [{origin.server}]
affinity = {{ cookie = "open", forward_cookie = true }}
[routes]
"/" = "app"
"/shop" = "shop"
"/open" = "open"
"/never" = {{ group = "app", affinity = {{ pin = "never" }} }}
""") as balancer:
        yield balancer


def cookies_that_arrived(origin):
    fields = dict(origin.requests[-1][1])
    return fields.get("cookie", "")


@pytest.mark.parametrize("path, left", [
    ("/", "a=1; b=2"), ("/shop/x", "a=1; b=2"), ("/never/x", "a=1; b=2"), ("/open/x", "a=1; open=o; b=2")])
@pytest.mark.parametrize("over", ["HTTP/1.1", "HTTP/2"])
def test_no_process_sees_another_groups_cookie(balancer, origin, path, left, over):
    pairs = "a=1; mooring=m; open=o; shop=s; __Host-mooring=h; b=2"
    if over == "HTTP/2":
        with http2.Connection(balancer.address) as client:
            crumbs = [("cookie", pair) for pair in pairs.split("; ")]
            assert client.get(http2.request(path, "GET", "a", *crumbs)).status == 200
    else:
        assert balancer.request(path, headers={"Cookie": pairs}).status == 200
    assert cookies_that_arrived(origin) == left


def test_any_number_of_own_cookies_is_cut_out(balancer, origin):
    pairs = "; ".join(f"mooring={number}; c{number}=x" for number in range(40))
    assert balancer.request(headers={"Cookie": pairs}).status == 200
    assert cookies_that_arrived(origin) == "; ".join(f"c{number}=x" for number in range(40))


@pytest.mark.parametrize("server", ["gunicorn", "waitress", "granian", "wsgiref"])
def test_a_client_does_not_say_where_the_application_is_mounted(server):
    with serving(f'[group.app]\nwsgi = "app.py"\nserver = "{server}"\n', files={"app.py": MOUNTED}) as balancer:
        for name in ["SCRIPT_NAME", "Script_Name", "script_name", "PATH_INFO", "REMOTE_USER"]:
            answer = balancer.request("/x/admin", headers={name: "/x", "Api-Key": "k"})
            assert (answer.status, answer.body) == (200, b"|/x/admin|k"), (name, answer.body)
            with http2.Connection(balancer.address) as client:
                answer = client.get(http2.request("/x/admin", "GET", "a", (name.lower(), "/x")))
                assert answer.body == b"|/x/admin|", (name, answer.body)
