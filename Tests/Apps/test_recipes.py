"""The recipes of Examples, run as their files are: visitors stay with their process, over a kill of the balancer."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancer import serving, wait_until
from recipes import COUNTING, Recipe, Visitor, configuration, copy, group, running


def serve(name, recipe):
    return serving(configuration(name), prepare=copy(name, recipe.prepare), keeps_address=True)


def base(balancer):
    host, port = balancer.address
    return f"http://{host}:{port}"


def states(balancer, name):
    return [process["state"] for process in balancer.group(group(name))["processes"]]


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def restart(balancer):
    balancer.crash()
    balancer.start()


@pytest.mark.parametrize("name", COUNTING)
def test_visitors_stay_with_their_process(name):
    recipe = COUNTING[name]
    with serve(name, recipe) as balancer, running(recipe.beside, balancer.folder):
        for port in recipe.ports:
            wait_until(lambda: is_open(port))
        wait_until(lambda: states(balancer, name) == ["ready"] * 3, 60)
        visitors = [Visitor(base(balancer), recipe) for _ in range(8)]
        assert len({visitor.pid for visitor in visitors}) == 3
        for _ in range(2):
            for visitor in visitors:
                visitor.goes_on()
        restart(balancer)
        for visitor in visitors:
            visitor.goes_on()


def test_a_path_below_names_its_script():
    with serve("php-directory", COUNTING["php-directory"]) as balancer:
        assert balancer.request("/about/team.php").body == b"served by /about/team.php\n"


async def mcp_sessions(balancer, count):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask(session):
        result = await session.call_tool("count", {})
        return tuple(int(word) for word in result.content[0].text.split())

    async def client(barrier, number):
        async with streamable_http_client(base(balancer) + "/mcp") as streams:
            async with ClientSession(*streams[:2]) as session:
                await session.initialize()
                pid, calls = await ask(session)
                assert calls == 1
                assert await ask(session) == (pid, 2)
                await barrier.wait()
                # The first of them kills the balancer for all.
                if number == 0:
                    await asyncio.to_thread(restart, balancer)
                await barrier.wait()
                assert await ask(session) == (pid, 3)
                return pid
    barrier = asyncio.Barrier(count)
    return await asyncio.gather(*(client(barrier, number) for number in range(count)))


def test_mcp_clients_keep_their_sessions():
    with serve("mcp", Recipe()) as balancer:
        balancer.wait_ready("mcp", 3)
        pids = asyncio.run(mcp_sessions(balancer, 6))
        assert len(set(pids)) == 3
        # Each has ended its session with DELETE.
        wait_until(lambda: balancer.group("mcp")["sessions"]["live"] == 0)


class SocketIO:
    """A client that keeps no cookie, whose transport is as given."""

    def __init__(self, balancer, transports):
        import requests
        import socketio
        jarless = requests.Session()
        jarless.cookies.set_policy(NoCookies())
        self.client = socketio.Client(http_session=jarless, reconnection_delay=0.1, reconnection_delay_max=0.5)
        self.client.connect(base(balancer), transports=transports, wait_timeout=60)
        self.pid, self.count = self.ask()
        assert self.count == 1

    def ask(self):
        facts = self.client.call("count", {}, timeout=20)
        return facts["pid"], facts["count"]

    def goes_on(self):
        self.count += 1
        assert self.ask() == (self.pid, self.count)


class NoCookies:
    """Of `http.cookiejar`: nothing is kept, nothing sent."""

    netscape, rfc2965, hide_cookie2 = True, False, False

    def set_ok(self, cookie, request):
        return False

    def return_ok(self, cookie, request):
        return False

    def domain_return_ok(self, domain, request):
        return False

    def path_return_ok(self, path, request):
        return False


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]], ids=["polling", "upgrade"])
@pytest.mark.parametrize("name", ["socketio-python"])
def test_socketio_clients_without_cookies_stay_with_their_process(name, transports):
    with serve(name, Recipe()) as balancer:
        balancer.wait_ready("chat", 3)
        clients = [SocketIO(balancer, transports) for _ in range(6)]
        try:
            assert len({client.pid for client in clients}) == 3
            for client in clients:
                wait_until(lambda: client.client.transport() == transports[-1])
            for _ in range(3):
                for client in clients:
                    client.goes_on()
            assert balancer.group("chat")["sessions"]["live"] == 6
        finally:
            # A client waits for its last poll, which the server ends with its next ping.
            with ThreadPoolExecutor(len(clients)) as pool:
                list(pool.map(lambda client: client.client.disconnect(), clients))
