"""The processes of a WSGI application outlive the balancer under every server that hosts it."""

import signal

import pytest

from balancer import serving
from wsgi_host import SERVERS, is_installed

COUNTING = """
import os

visits = 0

def application(environ, start_response):
    global visits
    visits += 1
    start_response("200 OK", [("X-Process", str(os.getpid())), ("X-Affinity", environ["mooring.affinity"])])
    return [str(visits).encode()]
"""
INSTALLED = list(filter(is_installed, SERVERS))


def killed(balancer):
    balancer.crash()
    balancer.start()


def left(balancer):
    balancer.process.send_signal(signal.SIGUSR2)
    balancer.process.wait(20)
    balancer.process.stdout.close()
    balancer.start()


@pytest.mark.parametrize("change", [killed, left, lambda balancer: balancer.take_over()], ids=["kill", "leave", "take-over"])
def test_a_session_goes_on_in_its_process_under_the_next_balancer(change):
    groups = "".join(f'[group.{name}]\nwsgi = "app.py"\nserver = "{name}"\nprocesses = 1\n' for name in INSTALLED)
    routes = "".join(f'"/{name}" = "{name}"\n' for name in INSTALLED)
    with serving(f'{groups}[routes]\n{routes}', files={"app.py": COUNTING}) as balancer:
        first = {name: balancer.request(f"/{name}") for name in INSTALLED}
        change(balancer)
        # Several: gunicorn looks at its parent after each.
        for visits in range(2, 8):
            for name, answer in first.items():
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
                again = balancer.request(f"/{name}", headers={"Cookie": cookie})
                assert (again.status, again.body, again.headers["X-Affinity"]) == (200, str(visits).encode(), "kept"), name
                assert again.headers["X-Process"] == answer.headers["X-Process"]
