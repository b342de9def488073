"""Faults of clients: leaving, trickling, crowding."""

import contextlib
import socket
import threading
import time

from world import Session, is_alive, wait_until


def races_the_idle_timer(world, random):
    """A request at the instant of an eviction finds a process, old or new."""
    session = Session(world)
    session.visit()
    time.sleep(random.uniform(0.9, 1.2))
    assert session.get().status == 200


def open_tunnel(world, random):
    """A tunnel with traffic keeps its process, regardless of the idle timer."""
    session = Session(world)
    session.visit()
    with world.connect() as tunnel:
        tunnel.sendall((
            "GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
            f"Cookie: mooring={session.cookie}\r\nX-Nonce: t\r\n\r\n").encode())
        head = tunnel.recv(4096)
        assert head.startswith(b"HTTP/1.1 101"), head
        for _ in range(3):
            tunnel.sendall(b"ahoy")
            said = tunnel.recv(100)
            assert said == f"{session.pid} ahoy".encode(), said
            time.sleep(0.5)
    assert is_alive(session.pid)
    session.visit()


def half_close(world, random):
    """A client that has finished sending still gets its answer."""
    answer = world.balancer.raw(
        b"GET /hold HTTP/1.1\r\nHost: x\r\nX-Seconds: 0.2\r\nConnection: close\r\n\r\n",
        half_close=True)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:100]


def leaves_while_queued(world, random):
    """Who has left the queue is never delivered."""
    session = Session(world, "/one/")
    session.visit()
    holder = threading.Thread(
        target=lambda: session.get("hold", headers={"X-Seconds": "0.6"}))
    holder.start()
    time.sleep(0.1)
    nonce = f"left-{world.counter}"
    with world.connect() as connection:
        connection.sendall((
            f"GET /one/page HTTP/1.1\r\nHost: x\r\nX-Nonce: {nonce}\r\n"
            f"Cookie: mooring={session.cookie}\r\n\r\n").encode())
        time.sleep(0.1)
    holder.join(10)
    session.visit()
    assert nonce not in (world.balancer.folder / "deliveries").read_text()


def crowd_of_strangers(world, random):
    """A cold burst: everyone is answered, the process count stays within its bounds."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(world.ask(
        "/hold", headers={"X-Seconds": "0.1"}, timeout=15))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {a.status for a in answers} <= {200, 503}, [a.status for a in answers]
    # Those that drain are beside the bounds, and so is the replacement of an ill one.
    serving = [p for p in world.balancer.group("app")["processes"] if p["state"] in ("starting", "ready")]
    assert len(serving) <= 4 + 1, serving


def parallel_first_requests(world, random):
    """Six at once without a cookie: all are answered, and later ones converge."""
    session = Session(world)
    threads = [threading.Thread(target=session.get) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    session.pid, session.count = None, 0
    first = session.visit()
    assert session.visit()["pid"] == first["pid"]


def groups_compete(world, random):
    """A group in need takes the room of an idle one, never of a busy one."""
    answers = []
    threads = [threading.Thread(target=lambda path=path: answers.append(world.ask(
        path, headers={"X-Seconds": "0.2"}, timeout=15)))
        for path in ["/hold", "/odd/hold", "/one/hold", "/calm/hold"] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {a.status for a in answers} == {200}, [(a.status, a.body[:80]) for a in answers]


def slow_reader(world, random):
    """Its answer waits for it, its slot does not."""
    with world.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(b"GET /one/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        total = len(connection.recv(1000))
        world.calm.visit()
        while piece := connection.recv(1 << 20):
            total += len(piece)
    assert total > 3_000_000, total


def trickling_head(world, random):
    """A head that never ends is answered 408 in time and costs the others nothing."""
    with world.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-")
        world.calm.visit()
        connection.settimeout(6)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408"), answer[:100]


def no_descriptors_left(world, random):
    """More clients than descriptors: some wait, those there are served, and it passes by itself."""
    crowd = []
    with contextlib.ExitStack() as stack:
        for _ in range(random.randint(250, 320)):
            with contextlib.suppress(OSError):
                crowd.append(stack.enter_context(world.connect(timeout=2)))
        assert world.balancer.admin("/healthz").status == 200
        for connection in crowd[:3]:
            connection.sendall(b"GET /calm/page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    wait_until(lambda: world.ask("/calm/page").status == 200, 10, "room for a client")


FAULTS = [
    races_the_idle_timer, open_tunnel, half_close, leaves_while_queued, crowd_of_strangers,
    parallel_first_requests, groups_compete, slow_reader, trickling_head, no_descriptors_left,
]
