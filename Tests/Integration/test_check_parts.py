"""`mooring check` over files of which several parts are wrong: none hides the others."""

import re

from test_check import GOOD, check, folder, needs_root  # noqa: F401


def test_what_is_wrong_with_a_part_hides_nothing_of_the_rest(folder):  # noqa: F811
    done, problems, _ = check(folder, """[[listen]]
address = "127.0.0.1:99999"
client_ca = "no.ca"
[[listen.tls]]
certificate = "no.pem"
key = "no.key"
[[listen.tls]]
certificate = "no2.pem"
[group.a]
#
command = ["nosuchprogram", "{sokcet}"]
rlimits = { nofile = 99999999999 }
cwd = "nowhere"
output = "logs/a.log"
[group.b]
#
command = ["nosuchprogram"]
rlimits = { nofile = 99999999999 }
[group.c]
#
command = 5
cwd = "nowhere"
errors = { 503 = "busy.html" }
[group.d]
wsgi = "nope.py"
user = "nosuchuser"
[routes]
"/" = "a"
"/b" = "b"
"/c" = "c"
"/d" = "d"
""")
    assert done.returncode == 2
    keys = [re.match(r"\d+: (\S+): ", line)[1] for line in problems]
    assert keys == ["listen.address", "listen.client_ca", "listen.tls.certificate", "listen.tls.key", "listen.tls",
                    "listen.tls.certificate", "group.a.command", "group.a.rlimits.nofile", "group.a.cwd", "group.a.output",
                    "group.b.command", "group.b.rlimits.nofile", "group.c.command", "group.c.cwd", "group.c.errors.503",
                    "group.d.wsgi", "group.d.user"], problems


@needs_root
def test_more_open_files_than_the_system_allows_are_told_with_its_bound(folder):  # noqa: F811
    done, problems, _ = check(folder, GOOD + "rlimits = { nofile = 99999999999 }\n")
    assert done.returncode == 2 and len(problems) == 1
    most = open("/proc/sys/fs/nr_open").read().strip()
    assert problems[0].endswith(f"no process may open more than {most} files (fs.nr_open); set less, or raise that")


def test_strict_transport_security_for_clear_text_is_a_warning(folder):  # noqa: F811
    listen = '[[listen]]\naddress = "127.0.0.1:0"\nheaders = { Strict-Transport-Security = "max-age=1" }\n'
    done, problems, warnings = check(folder, listen + GOOD)
    assert done.returncode == 0 and not problems
    assert any("listen.headers: Strict-Transport-Security is sent over https alone" in line for line in warnings), warnings
    done, problems, warnings = check(folder, listen + 'trusted_proxies = ["10.0.0.1"]\n' + GOOD)
    assert done.returncode == 0 and not any("Strict-Transport" in line for line in warnings), warnings
