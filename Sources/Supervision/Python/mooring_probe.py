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
SERVERS_OF_ASGI = ("uvicorn", "granian", "hypercorn")
# The usual names of application factories.
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "create_application", "make_application")


def fault(kind, sentence):
    sys.stdout.write("%s\t%s\n" % (kind, sentence.replace("\n", " ")))


def quoted(name):
    """A text as it stands in a configuration."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


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


def check_source(path, what, name, asked):
    import ast

    try:
        words, arguments = parse(what) if what else ([], None)
    except ValueError as problem:
        return fault("application", "%s: %s" % (name, problem))
    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except (OSError, IOError) as problem:
        return fault("application", "%s cannot be read by this user: %s; run: chmod +r %s"
                     % (path, problem.strerror, path))
    try:
        tree = ast.parse(source, path)
    except SyntaxError as problem:
        return fault("application", "%s, line %s: %s; correct the file" % (path, problem.lineno, problem.msg))
    except ValueError as problem:
        return fault("application", "%s is not Python: %s; name the application's file" % (path, problem))
    library = patching_library(tree)
    if asked.server == "granian" and asked.interface == "wsgi" and library:
        fault("server", "%s patches Python for %s, under which granian does not work; set server = \"auto\""
              % (path, library))
    # A factory is named with its arguments, an attribute by its path: the first name is the module's.
    wanted = words[:1] or ["application", "app"]
    names = bound_names(tree)
    is_plain = arguments is None and len(words) < 2
    found = [interface_of(tree, word) if is_plain else None for word in wanted]
    if asked.interface == "either":
        # Where both are there, the first is meant.
        bound = [interface for word, interface in zip(wanted, found) if names is not None and word in names]
        return tell_interface(bound[0] if bound else None)
    other = "asgi" if asked.interface == "wsgi" else "wsgi"
    if other in found and asked.interface not in found:
        return fault("application", "%s has %s %s application; instead of %s, set %s = %s" % (
            path, "an" if other == "asgi" else "a", other.upper(), asked.interface, other, quoted(asked.name)))
    if names is None:
        return None
    if names.intersection(wanted):
        suited = [word for word, interface in zip(wanted, found) if word in names and interface != other]
        return check_function(tree, suited[:1] + words[1:], arguments, name, asked.interface)
    factories = sorted(names.intersection(FACTORIES))
    proposal = "%s:%s()" % (name, factories[0]) if factories else "%s:NAME" % name
    return fault("application", "%s has nothing named %s; name the callable: %s"
                 % (path, " or ".join("'%s'" % word for word in wanted), proposal))


def check_function(tree, words, arguments, name, interface):
    """Whether a plain function can be called as intended: by Mooring, or by the server."""
    function = sole_function(tree, words[0]) if len(words) == 1 else None
    if function is None:
        return None
    whole = "%s:%s" % (name, function.name)
    called_with = ARGUMENTS[interface]
    if arguments is None and not takes(function, len(called_with), ()):
        return fault("application", "%s does not take (%s), so it is no %s application; %s" % (
            whole, ", ".join(called_with), interface.upper(), advice(whole, takes(function, 0, ()))))
    if arguments is not None and not takes(function, len(arguments[0]), arguments[1]):
        import ast

        return fault("application", "%s cannot be called with these arguments; line %d: def %s(%s)"
                     % (whole, function.lineno, function.name, ast.unparse(function.args)))
    return None


def check_config(asked, path, section, folder):
    """A file of Paste Deploy: whether the section is in it."""
    import configparser

    if asked.interface == "either":
        return tell_interface("wsgi")
    if asked.interface == "asgi":
        return fault("application", "Paste Deploy makes WSGI applications; instead of asgi, set wsgi = %s"
                     % quoted(asked.name))
    if not os.path.isfile(path):
        return fault("application", "no such file: %s (in %s); a relative path begins in cwd" % (path, folder))
    parser = configparser.RawConfigParser(strict=False)
    try:
        with open(path) as file:
            parser.read_file(file)
    except (OSError, IOError) as problem:
        return fault("application", "%s cannot be read by this user: %s; run: chmod +r %s"
                     % (path, problem.strerror, path))
    except (configparser.Error, ValueError) as problem:
        return fault("application", "%s: %s; correct the file" % (path, problem))
    kinds = ("app", "application", "composite", "composit", "pipeline", "filter-app")
    there = {name.partition(":")[2].strip(): name for name in parser.sections()
             if name.partition(":")[0].strip() in kinds}
    if section not in there and section not in parser.sections():
        return fault("application", "%s has no section [app:%s]; name one of its own: %s" % (
            path, section, ", ".join("config:%s#%s" % (path, name) for name in sorted(there)) or "there is none"))
    if find("paste.deploy", folder) is None:
        return fault("application", "%s needs Paste Deploy, which is not installed for %s; run '%s -m pip install "
                     "PasteDeploy'" % (asked.name, sys.executable, sys.executable))
    return None


def check_application(asked):
    import ast  # Before the project's own modules come first.

    folder = os.getcwd()
    sys.path.insert(0, folder)
    if config_of(asked.name):
        return check_config(asked, *config_of(asked.name), folder=folder)
    for name, what in cut(asked.name):
        if os.path.isfile(name):
            return check_source(name, what, name, asked)
    name, _, what = asked.name.partition(":")
    if os.path.isdir(name):
        return fault("application", "%s is a folder; name the file in it, or package.module:name" % name)
    is_module = all(part.isidentifier() for part in name.split("."))
    spec = find(name, folder) if is_module and "/" not in name else None
    if spec is not None:
        origin = spec.origin or ""
        if origin.endswith(".py") and os.path.isabs(origin):
            check_source(origin, what, name, asked)
        return None
    try:
        os.stat(name)
    except PermissionError as problem:
        return fault("application", "%s cannot be reached by this user: %s; give that user the right to enter its folders"
                     % (os.path.join(folder, name), problem.strerror))
    except OSError:
        pass
    if "/" in name or name.endswith(EXTENSIONS) or not is_module:
        return fault("application", "no such file: %s (in %s); a relative path begins in cwd" % (name, folder))
    return fault("application", "%s finds no module %s from %s; install it there, or set python or cwd"
                 % (sys.executable, name, folder))


def check_server(asked):
    import importlib.util

    def is_missing(name):
        return importlib.util.find_spec(name) is None

    if asked.server == "auto" and asked.interface == "asgi" and all(map(is_missing, SERVERS_OF_ASGI)):
        fault("server", "an ASGI application needs one of uvicorn, granian and hypercorn, and none is installed for "
              "%s; run '%s -m pip install uvicorn'" % (sys.executable, sys.executable))
    if asked.server not in ("auto", "wsgiref") and is_missing(asked.server):
        fault("server", "%s is not installed for %s; run '%s -m pip install %s' or set server = \"auto\""
              % (asked.server, sys.executable, sys.executable, asked.server))


def tell_interface(interface):
    if interface:
        sys.stdout.write("interface\t%s\n" % interface)


class Asked:
    """What the command line asks: the application, its server, and its interface, which may be `either`."""

    def __init__(self, name, server, interface):
        self.name, self.server, self.interface = name, server, interface


def main():
    if sys.version_info < NEEDED:
        return fault("python", "%s is Python %d.%d; %d.%d or a later one is needed"
                     % ((sys.executable,) + tuple(sys.version_info[:2]) + NEEDED))
    asked = Asked(*sys.argv[1:4])
    check_server(asked)
    check_application(asked)
    sys.stdout.write("done\t\n")


main()
