"""An application below a path that Mooring has removed (`strip_prefix`)."""

import re
from urllib.parse import quote, unquote_to_bytes

COOKIE_PATH = re.compile(r"(;\s*path=)(/[^;]*)", re.IGNORECASE)


def mount(environ):
    """Sets `SCRIPT_NAME`, from which frameworks build their links, and completes the target."""
    prefix = mount_of(environ.get("HTTP_X_FORWARDED_PREFIX", ""))
    if not prefix:
        return
    environ["SCRIPT_NAME"] = unquote_to_bytes(prefix).decode("latin-1")
    environ["RAW_URI"] = environ["REQUEST_URI"] = prefix + environ["REQUEST_URI"]


def mount_of(field):
    """The path, escaped, that `X-Forwarded-Prefix` names; empty: it names none."""
    # A list if several proxies have each removed a part.
    prefix = "".join(part.strip().rstrip("/") for part in field.split(","))
    # Links that begin with two slashes would point to another host.
    return prefix if prefix.startswith("/") and not prefix.startswith("//") else ""


def below_mount(cookie, script_name):
    """A `Set-Cookie` whose path, which to most frameworks is `/` by default, is below the mount.

    Two applications of one site would otherwise overwrite each other's `session`.
    """
    prefix = quote(script_name.encode("latin-1"))

    def moved(found):
        path = found[2].rstrip()
        if path == prefix or path.startswith(prefix + "/"):
            return found[0]
        return found[1] + prefix + path.rstrip("/")

    return COOKIE_PATH.sub(moved, cookie)
