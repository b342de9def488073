"""`mooring check` over files of which several parts are wrong: none hides the others."""

import re
import subprocess

import pytest

from balancer import BINARY, ECHO, serving
from test_check import GOOD, check, folder, needs_root  # noqa: F401
from tls import make_authority, make_certificate


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


def test_each_file_that_is_no_pem_is_reported_at_its_line(folder):  # noqa: F811
    make_authority(folder)
    make_certificate(folder, "good", "127.0.0.1")
    for name in "a.pem", "a.key", "b.pem", "c.pem":
        (folder / name).write_text("junk\n")
    done, problems, _ = check(folder, """[[listen]]
address = "127.0.0.1:0"
client_ca = "c.pem"
[[listen.tls]]
certificate = "a.pem"
key = "a.key"
[[listen.tls]]
certificate = "b.pem"
key = "good.key"
""" + GOOD)
    assert done.returncode == 2
    assert [re.match(r"(\d+: \S+): ", line)[1] for line in problems] == [
        "3: listen.client_ca", "5: listen.tls.certificate", "6: listen.tls.key", "8: listen.tls.certificate"], problems


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


@pytest.mark.parametrize("text, sentence", [
    ("", "is empty; name a program"),
    ("echo hello\n", "is a text without a first line like #!/bin/sh; write one"),
    ("#!\n", "begins with #! and no interpreter; write one like #!/bin/sh"),
    ("#!/bin/sh\r\necho\r\n", "has the line ends of Windows, so #!/bin/sh is not found; run: sed -i 's/\\r$//' "),
    ("#!/no/such/sh\n", "begins with #!/no/such/sh, which is not there; correct its first line"),
])
def test_a_script_that_the_kernel_cannot_execute_is_a_problem(folder, text, sentence):  # noqa: F811
    (folder / "program").write_bytes(text.encode())
    (folder / "program").chmod(0o755)
    done, problems, _ = check(folder, '[group.a]\ncommand = ["./program"]\nallow_root = true\n')
    assert done.returncode == 2 and len(problems) == 1
    assert sentence in problems[0]


@pytest.mark.parametrize("keys", ["", 'wsgi = "app.py"\ncommand = ["true"]\n'])
def test_a_group_whose_program_is_not_clear_has_that_problem_alone(folder, keys):  # noqa: F811
    done, problems, _ = check(folder, f"[group.a]\nallow_root = true\n{keys}")
    assert done.returncode == 2 and len(problems) == 1
    assert "PATH" not in problems[0]


@needs_root
def test_all_unknown_groups_are_named(folder):  # noqa: F811
    _, problems, _ = check(folder, GOOD + 'user = "root"\ngroups = ["nogroup1", "root", "nogroup2"]\n')
    assert 'there is no group "nogroup1", there is no group "nogroup2"; give the name' in problems[0]


@needs_root
def test_users_and_groups_may_be_numbers(folder):  # noqa: F811
    done, problems, _ = check(folder, '[group.a]\ncommand = ["true"]\ncwd = "/"\nuser = 65534\ngroup = 65534\ngroups = [0]\n')
    assert done.returncode == 0 and not problems


def test_a_limit_that_keeps_python_from_starting_is_named(folder):  # noqa: F811
    done, problems, _ = check(folder, GOOD + 'rlimits = { as = "10MiB" }\n')
    assert done.returncode == 2 and "it does without rlimits, so raise them" in problems[0]


def test_the_ports_of_its_own_balancer_are_no_finding():
    with serving('[group.a]\nwsgi = "app.py"\n', files={"app.py": ECHO}) as balancer:
        host, port = balancer.address
        text = balancer.file.read_text().replace(f"{host}:0", f"{host}:{port}")
        balancer.file.write_text(text)
        done = subprocess.run([BINARY, "check", str(balancer.file)], capture_output=True, text=True, timeout=60,
                              env=balancer.environment, check=False)
        assert done.returncode == 0 and "in use" not in done.stderr, done.stderr
        # Another file's balancer is another program.
        other = balancer.folder / "other.toml"
        other.write_text(re.sub(r'(?m)^(state|runtime)_dir = "', r'\g<0>/tmp/none', text))
        done = subprocess.run([BINARY, "check", str(other)], capture_output=True, text=True, timeout=60,
                              env=balancer.environment, check=False)
        assert "in use now" in done.stderr, done.stderr
