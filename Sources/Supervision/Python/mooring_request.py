"""The environment of a request: the same under every server."""

import io
from urllib.parse import quote, unquote_to_bytes

from mooring_mount import mount

# The characters allowed unescaped in a path (RFC 3986 section 3.3).
PATH_OCTETS = "/~!$&'()*+,;=:@"


class BodyBrokeOff(ConnectionResetError):
    """The client left in the middle of its request."""


class Context:
    """Completes the environment of a request.

    Over the unix socket the only peer is Mooring, so that its fields can be believed; a port can be
    reached by everybody on the machine.
    """

    def __init__(self, threads, environ, errors, name):
        # The application's own, unchanged.
        self.name = name
        self.trusts_peer = bool(environ.get("MOORING_SOCKET"))
        self.fixed = {
            "wsgi.version": (1, 0),
            "wsgi.errors": errors,
            "wsgi.file_wrapper": FileWrapper,
            "wsgi.input_terminated": True,
            "wsgi.run_once": False,
            "wsgi.multithread": threads > 1,
            "wsgi.multiprocess": environ.get("MOORING_MULTIPROCESS") == "1",
            "mooring.group": environ.get("MOORING_GROUP", ""),
            "mooring.process": environ.get("MOORING_PROCESS", ""),
        }

    def complete(self, environ):
        environ.update(self.fixed)
        length = environ.get("CONTENT_LENGTH", "")
        if length not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = io.BufferedReader(Input(environ["wsgi.input"], length), 65536)
        elif "HTTP_UPGRADE" not in environ:
            # Some servers' own cannot be read without a body. WebSocket libraries look for the
            # connection behind it.
            environ["wsgi.input"] = io.BytesIO()
        if self.trusts_peer:
            restore(environ)
        environ["SERVER_SOFTWARE"] = environ.get("SERVER_SOFTWARE") or "mooring"
        name_target(environ)
        if self.trusts_peer:
            believe(environ)
        host, port = split_host(environ.get("HTTP_HOST", ""))
        secure = environ["wsgi.url_scheme"] == "https"
        environ["SERVER_NAME"] = host or "localhost"
        environ["SERVER_PORT"] = port or ("443" if secure else "80")


def restore(environ):
    """Restores what ASCII-only servers lose, from two fields that Mooring adds."""
    target = environ.pop("HTTP_MOORING_TARGET", None)
    if target and not (environ.get("RAW_URI") or environ.get("REQUEST_URI")):
        environ["RAW_URI"] = target
    for field in filter(None, environ.pop("HTTP_MOORING_OCTETS", "").split(",")):
        name, _, value = field.strip().partition("=")
        key = "HTTP_" + name.upper().replace("-", "_")
        if key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            key = key.removeprefix("HTTP_")
        if not environ.get(key):
            environ[key] = unquote_to_bytes(value).decode("latin-1")


def name_target(environ):
    """Sets `REQUEST_URI` and `RAW_URI`, which not all servers provide."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not target:
        target = quote(environ.get("PATH_INFO", "").encode("latin-1"), PATH_OCTETS)
        if environ.get("QUERY_STRING"):
            target += "?" + environ["QUERY_STRING"]
    elif target.startswith("//"):
        # waitress removes all leading slashes but one.
        environ["PATH_INFO"] = unquote_to_bytes(target.partition("?")[0]).decode("latin-1")
    environ["RAW_URI"] = environ["REQUEST_URI"] = target


def believe(environ):
    """Applies Mooring's fields about the session, the client, and the mount point."""
    environ["mooring.session"] = environ.get("HTTP_MOORING_SESSION", "")
    environ["mooring.affinity"] = environ.get("HTTP_MOORING_AFFINITY", "")
    # The last address is the one that Mooring itself has seen.
    environ["REMOTE_ADDR"] = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    for name in ("REMOTE_PORT", "REMOTE_HOST"):
        environ.pop(name, None)
    secure = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
    environ["wsgi.url_scheme"] = "https" if secure else "http"
    if secure:
        environ["HTTPS"] = "on"
    mount(environ)


def split_host(authority):
    """Name and port of a Host field; brackets around an IPv6 address stay."""
    name, colon, port = authority.rpartition(":")
    if colon and port.isascii() and port.isdigit():
        return name, port
    return authority, ""


class Input(io.RawIOBase):
    """A request's body below its buffer, which compensates for differences between servers.

    granian's `readline` loses bytes, and to granian and gunicorn a body that breaks off has ended:
    half an upload would pass for the whole. Here it is an OSError, as in the better servers.
    """

    def __init__(self, stream, length):
        self.stream = stream
        self.left = int(length) if length.isascii() and length.isdigit() else None

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.take(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self):
        return b"".join(iter(lambda: self.take(1 << 18), b""))

    def take(self, size):
        if self.left is None:
            return self.stream.read(size)
        data = self.stream.read(min(size, self.left)) if self.left else b""
        if self.left and not data:
            raise BodyBrokeOff("the request's body broke off")
        self.left -= len(data)
        return data


class FileWrapper:
    """`wsgi.file_wrapper`: a file in blocks, from its current position."""

    def __init__(self, file, block_size=64 * 1024):
        self.file = file
        # Applications ask for 4 or 8 KiB, which would cost a system call per block.
        self.block_size = max(block_size, 64 * 1024)
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block
