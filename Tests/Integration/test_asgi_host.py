"""The Python host with an ASGI application: its lifespan, its end, and what is said of a start that fails."""

import os
import subprocess
import sys
import threading
import time

import pytest

from asgi_host import PLAIN, SERVERS, News, connect, hosting
from wsgi_client import Client
from wsgi_host import DEADLINE, UnixConnection, exchange, wait_until

ANSWER = '''
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": repr(scope["state"]).encode()})

async def lifespan(receive, send):
'''
# What the application does in its lifespan, and the last line of what is printed.
STARTS_THAT_FAIL = {
    "it says so": ('''    await receive()
    await send({"type": "lifespan.startup.failed", "message": "Traceback\\nOSError: no database"})''', "OSError: no database"),
    "it raises": ('    await receive()\n    raise OSError("no database")', "OSError: no database"),
    "it ends the process": ('    import sys\n    await receive()\n    sys.exit("no database")', "SystemExit: no database"),
}
# Applications that know nothing of lifespans, each in its way.
IGNORANT = {
    "it raises at once": "    raise ValueError('not a request')",
    "it returns at once": "    pass",
    "it answers": '''    await receive()
    await send({"type": "http.response.start", "status": 200})''',
    "it reads a body": '    (await receive())["body"]',
    "it returns after an event": "    await receive()",
}


@pytest.fixture(params=SERVERS)
def server(request):
    return request.param


@pytest.mark.parametrize("how", STARTS_THAT_FAIL)
def test_a_start_whose_lifespan_fails_has_failed(how):
    body, last = STARTS_THAT_FAIL[how]
    with hosting("uvicorn", {"app.py": ANSWER + body}) as host:
        assert host.process.wait(DEADLINE) == 1
        lines = host.log.splitlines()
        assert (lines[0], lines[-1]) == ("The application failed in its lifespan startup:", last)
        assert "mooring_" not in host.log and not os.path.exists(host.socket)


@pytest.mark.parametrize("how", IGNORANT)
def test_an_application_without_a_lifespan_is_served(how):
    with hosting("uvicorn", {"app.py": ANSWER + IGNORANT[how]}) as host:
        assert host.wait_until_ready().get() == (200, b"{}")
        assert (host.stop()[0], host.log) == (0, "")


def test_it_is_not_ready_before_its_lifespan_has_begun(server):
    slow = '''    import asyncio, os
    await receive()
    while not os.path.exists("go"):
        await asyncio.sleep(0.01)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})'''
    with hosting(server, {"app.py": ANSWER + "    print('begun', flush=True)\n" + slow}) as host:
        wait_until(lambda: "begun" in host.log)
        assert not os.path.exists(host.socket)
        open(os.path.join(os.path.dirname(host.socket), "go"), "w").close()
        assert host.wait_until_ready().get()[0] == 200


def test_idle_it_stops_at_once_with_its_lifespan(server):
    with hosting(server) as host:
        host.wait_until_ready()
        connections = [UnixConnection(host.socket) for _ in range(3)]
        for connection in connections:
            exchange(connection, "/plain")
        status, seconds = host.stop()
        assert (status, host.log) == (0, "the lifespan is over\n")
        assert seconds < 1.5
        assert not os.path.exists(host.socket)


@pytest.mark.parametrize("how, said", [
    ('raise RuntimeError("on purpose")', "RuntimeError: on purpose"),
    ('await send({"type": "lifespan.shutdown.failed", "message": "on purpose"})', "on purpose"),
])
def test_a_lifespan_that_fails_at_its_end_is_reported(server, how, said):
    body = f'''    await receive()
    await send({{"type": "lifespan.startup.complete"}})
    await receive()
    {how}'''
    with hosting(server, {"app.py": ANSWER + body}) as host:
        host.wait_until_ready()
        assert host.stop()[0] == 1
        lines = host.log.splitlines()
        assert (lines[0], lines[-1]) == ("The application failed in its lifespan shutdown:", said)


def test_stopped_while_busy_it_finishes_what_is_in_flight(server):
    with hosting(server) as host:
        news = News(host.wait_until_ready())
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(host.get("/waiting")))
        waiting.start()
        news.wait_for("waiting")
        client = Client(host)
        client.ask("/plain")
        host.process.terminate()
        # On a connection that was there before.
        assert client.ask("/open").status == 200
        assert host.process.wait(DEADLINE) == 0
        waiting.join()
        assert answers == [(200, b"waited")] and host.log == "the lifespan is over\n"


def test_a_websocket_is_closed_when_the_process_stops(server):
    with hosting(server) as host, connect(host.wait_until_ready()) as connection:
        connection.send("x")
        connection.recv(timeout=15)
        status, seconds = host.stop()
        assert status == 0 and seconds < 1.5
        with pytest.raises(Exception) as raised:
            connection.recv(timeout=15)
        assert raised.value.rcvd.code == 1012
        assert host.log == "the lifespan is over\n"


def test_what_does_not_end_is_ended_in_time_for_the_lifespan(server):
    with hosting(server, stop_timeout=3) as host:
        news = News(host.wait_until_ready())
        listening = threading.Thread(target=ask_in_vain, args=(host, "/listening-while-sending"))
        deaf = threading.Thread(target=ask_in_vain, args=(host, "/deaf"))
        for thread, word in ((listening, "streaming"), (deaf, "deaf")):
            thread.start()
            news.wait_for(word)
        status, seconds = host.stop()
        assert status == 0 and seconds < 3
        assert host.log == (
            "GET /deaf still ran when the process had to stop, and was cancelled\nthe lifespan is over\n")
        listening.join()
        deaf.join()


def ask_in_vain(host, path):
    try:
        host.get(path)
    except OSError:
        pass
    except Exception as problem:  # Of http.client, for a body that breaks off.
        assert "Incomplete" in repr(problem)


def test_stopped_in_its_start_it_ends_at_once():
    body = "    import time\n    print('begun', flush=True)\n    await receive()\n    time.sleep(60)"
    with hosting("uvicorn", {"app.py": ANSWER + body}) as host:
        wait_until(lambda: "begun" in host.log)
        begun = time.monotonic()
        host.process.terminate()
        host.process.wait(DEADLINE)
        assert time.monotonic() - begun < 5


APPLICATIONS = ANSWER.replace("lifespan(receive", "nothing(receive") + '''    raise ValueError

nothing = lifespan

def wsgi(environ, start_response):
    pass

class Flask:
    def __call__(self, environ, start_response):
        pass

flask = Flask()

def create_app(word="none", *, debug=False):
    return app

class Starlette:
    async def __call__(self, scope, receive, send):
        await app(scope, receive, send)

application = flask
starlette = Starlette()

class Awaited:
    def __init__(self, scope, receive, send):
        self.answer = app(scope, receive, send)

    def __await__(self):
        return self.answer.__await__()
'''.replace("nothing = lifespan", "").replace("lifespan(receive, send)", "nothing(receive, send)")


@pytest.mark.parametrize("name", [
    "app", "app.py", "app:app", "app.py:app", "app:create_app()", "app:create_app('x', debug=True)", "app:starlette",
    "app:Awaited", "mysite.asgi", "mysite/asgi.py",
])
def test_an_application_is_named_like_one_of_wsgi(name):
    django = {"mysite/__init__.py": "", "mysite/asgi.py": APPLICATIONS.replace("application = flask", "application = app")}
    with hosting("uvicorn", {"app.py": APPLICATIONS, **django}, app=name) as host:
        assert host.wait_until_ready().get() == (200, b"{}")


@pytest.mark.parametrize("name, said", [
    ("app:flask", "app:flask is a WSGI application; instead of asgi, set wsgi = \"app:flask\""),
    ("app:wsgi", "app:wsgi is a WSGI application; instead of asgi, set wsgi = \"app:wsgi\""),
    ("app:create_app", "does not take (scope, receive, send), so it is no ASGI application; name the callable: app:create_app()"),
    ("app:missing", "app has no callable named 'missing'"), ("nothing.py", "no such file: nothing.py"),
    ("config:app.ini", "config:app.ini is a WSGI application; instead of asgi, set wsgi = \"config:app.ini\""),
])
def test_what_is_no_asgi_application_is_told_in_a_line(name, said):
    with hosting("uvicorn", {"app.py": APPLICATIONS}, app=name) as host:
        assert host.process.wait(DEADLINE) == 1
        assert len(host.log.splitlines()) == 1 and said in host.log


@pytest.mark.parametrize("server, said", [
    ("auto", "none of uvicorn, granian and hypercorn is installed for {python}; run '{python} -m pip install uvicorn'"),
    ("hypercorn", "hypercorn is not installed for {python}; run '{python} -m pip install hypercorn'"),
])
def test_a_server_that_is_missing_is_told_with_the_way_to_get_it(tmp_path, server, said):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = f"{tmp_path}/bare/bin/python"
    with hosting(server, python=python) as host:
        assert host.process.wait(DEADLINE) == 1
        assert said.format(python=python) in host.log and len(host.log.splitlines()) == 1


def test_of_the_servers_that_are_installed_the_first_is_taken():
    with hosting("auto", MOORING_TELL_SERVER="1") as host:
        host.wait_until_ready()
        assert "app.py is served by uvicorn 0." in host.log and "with up to 4 requests at once" in host.log


def test_what_is_logged_by_uvicorn_s_names_is_printed():
    logging = "import logging\nlogging.getLogger('uvicorn.error').info('of the application')\n"
    late = "    logging.getLogger('uvicorn').info('of its lifespan')\n    raise ValueError"
    with hosting("uvicorn", {"app.py": logging + ANSWER + late}) as host:
        host.wait_until_ready().get()
        assert host.stop()[0] == 0
        assert host.log == "of the application\nof its lifespan\n"


def test_the_loop_is_uvloop_s_where_it_is_installed():
    told = '    import asyncio\n    print(type(asyncio.get_running_loop()).__module__, flush=True)'
    for server, module in (("uvicorn", "uvloop"), (PLAIN, "asyncio.unix_events")):
        with hosting(server, {"app.py": ANSWER + told}) as host:
            host.wait_until_ready()
            assert host.log.splitlines() == [module]


def test_the_application_may_run_loops_of_its_own_while_it_is_loaded():
    before = "import asyncio\nasyncio.run(asyncio.sleep(0))\nloop = asyncio.new_event_loop()\n"
    with hosting("uvicorn", {"app.py": before + ANSWER + "    pass"}) as host:
        assert host.wait_until_ready().get()[0] == 200
