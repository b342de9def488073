"""What an ASGI application is told about its request: the same under every server."""

from urllib.parse import quote, unquote, unquote_to_bytes

from mooring_mount import mount_of
from mooring_request import PATH_OCTETS, split_host

# Of a connection with a client that has no port of its own here, as behind all proxies.
NO_PORT = 0
# Those of which Mooring says something to the host alone.
TARGET, OCTETS = b"mooring-target", b"mooring-octets"
SESSION, AFFINITY = b"mooring-session", b"mooring-affinity"
ADDRESSES, SCHEME, PREFIX = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-prefix"
READ = {b"host", TARGET, OCTETS, SESSION, AFFINITY, ADDRESSES, SCHEME, PREFIX}


class Context:
    """Completes the scope of a request.

    Over the unix socket the only peer is Mooring, so that its fields can be believed; a port can be
    reached by everybody on the machine.
    """

    def __init__(self, environ, name):
        # The application's, as it was given.
        self.name = name
        self.trusts_peer = bool(environ.get("MOORING_SOCKET"))
        # The lifespan's, once it has started.
        self.state = {}
        self.facts = {
            "group": environ.get("MOORING_GROUP", ""),
            "process": environ.get("MOORING_PROCESS", ""),
            "multiprocess": environ.get("MOORING_MULTIPROCESS") == "1",
        }

    def complete(self, scope):
        is_socket = scope["type"] == "websocket"
        headers, read = [], {}
        for name, value in scope["headers"]:
            name = name.lower()
            if name in READ:
                if self.trusts_peer and name in (TARGET, OCTETS):
                    read[name] = read[name] + b"," + value if name in read else value
                    continue
                read.setdefault(name, value)
            headers.append((name, value))
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4" if is_socket else "2.3"}
        scope["state"] = self.state.copy()
        scope["mooring"] = facts = self.facts.copy()
        denial = "websocket.http.response"
        scope["extensions"] = {denial: {}} if is_socket and denial in (scope.get("extensions") or {}) else {}
        raw_path = scope.get("raw_path") or quote(scope["path"], PATH_OCTETS).encode("ascii")
        prefix, secure = "", False
        if self.trusts_peer:
            restore(headers, read.get(OCTETS, b""))
            raw_path = read.get(TARGET, raw_path).partition(b"?")[0]
            facts["session"] = read.get(SESSION, b"").decode("latin-1")
            facts["affinity"] = read.get(AFFINITY, b"").decode("latin-1")
            # The last address is the one that Mooring itself has seen.
            address = read.get(ADDRESSES, b"").rpartition(b",")[2].strip().decode("latin-1")
            scope["client"] = (address, NO_PORT) if address else None
            secure = read.get(SCHEME) == b"https"
            scope["scheme"] = ("wss" if secure else "ws") if is_socket else ("https" if secure else "http")
            prefix = mount_of(read.get(PREFIX, b"").decode("latin-1"))
        scope["headers"] = headers
        raw_path = prefix.encode("ascii", "replace") + raw_path
        scope["root_path"] = unquote(prefix)
        scope["raw_path"], scope["path"] = raw_path, unquote(raw_path.decode("latin-1"))
        host, port = split_host(read.get(b"host", b"").decode("latin-1"))
        scope["server"] = (host or "localhost", int(port or (443 if secure else 80)))


def restore(headers, octets):
    """Puts back fields that a server loses when they are above ASCII; Mooring repeats them by `%`."""
    for field in filter(None, octets.split(b",")):
        name, _, value = field.strip().partition(b"=")
        name = name.lower()
        index = next((index for index, field in enumerate(headers) if field[0] == name), None)
        if index is None:
            headers.append((name, unquote_to_bytes(value)))
        elif not headers[index][1]:
            headers[index] = (name, unquote_to_bytes(value))
