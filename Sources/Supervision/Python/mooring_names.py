"""Finds the application: a script file, a module, an object in it, or a factory's result."""

import functools
import importlib
import importlib.util
import os
import sys
import types
from pathlib import Path

from mooring_call import advice, cut, parse

# The default names: PEP 3333's, and the one that Flask's users choose.
USUAL_NAMES = ("application", "app")


class NotFound(Exception):
    """There is no such application; the message is for the user."""


def load(name):
    """The application of `FILE`, `FILE:NAME`, `module` or `module:name`; NAME may be a call."""
    folder = os.getcwd()
    sys.path.insert(0, folder)
    for path, what in cut(name):
        if os.path.isfile(path):
            return found_in(from_file(os.path.abspath(path)), what, path, name)
    module_name, _, what = name.partition(":")
    if "/" in module_name or module_name.endswith(".py") or not is_dotted(module_name):
        raise NotFound(f"no such file: {module_name} (in {folder})")
    if module_name.endswith(".wsgi") and not is_importable(module_name):
        raise NotFound(f"no such file: {module_name} (in {folder}), and no module of that name")
    sys.argv[:] = [module_name]
    return found_in(importlib.import_module(module_name), what, module_name, name)


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


def found_in(module, what, place, name):
    """The object named after the colon; without one, the usual names of an application."""
    if what:
        application = evaluate(module, what, name)
    else:
        named = [(usual, getattr(module, usual, None)) for usual in USUAL_NAMES]
        what, application = next(((usual, value) for usual, value in named if callable(value)), ("", None))
        if not what:
            raise NotFound(f"{place} has no callable named 'application' or 'app'; "
                           f"write wsgi = \"{place}:NAME\" or \"{place}:FACTORY()\"")
    if not callable(application):
        raise NotFound(f"{place} has no callable named '{what}'")
    refuse_asynchronous(application, module, what, place)
    refuse_factory(application, what, place)
    return application


def evaluate(module, what, name):
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
        raise NotFound(f"{name} returned {type(made).__name__}, which is no WSGI application")
    return made


def refuse_factory(application, what, place):
    """With a function that cannot be called as in PEP 3333, every request would fail."""
    import inspect  # As below.

    # The result of a decorator takes other arguments than the decorated function.
    if "(" in what or not inspect.isfunction(application) or hasattr(application, "__signature__"):
        return
    signature = inspect.signature(application, follow_wrapped=False)
    if not can_take(signature, 2):
        name = f"{place}:{what}"
        raise NotFound(f"{name} does not take (environ, start_response), so it is no WSGI application; "
                       + advice(name, can_take(signature, 0)))


def refuse_asynchronous(application, module, what, place):
    """An ASGI application answers every WSGI request with an error, so it is rejected at once."""
    if not is_asynchronous(application):
        return
    if module.__name__ == "__mooring_script__":
        target, options = "MODULE:" + what, ""
    else:
        target, options = f"{module.__name__}:{what.partition('(')[0]}", ', "--factory"' if "(" in what else ""
    if os.environ.get("MOORING_TELL_SERVER"):  # The user has no configuration file to set a server in.
        words = f"-m uvicorn {target}{options.replace(chr(34), '').replace(',', '')} --uds {{socket}}"
        raise NotFound(f"{place}:{what} is an ASGI application; serve it by: mooring run -- {sys.executable} {words}")
    raise NotFound(
        f"{place}:{what} is an ASGI application; instead of wsgi, set "
        f'command = ["{sys.executable}", "-m", "uvicorn", "{target}"{options}, "--uds", "{{socket}}"]')


def is_asynchronous(application):
    import inspect  # Which most applications have imported by now.

    called = application if inspect.isroutine(application) else type(application).__call__
    if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(called):
        return True
    # `scope, receive, send`, wrapped by a decorator that is not itself asynchronous.
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):
        return False
    return not can_take(signature, 2) and can_take(signature, 3)


def can_take(signature, count):
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
