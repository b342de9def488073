"""Reports what prevents an application from being served: per fault one line of kind, tab and sentence.

It runs by `python -c` as the group's user, in the group's directory, and imports nothing of the
application. It is written so that any Python that may be called python3, or python, can read it.
What it runs is `mooring_call` and `mooring_source`, followed by this: there are no files to import.
"""

import sys

# The project's own modules must not shadow the standard library's.
sys.path[:] = [place for place in sys.path if place]

import os

NEEDED = (3, 9)
EXTENSIONS = (".py", ".wsgi")
# The usual names of application factories.
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "create_application", "make_application")


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


def check_source(path, what, name, server):
    import ast

    try:
        words, arguments = parse(what) if what else ([], None)
    except ValueError as problem:
        return fault("wsgi", "%s: %s" % (name, problem))
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
    library = patching_library(tree)
    if server == "granian" and library:
        fault("server", "%s patches Python for %s, under which granian does not work; set server = \"auto\""
              % (path, library))
    # A factory is named with its arguments, an attribute by its path: the first name is the module's.
    wanted = words[:1] or ["application", "app"]
    if any(is_asynchronous(node, wanted) for node in tree.body):
        module = os.path.splitext(name)[0].replace("/", ".")
        return fault("wsgi", "%s has an ASGI application; instead of wsgi, set command = "
                     "[\"uvicorn\", \"%s:%s\", \"--uds\", \"{socket}\"]" % (path, module, (words + ["app"])[0]))
    names = bound_names(tree)
    if names is None:
        return None
    if names.intersection(wanted):
        return check_function(tree, [word for word in wanted if word in names][:1] + words[1:], arguments, name)
    factories = sorted(names.intersection(FACTORIES))
    proposal = "%s:%s()" % (name, factories[0]) if factories else "%s:NAME" % name
    return fault("wsgi", "%s has nothing named %s; name the callable: %s"
                 % (path, " or ".join("'%s'" % word for word in wanted), proposal))


def check_function(tree, words, arguments, name):
    """Whether a plain function can be called as intended: by Mooring, or by the server."""
    function = sole_function(tree, words[0]) if len(words) == 1 else None
    if function is None:
        return None
    whole = "%s:%s" % (name, function.name)
    if arguments is None and not takes(function, 2, ()):
        return fault("wsgi", "%s does not take (environ, start_response), so it is no WSGI application; %s"
                     % (whole, advice(whole, takes(function, 0, ()))))
    if arguments is not None and not takes(function, len(arguments[0]), arguments[1]):
        import ast

        return fault("wsgi", "%s cannot be called with these arguments; line %d: def %s(%s)"
                     % (whole, function.lineno, function.name, ast.unparse(function.args)))
    return None


def check_application(text, server):
    import ast  # Before the project's own modules come first.

    folder = os.getcwd()
    sys.path.insert(0, folder)
    for name, what in cut(text):
        if os.path.isfile(name):
            return check_source(name, what, name, server)
    name, _, what = text.partition(":")
    if os.path.isdir(name):
        return fault("wsgi", "%s is a folder; name the file in it, or package.module:name" % name)
    is_module = all(part.isidentifier() for part in name.split("."))
    spec = find(name, folder) if is_module and "/" not in name else None
    if spec is not None:
        origin = spec.origin or ""
        if origin.endswith(".py") and os.path.isabs(origin):
            check_source(origin, what, name, server)
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
    check_application(sys.argv[1], sys.argv[2])
    sys.stdout.write("done\t\n")


main()
