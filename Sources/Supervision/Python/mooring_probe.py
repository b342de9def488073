"""Says what keeps an application from being served: one line for each fault, its kind, a tab, a sentence.

It runs by `python -c` as the group's user, in the group's directory, and imports nothing of the
application. It is written so that any Python that may be called python3, or python, can read it.
"""

import sys

# The project's own modules must not stand in for the standard library's.
sys.path[:] = [place for place in sys.path if place]

import os

NEEDED = (3, 9)
EXTENSIONS = (".py", ".wsgi")
# What their makers call functions that make an application.
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "create_application", "make_application")
# Classes whose instances speak ASGI only.
ASYNCHRONOUS = ("FastAPI", "Starlette", "Quart", "Litestar", "Sanic", "get_asgi_application")


def fault(kind, sentence):
    sys.stdout.write("%s\t%s\n" % (kind, sentence.replace("\n", " ")))


def find(module, folder):
    """The spec of a module, found without importing its parents; None: there is none."""
    places = [folder] + sys.path
    names = module.split(".")
    spec = None
    for depth in range(len(names)):
        name = ".".join(names[: depth + 1])
        spec = None
        for finder in sys.meta_path:
            search = places if depth == 0 and getattr(finder, "__name__", "") == "PathFinder" else None
            if depth > 0:
                search = places
            spec = finder.find_spec(name, search)
            if spec is not None:
                break
        if spec is None:
            return None
        if depth + 1 < len(names):
            if spec.submodule_search_locations is None:
                return None
            places = list(spec.submodule_search_locations)
    return spec


def bound_names(tree):
    """The names that a module may have; None where that cannot be told without running it."""
    import ast

    names = set()
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            if node.name == "__getattr__":
                return None
            # Only `global` reaches out of it.
            for inner in ast.walk(node):
                if isinstance(inner, ast.Global):
                    names.update(inner.names)
            continue
        if isinstance(node, ast.Name):
            if node.id in ("exec", "globals", "vars", "locals", "setattr", "__import__"):
                return None
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    return None
                names.add((alias.asname or alias.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        waiting.extend(ast.iter_child_nodes(node))
    return names


def check_source(path, attribute, name):
    import ast

    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except (OSError, IOError) as problem:
        return fault("wsgi", "%s cannot be read by this user: %s; run: chmod +r %s"
                     % (path, problem.strerror, path))
    try:
        tree = ast.parse(source, path)
    except SyntaxError as problem:
        return fault("wsgi", "%s, line %s: %s; correct the file" % (path, problem.lineno, problem.msg))
    except ValueError as problem:
        return fault("wsgi", "%s is not Python: %s; name the application's file" % (path, problem))
    wanted = [attribute] if attribute else ["application", "app"]
    if any(is_asynchronous(node, wanted) for node in tree.body):
        module = os.path.splitext(name)[0].replace("/", ".")
        return fault("wsgi", "%s has an ASGI application; instead of wsgi, set command = "
                     "[\"uvicorn\", \"%s:%s\", \"--uds\", \"{socket}\"]" % (path, module, attribute or "app"))
    names = bound_names(tree)
    if names is None or names.intersection(wanted):
        return None
    factories = sorted(names.intersection(FACTORIES))
    advice = "%s:%s()" % (name, factories[0]) if factories else "%s:NAME" % name
    return fault("wsgi", "%s has nothing named %s; name the callable: %s"
                 % (path, " or ".join("'%s'" % word for word in wanted), advice))


def is_asynchronous(node, names):
    """Whether a statement of a module gives one of the names to an ASGI application."""
    import ast

    if isinstance(node, ast.AsyncFunctionDef):
        return node.name in names
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    maker = getattr(called, "attr", None) or getattr(called, "id", None)
    targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return maker in ASYNCHRONOUS and bool(set(targets).intersection(names))


def check_application(text):
    folder = os.getcwd()
    sys.path.insert(0, folder)
    name, attribute = text, ""
    if not os.path.isfile(text):
        name, _, attribute = text.partition(":")
    # A factory is named with its arguments, an attribute by its way: the first name is the module's.
    attribute = attribute.split("(")[0].split(".")[0].strip()
    if os.path.isfile(name):
        return check_source(name, attribute, name)
    if os.path.isdir(name):
        return fault("wsgi", "%s is a folder; name the file in it, or package.module:name" % name)
    is_module = all(part.isidentifier() for part in name.split("."))
    spec = find(name, folder) if is_module and "/" not in name else None
    if spec is not None:
        origin = spec.origin or ""
        if origin.endswith(".py") and os.path.isabs(origin):
            check_source(origin, attribute, name)
        return None
    if "/" in name or name.endswith(EXTENSIONS) or not is_module:
        return fault("wsgi", "no such file: %s (in %s); a relative path begins in cwd" % (name, folder))
    return fault("wsgi", "%s finds no module %s from %s; install it there, or set python or cwd"
                 % (sys.executable, name, folder))


def check_server(name):
    import importlib.util

    if name in ("auto", "wsgiref") or importlib.util.find_spec(name) is not None:
        return
    fault("server", "%s is not installed for %s; run '%s -m pip install %s' or set server = \"auto\""
          % (name, sys.executable, sys.executable, name))


def main():
    if sys.version_info < NEEDED:
        return fault("python", "%s is Python %d.%d; %d.%d or a later one is needed"
                     % ((sys.executable,) + tuple(sys.version_info[:2]) + NEEDED))
    check_server(sys.argv[2])
    check_application(sys.argv[1])
    sys.stdout.write("done\t\n")


main()
