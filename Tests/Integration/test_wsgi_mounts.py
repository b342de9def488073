"""Applications below a path: `strip_prefix` tells them where they are, for every client."""

import json

import pytest

import http2
from balancer import serving

FLASK = """
from flask import Flask, jsonify, redirect, request, session, url_for

app = Flask(__name__)
app.secret_key = "k"

@app.get("/")
def index():
    return url_for("page", name="x")

@app.get("/page/<name>")
def page(name):
    session["name"] = name
    return redirect(url_for("index"))

@app.get("/told")
def told():
    return jsonify({
        "prefix": request.headers.get("X-Forwarded-Prefix"), "script": request.environ["SCRIPT_NAME"],
        "path": request.environ["PATH_INFO"], "uri": request.environ["REQUEST_URI"],
        "root": request.root_url})
"""
GROUP = """[group.shop]
wsgi = "app.py"
server = "{server}"
[routes]
"/" = "shop"
"/shop" = {{ group = "shop", strip_prefix = true }}
"/caf\u00e9 au lait" = {{ group = "shop", strip_prefix = true }}
"""


@pytest.fixture(scope="module")
def balancer():
    with serving(GROUP.format(server="auto"), files={"app.py": FLASK}) as balancer:
        balancer.wait_ready("shop", 1)
        yield balancer


@pytest.fixture(scope="module")
def behind_proxy():
    configuration = '[[listen]]\naddress = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.0/8"]\n'
    with serving(configuration + GROUP.format(server="wsgiref"), files={"app.py": FLASK}) as balancer:
        balancer.wait_ready("shop", 1)
        yield balancer


def test_links_redirects_and_cookies_stay_inside_the_mount(balancer):
    assert balancer.request("/shop").body == b"/shop/page/x"
    answer = balancer.request("/shop/page/x")
    assert answer.status == 302 and answer.headers["Location"] == "/shop/"
    assert any("Path=/shop" in cookie for cookie in answer.headers.get_all("Set-Cookie") if "session=" in cookie)
    assert balancer.request("/page/x").headers["Location"] == "/"


@pytest.mark.parametrize("path, script, rest", [
    ("/told", "", "/told"), ("/shop/told", "/shop", "/told"), ("//%73hop//told", "/shop", "//told"),
    ("/caf%C3%A9%20au%20lait/told?q", "/caf\xc3\xa9 au lait", "/told"),
])
def test_the_mount_is_the_route_s_however_the_client_spells_it(balancer, path, script, rest):
    told = balancer.request(path)
    if told.status == 200:
        told = told.json()
        assert (told["script"], told["path"]) == (script, rest)
        assert "//" not in told["prefix"] if told["prefix"] else not script
    else:
        assert rest == "//told" and told.status in (308, 404)


def test_the_target_is_told_as_it_was_asked_for(balancer):
    told = balancer.request("/shop/told?q=%20").json()
    assert (told["prefix"], told["uri"]) == ("/shop", "/shop/told?q=%20")
    assert told["root"].endswith("/shop/")


def test_the_mount_is_told_over_http2(balancer):
    with http2.Connection(balancer.address) as connection:
        assert json.loads(connection.get(http2.request("/shop/told")).body)["script"] == "/shop"


@pytest.mark.parametrize("field", ["X-Forwarded-Prefix", "X_Forwarded_Prefix", "x-forwarded_prefix"])
@pytest.mark.parametrize("path, script", [("/told", ""), ("/shop/told", "/shop")])
def test_the_client_s_own_prefix_is_dropped(balancer, field, path, script):
    told = balancer.request(path, headers={field: "/evil"}).json()
    assert (told["prefix"], told["script"]) == (script or None, script)


@pytest.mark.parametrize("outer, path, script", [
    ("/outer", "/told", "/outer"), ("/outer", "/shop/told", "/outer/shop"), ("/outer/", "/shop/told", "/outer/shop"),
    ("/a, /b", "/shop/told", "/a/b/shop"), ("/a, /b", "/told", "/a/b"), ("//evil.example", "/shop/told", "/shop"),
    ("//evil.example", "/told", ""), ("/", "/shop/told", "/shop"), ("evil", "/shop/told", "/shop"),
])
def test_what_a_trusted_proxy_has_taken_off_comes_first(behind_proxy, outer, path, script):
    told = behind_proxy.request(path, headers={"X-Forwarded-Prefix": outer}).json()
    assert told["script"] == script
