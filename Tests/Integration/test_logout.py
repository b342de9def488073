"""`pin = "app"` with `learn`: the application's own cookie begins a session, and its deletion ends it."""

import pytest

from balancer import serving

# Sets what it is asked to set, by a field for each.
APP = """
import json, os
def application(environ, start_response):
    fields = [("Set-Cookie", value) for value in environ.get("HTTP_X_SET", "").split("|") if value]
    fields += [("Content-Type", "application/json")]
    start_response("200 OK", fields)
    return [json.dumps({"pid": os.getpid(), "session": environ.get("HTTP_MOORING_SESSION", "")}).encode()]
"""
CONFIGURATION = """
[group.app]
wsgi = "app.py"
server = "waitress"
processes = 2
threads = 4
affinity = { pin = "app", learn = ["sessionid", "remember"] }
"""
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"
FUTURE = "Tue, 19 Jan 2038 03:14:07 GMT"
DELETIONS = [
    'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',  # Django
    f"sessionid=; Expires={PAST}; Path=/",
    f"sessionid=gone; Expires={PAST}",
    "sessionid=deleted; expires=Thu, 01-Jan-70 00:00:01 GMT; path=/",  # PHP
    "sessionid=deleted; expires=Thu Jan  1 00:00:01 1970",
    "sessionid=x; max-age=-1",
    "sessionid=x; Max-Age=3600; MAX-AGE=0",
    f"sessionid=x; Max-Age=0; Expires={FUTURE}",
    "sessionid=",
    "sessionid= ; Path=/; HttpOnly",
    f"remember=; Expires={PAST}",
]
SETTINGS = [
    "sessionid=abc; Path=/; HttpOnly",
    "sessionid=abc; Max-Age=3600",
    f"sessionid=abc; Expires={FUTURE}",
    f"sessionid=abc; Expires={PAST}; Max-Age=60",
    "sessionid=abc; Expires=0",
    "sessionid=abc; Max-Age=never",
    f"sessionid=; Path=/old; Expires={PAST}|sessionid=abc; Path=/",
    f"remember=; Expires={PAST}|sessionid=abc",
]


@pytest.fixture(scope="module")
def balancer():
    with serving(CONFIGURATION, files={"app.py": APP}) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


def sessions(balancer):
    return balancer.group("app")["sessions"]["live"]


@pytest.mark.parametrize("field", DELETIONS)
def test_a_cookie_that_is_deleted_begins_no_session(balancer, field):
    before = sessions(balancer)
    answer = balancer.request(headers={"X-Set": field})
    assert answer.status == 200 and answer.cookie is None
    assert sessions(balancer) == before


@pytest.mark.parametrize("field", DELETIONS)
def test_a_cookie_that_is_deleted_ends_the_session(balancer, field):
    before = sessions(balancer)
    cookie = balancer.request(headers={"X-Set": "sessionid=abc"}).cookie
    assert cookie and sessions(balancer) == before + 1
    answer = balancer.request(headers={"X-Set": field}, cookie=cookie)
    assert answer.json()["session"]
    own = [value for value in answer.headers.get_all("Set-Cookie") if value.startswith("mooring=")]
    assert len(own) == 1 and "Max-Age=0" in own[0]
    assert sessions(balancer) == before


@pytest.mark.parametrize("field", SETTINGS)
def test_a_cookie_that_is_set_begins_a_session_and_keeps_it(balancer, field):
    before = sessions(balancer)
    cookie = balancer.request(headers={"X-Set": field}).cookie
    assert cookie and sessions(balancer) == before + 1
    again = balancer.request(headers={"X-Set": field}, cookie=cookie)
    assert again.json()["session"] and again.cookie is None
    assert sessions(balancer) == before + 1


@pytest.mark.parametrize("carried, deleted, ends", [
    ("sessionid=abc; remember=def", "remember", False),
    ("remember=def; sessionid=abc", "sessionid", True),
    ("remember=def", "remember", True),
    ("sessionid=abc", "remember", False),
    ("sessionid=; remember=def", "remember", True),
    ('sessionid=""; remember=def', "sessionid", False),
    ("xsessionid=abc; remember=def", "remember", True),
    ("cart=1", "remember", True),
    ("sessionid=abc; remember=def", "sessionid|remember", True),
])
def test_of_several_cookies_the_first_that_the_request_carries_ends_the_session(balancer, carried, deleted, ends):
    cookie = balancer.request(headers={"X-Set": "sessionid=abc"}).cookie
    before = sessions(balancer)
    field = "|".join(f"{name}=; Expires={PAST}" for name in deleted.split("|"))
    answer = balancer.request(headers={"X-Set": field, "Cookie": f"{carried}; mooring={cookie}"})
    assert answer.json()["session"]
    assert sessions(balancer) == before - ends
    own = [value for value in answer.headers.get_all("Set-Cookie") if value.startswith("mooring=")]
    assert bool(own) == ends, own


def test_another_cookie_that_is_deleted_ends_nothing(balancer):
    cookie = balancer.request(headers={"X-Set": "sessionid=abc"}).cookie
    before = sessions(balancer)
    balancer.request(headers={"X-Set": f"cart=; Expires={PAST}|sessionid2=; Max-Age=0"}, cookie=cookie)
    assert sessions(balancer) == before


def test_after_logout_the_place_of_the_session_is_free():
    configuration = CONFIGURATION.replace("processes = 2", "sessions_per_process = 1\nqueue_timeout = \"1s\"")
    with serving(configuration, files={"app.py": APP}) as balancer:
        balancer.wait_ready("app", 1)
        login = {"X-Set": "sessionid=abc"}
        for _ in range(3):
            cookie = balancer.request(headers=login).cookie
            assert balancer.request(cookie=cookie).status == 200
            assert balancer.request(headers=login).status == 503
            assert balancer.request(headers={"X-Set": DELETIONS[0]}, cookie=cookie).status == 200
