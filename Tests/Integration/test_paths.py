"""Which group a path reaches, and what of it the process sees, whatever spelling the client chooses."""

import pytest

import http2
from balancer import serving, wait_until
from origin import Origin


@pytest.fixture(scope="module")
def origins():
    with Origin() as site, Origin() as admin:
        yield site, admin


@pytest.fixture(scope="module")
def balancer(origins):
    site, admin = origins
    configuration = f"""[group.site]
servers = [{site.server}]
threads = 50
[group.admin]
servers = [{admin.server}]
threads = 50
[routes]
"/" = "site"
"/admin" = "admin"
"/cut" = {{ group = "admin", strip_prefix = true }}
"""
    with serving(configuration) as balancer:
        yield balancer


def http1(balancer, target):
    out = balancer.raw(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return int(out.split(b" ")[1])


def absolute(balancer, target):
    return http1(balancer, f"http://a{target}")


def over_http2(balancer, target):
    with http2.Connection(balancer.address) as connection:
        return connection.get(http2.request(target)).status


CLIENTS = pytest.mark.parametrize("ask", [http1, absolute, over_http2])

REFUSED = [
    "/x/..;/admin", "/x/.;/admin", "/x/..;a=b/admin", "/x/%2e%2e;/admin", "/x/..%3b/admin", "/x/%2e.%3Bv/admin",
    "/..;/admin", "/x%2f../admin", "/x/..%2fadmin", "/x%2F%2e%2e%2Fadmin", "/x\\..\\admin", "/x%5cadmin",
    "/%5C/admin", "/admin\\x", "/..", "/../admin", "/x/../../admin", "/%2e%2e/admin", "/x;%2f../admin",
]


@CLIENTS
@pytest.mark.parametrize("target", REFUSED)
def test_a_path_that_servers_read_differently_is_refused_and_reaches_no_process(balancer, origins, ask, target):
    before = [len(origin.requests) for origin in origins]
    assert ask(balancer, target) == 400
    assert [len(origin.requests) for origin in origins] == before


REACHED = [
    ("/admin;v=1/x", "admin", "/admin;v=1/x"),
    ("/admin;jsessionid=1", "admin", "/admin;jsessionid=1"),
    ("/%61dmin%3bv=1/x", "admin", "/%61dmin%3bv=1/x"),
    ("/;x/admin", "admin", "/;x/admin"),
    ("/x/../admin/y", "admin", "/admin/y"),
    ("/x/%2e%2E/admin?q=/../z", "admin", "/admin?q=/../z"),
    ("/x/./y/.", "site", "/x/y/"),
    ("/admin/../x", "site", "/x"),
    ("/admin/..", "site", "/"),
    ("/x;a=b/../y;c=d", "site", "/y;c=d"),
    ("/a?path=C:\\Temp\\x", "site", "/a?path=C:\\Temp\\x"),
    ("/cut;v=1/x;w=2", "admin", "/x;w=2"),
    ("/x/../cut/y/../z?q", "admin", "/z?q"),
    ("/.../x..y", "site", "/.../x..y"),
    ("/a%2fb", "site", "/a%2fb"),
]


@CLIENTS
@pytest.mark.parametrize("target, group, seen", REACHED)
def test_a_path_reaches_the_group_of_what_its_process_sees(balancer, origins, ask, target, group, seen):
    site, admin = origins
    before = len(site.requests), len(admin.requests)
    assert ask(balancer, target) == 200
    lines = [request[0] for origin, old in zip(origins, before) for request in origin.requests[old:]]
    assert lines == [f"GET {seen} HTTP/1.1"]
    assert (len(admin.requests) > before[1]) == (group == "admin")


def test_the_access_log_shows_the_path_that_the_client_sent(balancer):
    http1(balancer, "/log/../shown")
    lines = wait_until(lambda: [line for line in balancer.log.splitlines() if "shown" in line])
    assert '"GET /log/../shown HTTP/1.1" 200 ' in lines[0]
