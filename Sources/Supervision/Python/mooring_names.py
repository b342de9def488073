"""Finds the application: a script file, a module, an object in it, or a factory's result."""

import functools
import importlib
import importlib.util
import os
import sys
import types
from pathlib import Path

from mooring_call import NotFound, advice, config_of, cut, parse
from mooring_paste import from_config

# Where nothing is said: PEP 3333's name, which is Django's for ASGI as well, and that of Flask's and
# FastAPI's users.
USUAL_NAMES = ("application", "app")
# By the interface: what it is, and what it is called with.
ARTICLES = {"wsgi": "a WSGI", "asgi": "an ASGI"}
ARGUMENTS = {"wsgi": ("environ", "start_response"), "asgi": ("scope", "receive", "send")}


def load(name, interface):
    """The application of `FILE`, `FILE:NAME`, `module` or `module:name`; NAME may be a call.

    Its interface is "wsgi" or "asgi"; None: either will do.
    """
    folder = os.getcwd()
    sys.path.insert(0, folder)
    if config_of(name):
        return from_config(name, interface)
    for path, what in cut(name):
        if os.path.isfile(path):
            return found_in(from_file(os.path.abspath(path)), what, path, name, interface)
    module_name, _, what = name.partition(":")
    if "/" in module_name or module_name.endswith(".py") or not is_dotted(module_name):
        raise NotFound(f"no such file: {module_name} (in {folder})")
    if module_name.endswith(".wsgi") and not is_importable(module_name):
        raise NotFound(f"no such file: {module_name} (in {folder}), and no module of that name")
    sys.argv[:] = [module_name]
    return found_in(importlib.import_module(module_name), what, module_name, name, interface)


def is_dotted(name):
    return all(word.isidentifier() for word in name.split("."))


def is_importable(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError as problem:
        # The missing module is a package on the way; a failed import inside a package is another error.
        if problem.name and (name + ".").startswith(problem.name + "."):
            return False
        raise


def from_file(path):
    """Imports a file by its own name, so that the application's other modules get the same one.

    The modules beside it can be imported. Of a package (`mysite/wsgi.py`) it is the folder around
    it that comes first; its own comes last, or `mysite/celery.py` would hide the real celery.
    """
    folder = root = os.path.dirname(path)
    while os.path.isfile(os.path.join(root, "__init__.py")):
        root = os.path.dirname(root)
    if root in sys.path:
        sys.path.remove(root)
    sys.path.insert(0, root)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.argv[:] = [path]
    name = os.path.relpath(path, root).removesuffix(".py").replace(os.sep, ".").removesuffix(".__init__")
    if path.endswith(".py") and is_dotted(name) and leads_to(name, path):
        return importlib.import_module(name)
    return from_script(path)


def leads_to(name, path):
    """Whether an import of the name gives this file, and not another module of the same name."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return bool(spec and spec.origin and os.path.exists(spec.origin) and os.path.samefile(spec.origin, path))


def from_script(path):
    """Runs a file that cannot be imported (`app.wsgi`, `my-app.py`), as mod_wsgi does."""
    # A name that no import statement can reach, as the script is not a module of anything. No
    # compiled copy is kept: that of app.wsgi would lie where that of app.py belongs.
    module = types.ModuleType("__mooring_script__")
    module.__file__ = path
    sys.modules[module.__name__] = module
    code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def found_in(module, what, place, name, interface):
    """What the text behind the colon stands for; without one, what usually is the application."""
    if what:
        application = evaluate(module, what, name, interface)
    else:
        named = [(usual, getattr(module, usual, None)) for usual in USUAL_NAMES]
        named = [(usual, value) for usual, value in named if callable(value)]
        # One for each interface may stand in the same module.
        suited = [pair for pair in named if speaks(pair[1], interface)]
        what, application = (suited or named or [("", None)])[0]
        if not what:
            raise NotFound(f"{place} has no callable named 'application' or 'app'; "
                           f"write {interface or 'mooring run'} = \"{place}:NAME\" or \"{place}:FACTORY()\"")
    if not callable(application):
        raise NotFound(f"{place} has no callable named '{what}'")
    if not speaks(application, interface):
        other = "asgi" if interface == "wsgi" else "wsgi"
        raise NotFound(f"{place}:{what} is {ARTICLES[other]} application; "
                       f"instead of {interface}, set {other} = {quoted(name)}")
    if interface:
        refuse_factory(application, what, place, interface)
    return application


def evaluate(module, what, name, interface):
    """The value of `NAME`, `NAME.ATTRIBUTE` or `NAME(arguments)`, all arguments being literals."""
    try:
        words, arguments = parse(what)
    except ValueError as problem:
        raise NotFound(f"{name}: {problem}") from None
    found = functools.reduce(lambda value, word: getattr(value, word, None), words, module)
    if arguments is None:
        return found
    if not callable(found):
        raise NotFound(f"{name} has no callable named '{'.'.join(words)}'")
    made = found(*arguments[0], **arguments[1])
    if not callable(made):
        raise NotFound(f"{name} returned {type(made).__name__}, which is no {(interface or 'wsgi').upper()} application")
    return made


def refuse_factory(application, what, place, interface):
    """With a function that cannot be called as its interface says, every request would fail."""
    import inspect  # As below.

    # The result of a decorator takes other arguments than the decorated function.
    if "(" in what or not inspect.isfunction(application) or hasattr(application, "__signature__"):
        return
    signature = inspect.signature(application, follow_wrapped=False)
    if not can_take(signature, len(ARGUMENTS[interface])):
        name = f"{place}:{what}"
        raise NotFound(f"{name} does not take ({', '.join(ARGUMENTS[interface])}), so it is no {interface.upper()} "
                       "application; " + advice(name, can_take(signature, 0)))


def speaks(application, interface):
    """Whether a callable is not certainly one of the other interface, which fails in every request."""
    if interface is None:
        return True
    asynchronous = is_asynchronous(application)
    return not asynchronous if interface == "wsgi" else asynchronous is not False


def is_asynchronous(application):
    """Whether a callable is of ASGI; false: it is certainly not; None: it cannot be told."""
    import inspect  # Which most applications have imported by now.

    called = application if inspect.isroutine(application) else type(application).__call__
    if inspect.isclass(application):
        # Its instances are awaited, as they are made of `scope, receive, send`.
        called = getattr(application, "__await__", None)
        return True if called else None
    if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(called):
        return True
    # `scope, receive, send`, wrapped by a decorator that is not itself asynchronous.
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):
        return None
    takes_environ, takes_scope = can_take(signature, 2), can_take(signature, 3)
    return None if takes_environ == takes_scope else takes_scope


def quoted(name):
    """A text as it stands in a configuration."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def can_take(signature, count):
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
