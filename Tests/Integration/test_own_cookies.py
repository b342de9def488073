"""Mooring's cookie and a response: no process sets it, and no cache keeps it."""

import pytest

import http2
from balancer import serving
from origin import Origin

OWN = [
    "mooring=x", "__Host-mooring=x; Path=/; Secure", "=mooring=x; Path=/", "= __Host-mooring=x", "shop=x; Path=/shop",
    "__Host-shop=x", "=shop=x", "Mooring=x", "SHOP =x", "\"mooring\"=x", "__host-mooring=x", "__Secure-mooring=x",
]
THEIRS = ["session=1; Path=/", "mooring2=x", "a==mooring=x", "x-shop=1"]
# Fields that give caches more, or other, directives than Cache-Control.
TARGETED = [
    "CDN-Cache-Control: max-age=600", "Cloudflare-CDN-Cache-Control: public", "Surrogate-Control: max-age=600",
    "X-Accel-Expires: 600", "Netlify-CDN-Cache-Control: public", "X-LiteSpeed-Cache-Control: public", "Edge-Control: max-age=60",
]


def response(*fields):
    return ("\r\n".join(["HTTP/1.1 200 OK", *fields, "Content-Length: 2"]) + "\r\n\r\nok").encode()


SCRIPTS = {
    path + name: response(*fields)
    for path in ("/", "/shop/", "/never/")
    for name, fields in {
        "own": [f"Set-Cookie: {value}" for value in OWN + THEIRS],
        "cached": ["Cache-Control: public, max-age=600", *TARGETED],
        "private": ["Cache-Control: private", *TARGETED],
    }.items()
}


@pytest.fixture(scope="module")
def origin():
    with Origin(SCRIPTS) as origin:
        yield origin


@pytest.fixture
def balancer(origin):
    configuration = f"""[group.app]
servers = [{origin.server}]
threads = 50
[group.shop]
servers = [{origin.server}]
threads = 50
affinity = {{ cookie = "shop" }}
[routes]
"/" = "app"
"/shop" = "shop"
"/never" = {{ group = "app", affinity = {{ pin = "never" }} }}
"""
    with serving(configuration) as balancer:
        yield balancer


def http1(balancer, path):
    answer = balancer.request(path)
    return [(name.lower(), value) for name, value in answer.headers.items()]


def over_http2(balancer, path):
    with http2.Connection(balancer.address) as connection:
        return [(str(name), str(value)) for name, value in connection.get(http2.request(path)).heads[-1]]


CLIENTS = pytest.mark.parametrize("ask", [http1, over_http2])


@CLIENTS
@pytest.mark.parametrize("path", ["/own", "/shop/own", "/never/own"])
def test_a_process_sets_no_cookie_of_any_group(balancer, ask, path):
    seen = [value for name, value in ask(balancer, path) if name == "set-cookie"]
    kept = [value for value in seen if value in OWN + THEIRS]
    assert kept == THEIRS
    assert len(seen) - len(kept) == (0 if path == "/never/own" else 1)
    assert balancer.admin("/stats").json()["requests"]["own_cookies_removed_total"] == len(OWN)
    metrics = balancer.admin("/metrics").body.decode()
    assert f"\nmooring_own_cookies_removed_total {len(OWN)}\n" in metrics


@CLIENTS
@pytest.mark.parametrize("path", ["/cached", "/private"])
def test_beside_the_cookie_no_cache_is_told_to_keep_the_response(balancer, ask, path):
    fields = ask(balancer, path)
    assert any(name == "set-cookie" for name, _ in fields)
    told = [value for name, value in fields if "control" in name or "expires" in name]
    assert len(told) == 1 and told[0].startswith("private")


def test_without_the_cookie_caches_are_told_what_the_process_says(balancer):
    names = [name for name, _ in http1(balancer, "/never/cached")]
    assert "cache-control" in names and {field.split(":")[0].lower() for field in TARGETED} <= set(names)


def verdict(balancer, *fields):
    lines = ["GET / HTTP/1.1", "Host: a", *fields, "Connection: close"]
    before = balancer.admin("/stats").json()["verdicts"]
    balancer.raw(("\r\n".join(lines) + "\r\n\r\n").encode())
    after = balancer.admin("/stats").json()["verdicts"]
    return [word for word in after if after[word] > before[word]]


def test_at_most_eight_tokens_of_a_request_are_verified_over_all_its_cookie_fields(balancer):
    good = balancer.request("/").cookie
    forged = good[:-2] + ("AA" if good[-2:] != "AA" else "BA")
    assert verdict(balancer, *[f"Cookie: mooring={forged}"] * 7, f"Cookie: mooring={good}") == ["valid"]
    assert verdict(balancer, *[f"Cookie: mooring={forged}"] * 8, f"Cookie: mooring={good}") == ["forged"]
    four = "; ".join([f"mooring={forged}"] * 4)
    assert verdict(balancer, *[f"Cookie: {four}"] * 2, f"Cookie: mooring={good}") == ["forged"]
