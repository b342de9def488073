"""Applications that Paste Deploy puts together: `config:production.ini#main`."""

import os
import sys
from urllib.parse import quote

from mooring_call import NotFound, config_of


def from_config(name, interface):
    """The application of a section, with its filters, and the logging of its file."""
    path, section = config_of(name)
    path = os.path.abspath(path)
    if interface == "asgi":
        raise NotFound(f'{name} is a WSGI application; instead of asgi, set wsgi = "{name}"')
    if not os.path.isfile(path):
        raise NotFound(f"no such file: {path}")
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        from paste.deploy import loadapp
    except ImportError:
        raise NotFound(f"{name} needs Paste Deploy, which is not installed for {sys.executable}; "
                       f"run '{sys.executable} -m pip install PasteDeploy'") from None
    sys.argv[:] = [path]
    set_up_logging(path, folder)
    return loadapp("config:" + quote(path), name=section)


def set_up_logging(path, folder):
    """Does what the file's sections `loggers`, `handlers` and `formatters` say, if there are any."""
    import configparser
    import logging.config

    parser = configparser.RawConfigParser(strict=False)
    parser.read(path, encoding="utf-8")
    if parser.has_section("loggers"):
        logging.config.fileConfig(
            path, defaults={"__file__": path, "here": folder}, disable_existing_loggers=False)
