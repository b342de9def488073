"""Which server serves, and the bounds that all of them get."""

import importlib.metadata
import importlib.util
import sys

BACKLOG = 1024
# Mooring opens as many connections as it has concurrent requests; this only bounds a mistake.
CONNECTIONS = 4096
# No less than Mooring forwards, including what it adds.
FIELDS = 1000
FIELD_SIZE = 1 << 20
# Longer than Mooring keeps an idle connection: the side that reuses connections closes them.
KEEPALIVE_SECONDS = 3600


def first_installed(servers, name):
    """Of servers by their modules, the one of that name, or for `auto` the first that is there."""
    for candidate, module in servers.items():
        if name not in ("auto", candidate):
            continue
        if module is None or importlib.util.find_spec(module):
            return candidate
        if name == candidate:
            sys.exit(f"mooring_host: {name} is not installed for {sys.executable}; "
                     f"run '{sys.executable} -m pip install {name}' or set server = \"auto\"")
    if name != "auto":
        sys.exit(f"mooring_host: {name} does not serve such an application; set server = \"auto\"")
    *most, last = servers
    sys.exit(f"mooring_host: an ASGI application needs a server, and none of {', '.join(most)} and {last} is "
             f"installed for {sys.executable}; run '{sys.executable} -m pip install {most[0]}'")


def tell(server, application, bound):
    """Says which server was chosen, for who has not chosen one."""
    name = "the standard library's server"
    if server != "wsgiref":
        name = f"{server} {importlib.metadata.version(server)}"
    print(f"mooring_host: {application} is served by {name} with {bound}", file=sys.stderr, flush=True)
