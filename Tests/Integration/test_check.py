"""`mooring check` over files that are wrong in one way each: the line that is expected, and no other."""

import os
import re
import socket
import subprocess
import sys

import pytest
from balancer import BINARY, VENV
from tls import make_authority, make_certificate

APP = "def application(environ, start_response):\n    return []\n"
NOBODY = 'user = "nobody"'
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")

# What is wrong; the file; the line that is expected, as a regular expression after "FILE:".
# {folder} is the file's folder. A group's line "#" allows root to run it, if that is who runs the tests.
ROOT = "allow_root = true" if os.geteuid() == 0 else "#"
GOOD = '[group.app]\n#\nwsgi = "app.py"\n'
BIG = "x" * (128 * 1024)
WRONG = {
    "a table that is not closed": ("[group.app\nwsgi = 1\n", r"1:11: syntax: .+"),
    "a text that is not closed": ('[group.app]\n#\nwsgi = "app.py\n', r"3:15: syntax: .+"),
    "a key twice": ('[group.app]\n#\nwsgi = "app.py"\nwsgi = "b.py"\n', r"4:\d+: syntax: .+"),
    "no value": ("[group.app]\n#\nwsgi = \n", r"3:8: syntax: has no value.+"),
    "an address without quotes": (
        "[[listen]]\naddress = 127.0.0.1:80\n" + GOOD, r"2:23: syntax: holds a time of day or a text.+"),
    "a zero byte's escape": (GOOD + 'cwd = "a\\u0000"\n', r"4:9: syntax: holds a zero byte.+"),
    "characters before the mistake count once": (
        '[group.app]\n#\nwsgi = "äöü" "b"\n', r"3:14: syntax: .+"),
    "nothing at all": ("", r"1: group: there is none; .+"),
    "no group": ("[log]\nlevel = \"info\"\n", r"1: group: there is none; .+"),
    "a misspelt wsgi": ('[group.app]\n#\nwsig = "app.py"\n', r"3: group\.app\.wsig: unknown key; did you mean wsgi\?"),
    "a misspelt command": (
        '[group.app]\n#\ncomand = ["app"]\n', r"3: group\.app\.comand: unknown key; did you mean command\?"),
    "an abbreviated command": (
        '[group.app]\n#\ncmd = ["app"]\n', r"3: group\.app\.cmd: unknown key; did you mean command\?"),
    "a misspelt group": (
        '[grup.app]\nwsgi = "app.py"\n[routes]\n"/" = "app"\n', r"1: grup: unknown key; did you mean group\?"),
    "misspelt routes of two groups": (
        '[group.a]\n#\nwsgi = "app.py"\n[group.b]\n#\nwsgi = "app.py"\n[rotes]\n"/" = "a"\n',
        r"7: rotes: unknown key; did you mean routes\?"),
    "a misspelt address": (
        '[[listen]]\nadress = "127.0.0.1:0"\n' + GOOD, r"2: listen\.adress: unknown key; did you mean address\?"),
    "a misspelt certificate": (
        '[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\ncertifcate = "cert.pem"\nkey = "cert.key"\n' + GOOD,
        r"4: listen\.tls\.certifcate: unknown key; did you mean certificate\?"),
    "a misspelt max": (
        GOOD + "processes = { min = 0, mx = 3 }\n", r"4: group\.app\.processes\.mx: unknown key; did you mean max\?"),
    "a misspelt token_file": (
        '[admin]\naddress = "127.0.0.1:9000"\ntoken-file = "t"\n' + GOOD,
        r"3: admin\.token-file: unknown key; did you mean token_file\?"),
    "a misspelt cwd, where all else depends on it": (
        '[group.app]\n#\nwsgi = "other/app.py"\ncdw = "sub"\n', r"4: group\.app\.cdw: unknown key; did you mean cwd\?"),
    "a misspelt user, which root has to give": (
        '[group.app]\nwsgi = "app.py"\nusr = "nobody"\n', r"3: group\.app\.usr: unknown key; did you mean user\?"),
    "a misspelt secure": (
        '[affinity]\nsame_site = "none"\nsecur = "always"\n' + GOOD,
        r"3: affinity\.secur: unknown key; did you mean secure\?"),
    "a number in quotes": (GOOD + 'threads = "5"\n', r"4: group\.app\.threads: is \"5\"; needs a number.+"),
    "a duration without a unit": (GOOD + 'idle_timeout = "5"\n', r"4: group\.app\.idle_timeout: is \"5\"; needs.+"),
    "a route to no group": (
        GOOD + '[routes]\n"/" = "ap"\n', r'5: routes\."/": leads to the group "ap", which is not there; .+'),
    "a WSGI file that is not there": (
        '[group.app]\n#\nwsgi = "nope.wsgi"\n',
        r"3: group\.app\.wsgi: no such file: nope\.wsgi \(in {folder}\); .+"),
    "a WSGI file in a folder that is not there": (
        '[group.app]\n#\nwsgi = "no/app.py"\n', r"3: group\.app\.wsgi: no such file: no/app\.py \(in {folder}\); .+"),
    "a WSGI module that is not there": (
        '[group.app]\n#\nwsgi = "nopackage.web:app"\n', r"3: group\.app\.wsgi: \S+ finds no module nopackage\.web .+"),
    "a WSGI file with a mistake": (
        '[group.app]\n#\nwsgi = "broken.py"\n', r"3: group\.app\.wsgi: \S*broken\.py, line 2: .+; correct the file"),
    "a WSGI file without a callable": (
        '[group.app]\n#\nwsgi = "empty.py"\n', r"3: group\.app\.wsgi: \S*empty\.py has nothing named 'application' or 'app'; .+"),
    "a factory that is not called": (
        '[group.app]\n#\nwsgi = "factory.py"\n', r"3: group\.app\.wsgi: .+; name the callable: factory\.py:create_app\(\)"),
    "a factory without its call": (
        '[group.app]\n#\nwsgi = "factory.py:create_app"\n',
        r"3: group\.app\.wsgi: factory\.py:create_app does not take \(environ, start_response\), .+; "
        r"name the callable: factory\.py:create_app\(\)"),
    "a factory with an argument that is no literal": (
        '[group.app]\n#\nwsgi = "factory:create_app(x)"\n',
        r"3: group\.app\.wsgi: factory: write a name, or a call with literal arguments .+, instead of 'create_app\(x\)'"),
    "a factory whose call is not closed": (
        '[group.app]\n#\nwsgi = "factory.py:create_app(\'a\'"\n',
        r"3: group\.app\.wsgi: factory\.py: write a name, or a call .+, instead of 'create_app\('a''"),
    "a factory with too many arguments": (
        '[group.app]\n#\nwsgi = "factory:create_app(1, 2, 3)"\n',
        r"3: group\.app\.wsgi: factory:create_app cannot be called with these arguments; line 1: def create_app\(\)"),
    "granian for an application that patches for gevent": (
        '[group.app]\n#\nwsgi = "patched.py"\nserver = "granian"\n',
        r'4: group\.app\.server: \S*patched\.py patches Python for gevent, .+; set server = "auto"'),
    "an ASGI application": (
        '[group.app]\n#\nwsgi = "asgi.py"\n',
        r'3: group\.app\.wsgi: \S*asgi\.py has an ASGI application; instead of wsgi, set asgi = "asgi\.py"'),
    "a WSGI application under asgi": (
        '[group.app]\n#\nasgi = "app.py:application"\n',
        r'3: group\.app\.asgi: \S*app\.py has a WSGI application; instead of asgi, set wsgi = "app\.py:application"'),
    "an ASGI file that is not there": (
        '[group.app]\n#\nasgi = "nope.py:app"\n', r"3: group\.app\.asgi: no such file: nope\.py \(in {folder}\); .+"),
    "an ASGI factory without its call": (
        '[group.app]\n#\nasgi = "factory:create_app"\n',
        r"3: group\.app\.asgi: factory:create_app does not take \(scope, receive, send\), .+; "
        r"name the callable: factory:create_app\(\)"),
    "an ASGI application without a server": (
        '[group.app]\n#\nasgi = "asgi.py"\npython = "/usr/bin/python3"\n',
        r"1: group\.app\.server: an ASGI application needs one of uvicorn, granian and hypercorn, and none is "
        r"installed for /usr/bin/python3; run '/usr/bin/python3 -m pip install uvicorn'"),
    "a server of WSGI for an ASGI application": (
        '[group.app]\n#\nasgi = "asgi.py"\nserver = "gunicorn"\n',
        r'4: group\.app\.server: is "gunicorn"; needs one of "auto", "uvicorn", "granian", "hypercorn" .+'),
    "wsgi and asgi": (
        '[group.app]\n#\nwsgi = "app.py"\nasgi = "asgi.py"\n',
        r"1: group\.app: has wsgi and asgi; needs exactly one of wsgi, asgi, command and servers"),
    "a file of Paste Deploy that is not there": (
        '[group.app]\n#\nwsgi = "config:nope.ini#main"\n',
        r"3: group\.app\.wsgi: no such file: nope\.ini \(in {folder}\); .+"),
    "a section of Paste Deploy that is not there": (
        '[group.app]\n#\nwsgi = "config:paste.ini#nope"\n',
        r"3: group\.app\.wsgi: paste\.ini has no section \[app:nope\]; name one of its own: config:paste\.ini#main"),
    "Paste Deploy where it is not installed": (
        '[group.app]\n#\nwsgi = "config:paste.ini"\npython = "/usr/bin/python3"\n',
        r"3: group\.app\.wsgi: config:paste\.ini needs Paste Deploy, which is not installed for /usr/bin/python3; .+"),
    "Paste Deploy under asgi": (
        '[group.app]\n#\nasgi = "config:paste.ini"\n',
        r'3: group\.app\.asgi: Paste Deploy makes WSGI applications; instead of asgi, set wsgi = "config:paste\.ini"'),
    "a WSGI file that is a folder": ('[group.app]\n#\nwsgi = "sub"\n', r"3: group\.app\.wsgi: sub is a folder; .+"),
    "a server that is not installed": (
        GOOD + 'server = "granian"\npython = "/usr/bin/python3"\n',
        r"4: group\.app\.server: granian is not installed for /usr/bin/python3; run .+"),
    "a python that is not there": (
        GOOD + 'python = "python9.9"\n', r"4: group\.app\.python: python9\.9 is not on the PATH .+"),
    "a python that is none": (
        GOOD + 'python = "/bin/true"\n', r"4: group\.app\.python: /bin/true does not run Python .+"),
    "a program that is not on the PATH": (
        '[group.app]\n#\ncommand = ["nosuchprogram", "{socket}"]\n',
        r"3: group\.app\.command: nosuchprogram is not on the PATH \S+; .+"),
    "a program by a path that is not there": (
        '[group.app]\n#\ncommand = ["./nope", "{socket}"]\n',
        r"3: group\.app\.command: No such file or directory: {folder}/\./nope; .+"),
    "a program that cannot be executed": (
        '[group.app]\n#\ncommand = ["./app.py", "{socket}"]\n',
        r"3: group\.app\.command: {folder}/\./app\.py cannot be executed; run: chmod \+x .+"),
    "a script whose interpreter is not there": (
        '[group.app]\n#\ncommand = ["./script", "{socket}"]\n',
        r"3: group\.app\.command: {folder}/\./script begins with #!/no/interpreter, which is not there; .+"),
    "a command in one text": (
        '[group.app]\n#\ncommand = ["sleep 60"]\n', r'3: group\.app\.command: .+: \["sleep", "60"\]'),
    "a folder that is not there": (
        GOOD + 'cwd = "nowhere"\n', r"4: group\.app\.cwd: No such file or directory: {folder}/nowhere; .+"),
    "a folder that is a file": (GOOD + 'cwd = "app.py"\n', r"4: group\.app\.cwd: {folder}/app\.py is no folder; .+"),
    "an output file in no folder": (
        GOOD + 'output = "logs/app.log"\n',
        r"4: group\.app\.output: No such file or directory: the folder {folder}/logs; run: mkdir -p {folder}/logs"),
    "an output file that is a folder": (GOOD + 'output = "sub"\n', r"4: group\.app\.output: {folder}/sub is a folder; .+"),
    "an access log in no folder": (
        '[log]\naccess = "logs/access.log"\n' + GOOD,
        r"2: log\.access: No such file or directory: the folder {folder}/logs; run: mkdir -p {folder}/logs"),
    "a certificate that is not there": (
        '[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\ncertificate = "no.pem"\nkey = "cert.key"\n' + GOOD,
        r"4: listen\.tls\.certificate: .*{folder}/no\.pem.*"),
    "a key of another certificate": (
        '[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\ncertificate = "cert.pem"\nkey = "other.key"\n' + GOOD,
        r"5: listen\.tls\.key: .*{folder}/other\.key.*"),
    "a token file that is not there": (
        '[admin]\naddress = "127.0.0.1:9000"\ntoken_file = "no.token"\n' + GOOD,
        r"3: admin\.token_file: .*no\.token.*"),
    "a read token file that is not there": (
        '[admin]\naddress = "127.0.0.1:9000"\ntoken_file = "good.token"\nread_token_file = "no.token"\n' + GOOD,
        r"4: admin\.read_token_file: read_token_file {folder}/no\.token: No such file or directory"),
    "a read token file that is a folder": (
        '[admin]\ntoken_file = "good.token"\nread_token_file = "sub"\n' + GOOD,
        r"3: admin\.read_token_file: read_token_file {folder}/sub is not a plain file"),
    "a page for errors that is not there": (
        GOOD + 'errors = { 503 = "busy.html" }\n',
        r"4: group\.app\.errors\.503: cannot read {folder}/busy\.html: No such file or directory; needs a page of at most 16 KiB"),
    "a page for errors that is a folder": (
        GOOD + 'errors = { 503 = "sub" }\n', r"4: group\.app\.errors\.503: cannot read {folder}/sub: Is a directory; .+"),
    "a page for errors that is too large": (
        GOOD + 'errors = { 503 = "large.html" }\n', r"4: group\.app\.errors\.503: cannot read {folder}/large\.html: it is too large; .+"),
    "a page for errors of a route that is not there": (
        GOOD + '[routes]\n"/" = "app"\n"/x" = { group = "app", errors = { 502 = "nope.html" } }\n',
        r'6: routes\."/x"\.errors\.502: cannot read {folder}/nope\.html: .+'),
    "a page for errors of a group that no route leads to": (
        GOOD + '[group.other]\nservers = ["127.0.0.1:9"]\nerrors = { 503 = "nope.html" }\n[routes]\n"/" = "app"\n',
        r"6: group\.other\.errors\.503: cannot read {folder}/nope\.html: .+"),
    "servers under server": (
        '[group.app]\nserver = ["127.0.0.1:9", "127.0.0.1:10"]\n',
        r"2: group\.app\.server: is a list; did you mean servers\?"),
    "an authority of clients that is not there": (
        '[[listen]]\naddress = "127.0.0.1:0"\nclient_ca = "nope.pem"\n[[listen.tls]]\ncertificate = "cert.pem"\n'
        'key = "cert.key"\n' + GOOD,
        r"3: listen\.client_ca: .*{folder}/nope\.pem.*"),
    "an authority of servers that is not there": (
        '[group.app]\nservers = [{ address = "https://10.0.0.1:1", ca = "nope.pem" }]\n',
        r"2: group\.app\.servers\.ca: .*{folder}/nope\.pem.*"),
    "an admin socket in no folder": (
        '[admin]\naddress = "unix:/nowhere/admin.sock"\n' + GOOD,
        r"2: admin\.address: No such file or directory: the folder /nowhere; .+"),
    "keys in no folder": (
        '[affinity]\nkeys = "nowhere/session.keys"\n' + GOOD,
        r"2: affinity\.keys: No such file or directory: the folder {folder}/nowhere; .+"),
    "a state directory that is a file": (
        'state_dir = "app.py"\n' + GOOD, r"1: state_dir: {folder}/app\.py is no folder; name one"),
    "a runtime directory that is a file": (
        'runtime_dir = "app.py"\n' + GOOD, r"1: runtime_dir: {folder}/app\.py is no folder; name one"),
    "keys that others can read": (
        '[affinity]\nkeys = "open.keys"\n' + GOOD, r"2: affinity\.keys: {folder}/open\.keys holds secrets .+"),
    "a user that is not there": (
        GOOD + 'user = "nosuchuser"\n', r'4: group\.app\.user: there is no user "nosuchuser"; .+'),
    "a group of users that is not there": (
        GOOD + 'group = "nosuchgroup"\nuser = "nobody"\n',
        r'4: group\.app\.group: there is no group "nosuchgroup"; .+'),
    "a variable of more than 128 KiB": (
        GOOD + f'[group.app.env]\nSMALL = "x"\nBIG = "{BIG}"\n',
        r"6: group\.app\.env\.BIG: has 131076 bytes with its name, .+"),
    "an argument of more than 128 KiB": (
        f'[group.app]\n#\ncommand = ["sleep", "{BIG}"]\n', r"3: group\.app\.command: has an argument of 131072 bytes; .+"),
    "a socket in no folder": (
        '[[listen]]\naddress = "unix:/nowhere/app.sock"\n' + GOOD,
        r"2: listen\.address: No such file or directory: the folder /nowhere; .+"),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("x = 1\ny = (\n")
    (tmp_path / "factory.py").write_text("def create_app():\n    return None\n")
    (tmp_path / "patched.py").write_text(f"from gevent import monkey\nmonkey.patch_all()\n{APP}")
    (tmp_path / "asgi.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    (tmp_path / "paste.ini").write_text("[app:main]\nuse = call:app:make\n[server:main]\nuse = egg:waitress#main\n")
    (tmp_path / "sub").mkdir()
    script = tmp_path / "script"
    script.write_text("#!/no/interpreter\n")
    script.chmod(0o755)
    (tmp_path / "large.html").write_text("x" * 16385)
    token = tmp_path / "good.token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    keys = tmp_path / "open.keys"
    keys.write_text("k1 " + "0" * 64 + "\n")
    keys.chmod(0o644)
    return tmp_path


def check(folder, text, *arguments, top=True, environment=None):
    """The report about a file: warnings and problems by line, their position without the file's name."""
    file = folder / "mooring.toml"
    file.write_text(text.replace("\n#\n", f"\n{ROOT}\n"))
    done = subprocess.run(
        [BINARY, "check", *(arguments or [str(file)])], capture_output=True, text=True, timeout=60, check=False,
        cwd=folder, env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}", "STATE_DIRECTORY": f"{folder}/state",
                         "RUNTIME_DIRECTORY": f"{folder}/run", **(environment or {})})
    lines = [line.removeprefix(f"{file}:") for line in done.stderr.splitlines()]
    problems = [line for line in lines if "warning: " not in line and not line.startswith("mooring: ")]
    return done, problems, [line for line in lines if line not in problems]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_has_the_expected_line_and_no_other(folder, name):
    if "certificate" in name or "authority" in name:
        make_authority(folder)
        make_certificate(folder, "cert", "127.0.0.1")
        make_certificate(folder, "other", "127.0.0.1")
    text, expected = WRONG[name]
    done, problems, _ = check(folder, text)
    assert done.returncode == 2, done
    pattern = expected.replace("{folder}", re.escape(str(folder)))
    assert len(problems) == 1 and re.fullmatch(pattern, problems[0]), (pattern, problems)


def test_there_are_more_than_thirty_wrong_files():
    assert len(WRONG) > 30


def test_problems_of_every_kind_are_told_at_once(folder):
    done, problems, _ = check(folder, """[[listen]]
address = "127.0.0.1:0"
[[listen.tls]]
certificate = "no.pem"
key = "no.key"
[timeouts]
idle = "soon"
[group.a]
servers = [{ address = "https://10.0.0.1:1", ca = "nope.pem" }]
[group.b]
#
command = ["nosuchprogram", "{socket}"]
output = "logs/b.log"
[group.c]
#
wsgi = "nope.py"
thredas = 5
[routes]
"/" = "a"
"/b" = "b"
"/c" = "d"
""")
    assert done.returncode == 2
    keys = [re.match(r"\d+: (\S+): ", line)[1] for line in problems]
    assert keys == ["listen.tls.certificate", "listen.tls.key", "timeouts.idle", "group.a.servers.ca", "group.b.command",
                    "group.b.output", "group.c.wsgi", "group.c.thredas", 'routes."/c"'], problems


def test_serve_tells_problems_of_every_kind_as_well(folder):
    file = folder / "mooring.toml"
    file.write_text(f'[group.app]\n{ROOT}\nwsgi = "nope.py"\n' + 'threads = "x"\noutput = "logs/x"\n')
    done = subprocess.run([BINARY, "serve", "-c", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    for word in ("group.app.wsgi", "group.app.threads", "group.app.output"):
        assert word in done.stderr, done


def test_the_file_can_be_named_with_and_without_an_option(folder):
    for arguments in (["mooring.toml"], ["-c", "mooring.toml"], []):
        done, problems, _ = check(folder, GOOD, *arguments) if arguments else check(folder, GOOD)
        assert done.returncode == 0 and not problems and done.stdout.endswith("mooring.toml: good\n"), done
    assert check(folder, GOOD, "mooring.toml", "-c", "mooring.toml")[0].returncode == 2


def test_check_leaves_nothing_behind(folder):
    before = sorted(folder.iterdir())
    done, _, _ = check(folder, GOOD)
    assert done.returncode == 0
    assert sorted(set(folder.iterdir()) - {folder / "mooring.toml"}) == before


def test_a_port_in_use_is_a_warning(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done, problems, warnings = check(folder, f'[[listen]]\naddress = "{address}"\n' + GOOD)
        assert done.returncode == 0 and not problems
        assert re.fullmatch(rf"2: warning: listen\.address: {re.escape(address)} is in use now, by a program of .+",
                            warnings[0]), warnings


def test_connections_beyond_the_limit_of_open_files_are_a_warning(folder):
    file = folder / "mooring.toml"
    file.write_text("[limits]\nconnections = 5000\n" + GOOD.replace("#", ROOT))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 512; exec {BINARY} check {file}"], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"})
    assert done.returncode == 0
    assert f"{file}:2: warning: limits.connections: is 5000, and the limit of open files, 512, has room for" \
        in done.stderr, done.stderr


def test_variables_of_more_than_the_system_hands_over_together_are_told(folder):
    file = folder / "mooring.toml"
    file.write_text(GOOD.replace("#", ROOT) + "[group.app.env]\n" + "".join(f'V{n} = "{BIG[:100_000]}"\n' for n in range(3)))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -s 1024; exec {BINARY} check {file}"], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"})
    assert done.returncode == 2
    assert re.search(r":4: group\.app\.env: has 30\d{4} bytes together with the arguments, .+ 262144;", done.stderr), done


def test_more_threads_than_a_process_may_open_files_are_a_warning(folder):
    done, problems, warnings = check(folder, GOOD + "threads = 100\nrlimits = { nofile = 64 }\n")
    assert done.returncode == 0 and not problems
    assert any("group.app.rlimits.nofile: a process may open 64 files, too few for 100 requests at once" in line
               for line in warnings), warnings


@needs_root
@pytest.mark.parametrize("what, expected", [
    ("file", r"\d: group\.app\.wsgi: {folder}/app\.py cannot be read by this user: Permission denied; .+"),
    ("folder", r"\d: group\.app\.cwd: Permission denied: {folder} \(cwd\).*"),
    ("python", r"\d: group\.app\.python: .*(Permission denied|cannot be executed|may not execute).*"),
])
def test_what_the_groups_user_may_not_use_is_told(tmp_path_factory, what, expected):
    folder = tmp_path_factory.mktemp("users")
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and str(parent) not in ("/", "/tmp"):
            parent.chmod(0o755)
    (folder / "app.py").write_text(APP)
    python = folder / "python"
    python.write_text("#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n")
    python.chmod(0o755)
    {"file": folder / "app.py", "folder": folder, "python": python}[what].chmod(0o700 if what != "file" else 0o600)
    done, problems, _ = check(folder, GOOD + f'python = "{python}"\n{NOBODY}\n')
    assert done.returncode == 2 and len(problems) == 1, problems
    assert re.fullmatch(expected.replace("{folder}", re.escape(str(folder))), problems[0]), problems


def test_a_good_file_with_a_package_and_a_factory_is_good(folder):
    package = folder / "mysite"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('check runs nothing of an application')\n")
    (package / "wsgi.py").write_text("import os\napplication = object()\ndef make(x): return x\n")
    for name in ("mysite.wsgi", "mysite.wsgi:application", "mysite/wsgi.py", "mysite.wsgi:make(1)"):
        done, problems, _ = check(folder, f'[group.app]\n#\nwsgi = "{name}"\npython = "{sys.executable}"\n')
        assert done.returncode == 0 and not problems, (name, problems)
