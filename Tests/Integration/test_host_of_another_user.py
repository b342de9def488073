"""A WSGI group of another user, whose runtime folder Mooring has made: the host program is its to import."""

import os
import pwd

import pytest

from balancer import serving

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run others")
APP = """
import os

def application(environ, start_response):
    body = str(os.getuid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


def test_a_wsgi_group_serves_as_another_user():
    text = ('[group.app]\nwsgi = "app.py"\npython = "/usr/bin/python3"\nserver = "wsgiref"\n'
            'user = "nobody"\nprocesses = 1\n')
    with serving(text, files={"app.py": APP}, prepare=lambda folder: folder.chmod(0o755)) as balancer:
        balancer.wait_ready("app", 1)
        assert int(balancer.request("/").body) == pwd.getpwnam("nobody").pw_uid
