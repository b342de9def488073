"""An unmodified Django site in two groups, with its sessions in its processes' memory."""

import concurrent.futures
import os
import re
import subprocess
import sys

import pytest
import requests

from balancer import ROOT, serving, wait_until

PASSWORD = "ahoy"
EXAMPLE = ROOT / "Examples/django"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=EXAMPLE, check=True,
        env={**os.environ, "EXAMPLE_DATA": str(folder)}, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def site(data):
    text = (EXAMPLE / "mooring.toml").read_text()
    text = re.sub(r'(?m)^wsgi = .*$', rf'\g<0>\ncwd = "{EXAMPLE}"\npass_env = ["EXAMPLE_DATA"]', text)
    with serving(text, EXAMPLE_DATA=str(data)) as balancer:
        balancer.wait_ready("django", 3)
        balancer.wait_ready("django-admin", 1)
        yield balancer


class Visitor:
    def __init__(self, site, name, keeps_cookie=True):
        self.base = "http://{}:{}".format(*site.address)
        self.name, self.keeps_cookie = name, keeps_cookie
        self.session = requests.Session()

    def get(self, path):
        if not self.keeps_cookie:
            self.forget()
        answer = self.session.get(self.base + path, timeout=60)
        answer.raise_for_status()
        return answer

    def forget(self):
        """Drops Mooring's cookie alone, and the connection, which is a pin for its first seconds."""
        for cookie in list(self.session.cookies):
            if cookie.name == "mooring":
                self.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
        for adapter in self.session.adapters.values():
            adapter.close()

    def log_in(self, path="/login/"):
        form = self.get(path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form).group(1)
        answer = self.session.post(
            self.base + path, timeout=60, headers={"Referer": self.base + path},
            data={"csrfmiddlewaretoken": token, "username": self.name, "password": PASSWORD, "next": "/"})
        answer.raise_for_status()

    def visit(self, count):
        self.log_in()
        return [self.get("/whoami").json() for _ in range(count)]


def test_twenty_visitors_at_once_stay_logged_in_each_on_one_process(site):
    visitors = [Visitor(site, f"visitor{number}") for number in range(1, 21)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        seen = list(pool.map(lambda visitor: visitor.visit(30), visitors))
    for visitor, facts in zip(visitors, seen):
        assert {fact["user"] for fact in facts} == {visitor.name}
        assert len({fact["pid"] for fact in facts}) == 1
        assert facts[-1]["served"] >= 30
        assert facts[0]["multiprocess"] is True and facts[0]["multithread"] is True
    assert {facts[0]["pid"] for facts in seen} == set(site.pids("django"))


def test_without_the_cookie_the_login_does_not_hold(site):
    users = {fact["user"] for fact in stray_visit(site)}
    assert None in users


def stray_visit(site):
    visitor = Visitor(site, "visitor1")
    visitor.log_in()
    visitor.keeps_cookie = False
    return [visitor.get("/whoami").json() for _ in range(12)]


def test_the_admin_site_is_served_by_its_own_process_and_both_sessions_hold(site):
    visitor = Visitor(site, "admin")
    before = visitor.visit(2)[-1]
    visitor.log_in("/admin/login/")
    assert "Site administration" in visitor.get("/admin/").text
    admin_pid = site.pids("django-admin")
    assert len(admin_pid) == 1
    # The visit there has not taken the session here away.
    after = visitor.get("/whoami").json()
    assert (after["user"], after["pid"]) == ("admin", before["pid"])
    served = {p["pid"]: p["requests_total"] for p in site.group("django-admin")["processes"]}
    assert served[admin_pid[0]] >= 3
    lines = wait_until(
        lambda: [line for line in site.log.splitlines() if '"GET /admin/ ' in line])
    assert all(" django-admin " in line for line in lines)
