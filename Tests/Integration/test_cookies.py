"""The cookie from outside: what is good is honoured, what is not starts a new session, never an error."""

import base64
import hashlib
import hmac
import struct
import time

import pytest

from balancer import ECHO, serving, wait_until

TWO_GROUPS = """
[affinity]
max_age = "1h"
[group.one]
wsgi = "app.py"
server = "wsgiref"
processes = 2
threads = 4
[group.two]
wsgi = "app.py"
server = "wsgiref"
[routes]
"/" = "one"
"/two" = "two"
"""


@pytest.fixture(scope="module")
def balancer():
    with serving(TWO_GROUPS, files={"app.py": ECHO}) as balancer:
        balancer.wait_ready("one", 2)
        balancer.wait_ready("two", 1)
        yield balancer


def decoded(cookie):
    return base64.urlsafe_b64decode(cookie)


def signed(balancer, session, process, issued=None, group="one", key=None, key_id=None):
    """A token made from the format's description alone."""
    lines = (balancer.folder / "state/session.keys").read_text().splitlines()
    line = next(line for line in lines if line and not line.startswith("#")).split()
    key_id = int(line[0]) if key_id is None else key_id
    key = bytes.fromhex(line[1]) if key is None else key
    body = struct.pack(">BBI", 1, key_id, int(time.time()) if issued is None else issued) + session + process
    text = b"mooring/1\0mooring\0" + group.encode() + b"\0" + body
    mac = hmac.new(key, text, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(body + mac).decode().rstrip("=")


def test_a_session_stays_and_its_cookie_never_reaches_the_backend(balancer):
    first = balancer.request()
    again = [balancer.request(headers={"Cookie": f"a=1; mooring={first.cookie}; b=2"}) for _ in range(5)]
    assert {answer.json()["pid"] for answer in again} == {first.json()["pid"]}
    assert [answer.json()["count"] for answer in again] == [2, 3, 4, 5, 6]
    assert again[0].json()["affinity"] == "kept" and first.json()["affinity"] == "new"
    assert again[0].json()["cookie"] == "a=1; b=2"
    assert again[0].cookie is None


def test_a_token_made_by_the_book_is_honoured(balancer):
    for number in range(4):
        answer = balancer.request()
        process = decoded(answer.cookie)[18:26]
        mine = signed(balancer, b"visit numbe" + bytes([number]), process)
        assert balancer.request(cookie=mine).json() | {"count": 0, "cookie": ""} == {
            "pid": answer.json()["pid"], "session": (b"visit numbe" + bytes([number])).hex(),
            "affinity": "kept",
            "multiprocess": True, "multithread": True, "count": 0, "cookie": ""}


def flipped(cookie, place):
    return cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1:]


@pytest.mark.parametrize("name, verdict", [
    ("forged", "forged"), ("cut", "malformed"), ("long", "malformed"), ("empty", "malformed"),
    ("alphabet", "malformed"), ("huge", "malformed"), ("unknown key", "unknown_key"),
    ("other group", "other_group"), ("expired", "expired"), ("from the future", "expired"),
])
def test_a_bad_cookie_starts_a_new_session(balancer, name, verdict):
    good = balancer.request().cookie
    session, process = decoded(good)[6:18], decoded(good)[18:26]
    now = int(time.time())
    bad = {
        "forged": flipped(good, 50), "cut": good[:-1], "long": good + "A", "empty": " ",
        "alphabet": good[:20] + "+" + good[21:], "huge": "A" * 8000,
        "unknown key": signed(balancer, session, process, key_id=99),
        "other group": signed(balancer, session, process, group="two"),
        "expired": signed(balancer, b"never leased", process, issued=now - 7200),
        "from the future": signed(balancer, b"never leased", process, issued=now + 7200),
    }[name]
    mark = f"/{name.replace(' ', '-')}"
    answer = balancer.request(mark, cookie=bad)
    assert answer.status == 200
    assert answer.json()["affinity"] == "new" and answer.cookie
    line = wait_until(lambda: [line for line in balancer.log.splitlines() if f'"GET {mark} ' in line])
    assert line[0].split(" ")[-2:] == [verdict, "pinned"]


def test_every_flipped_character_is_noticed(balancer):
    good = balancer.request().cookie
    for place in range(56):
        assert balancer.request(cookie=flipped(good, place)).json()["affinity"] == "new"


def test_of_several_cookies_the_newest_good_one_wins(balancer):
    first = balancer.request()
    process = decoded(first.cookie)[18:26]
    old = signed(balancer, b"old session.", process, issued=int(time.time()) - 60)
    new = signed(balancer, b"new session.", process)
    field = f"mooring={old}; mooring=nonsense; mooring={new}"
    answer = balancer.request(headers={"Cookie": field})
    assert answer.json()["session"] == b"new session.".hex()
    assert answer.json()["cookie"] == ""


def test_a_token_of_a_process_that_is_gone_tells_the_application_so(balancer):
    stray = signed(balancer, b"gone session", b"no such.")
    answer = balancer.request(cookie=stray)
    assert (answer.status, answer.json()["affinity"]) == (200, "lost")
    assert answer.json()["session"] == b"gone session".hex()
    assert answer.cookie
