"""Logs five visitors in through Django's own form and tells which process each was moored to."""

import http.cookiejar
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PASSWORD = "ahoy"
VISITORS = 5
PAGES = 20


class Visitor:
    """A browser in small: one cookie jar, a new connection for each request."""

    def __init__(self, base, name):
        self.base, self.name = base, name
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path):
        with self.opener.open(self.base + path, timeout=30) as answer:
            return answer.read().decode()

    def log_in(self):
        form = self.get("/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form).group(1)
        fields = {"csrfmiddlewaretoken": token, "username": self.name, "password": PASSWORD, "next": "/"}
        request = urllib.request.Request(
            self.base + "/login/", data=urllib.parse.urlencode(fields).encode(),
            headers={"Referer": self.base + "/login/"})
        with self.opener.open(request, timeout=30) as answer:
            answer.read()

    def forget_mooring(self):
        for cookie in list(self.jar):
            if cookie.name == "mooring":
                self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def who_am_i(self):
        return json.loads(self.get("/whoami"))


def wait_until_ready(base):
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(base + "/", timeout=30).read()
            return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                sys.exit("the site did not come up within a minute")
            time.sleep(0.1)


def visit(visitor):
    """The processes that served the visitor, and whether the login held all the time."""
    seen = [visitor.who_am_i() for _ in range(PAGES)]
    return seen, all(facts["user"] == visitor.name for facts in seen)


def main():
    base = sys.argv[1]
    wait_until_ready(base)
    failed = False
    print(f"{'visitor':<10} {'process':<18} {'served there':<13} logged in")
    for number in range(1, VISITORS + 1):
        visitor = Visitor(base, f"visitor{number}")
        visitor.log_in()
        seen, held = visit(visitor)
        pids = sorted({f"{facts['pid']} ({facts['process']})" for facts in seen})
        print(f"{visitor.name:<10} {', '.join(pids):<18} {seen[-1]['served']:<13} {'yes' if held else 'NO'}")
        failed |= len(pids) != 1 or not held or seen[-1]["served"] < PAGES

    # Without the cookie nothing holds a session to its process: the login is lost on the way.
    stray = Visitor(base, "visitor1")
    stray.log_in()
    lost = 0
    for _ in range(PAGES):
        stray.forget_mooring()
        lost += stray.who_am_i()["user"] is None
    print(f"without the cookie \"mooring\", visitor1 was unknown to {lost} of {PAGES} pages")
    failed |= lost == 0
    print("failed" if failed else "every session kept to its process")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
