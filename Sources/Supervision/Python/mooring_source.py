"""What the source of a module reveals about its names, without running it: a part of the probe.

It is as easy to read as that, for any Python; nothing is imported at its top.
"""

# What makes an application of ASGI alone, and what one of WSGI alone.
ASYNCHRONOUS = ("FastAPI", "Starlette", "Quart", "Litestar", "Sanic", "get_asgi_application")
SYNCHRONOUS = ("Flask", "Bottle", "get_wsgi_application", "make_wsgi_app")
# Arguments that a server calls an application with.
ARGUMENTS = {"wsgi": ("environ", "start_response"), "asgi": ("scope", "receive", "send")}
# What replaces Python's sockets and threads, by the library.
PATCHERS = {"patch_all": "gevent", "monkey_patch": "eventlet"}


def bound_names(tree):
    """The names that a module may have; None if that is unknown without running it."""
    import ast

    names = set()
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            if node.name == "__getattr__":
                return None
            # Only `global` leaves its scope.
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


def interface_of(tree, name):
    """The interface that what a name of a module stands for certainly has; None: it may be any."""
    import ast

    node = sole_binding(tree, name)
    if isinstance(node, ast.AsyncFunctionDef):
        return "asgi"
    if isinstance(node, ast.FunctionDef) and not node.decorator_list:
        fits = [interface for interface in ARGUMENTS if takes(node, len(ARGUMENTS[interface]), ())]
        return fits[0] if len(fits) == 1 else None
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        maker = called(node.value)
        return "asgi" if maker in ASYNCHRONOUS else "wsgi" if maker in SYNCHRONOUS else None
    return None


def called(call):
    return getattr(call.func, "attr", None) or getattr(call.func, "id", None)


def sole_function(tree, name):
    """The function that a name of a module certainly means; None: it may be something else."""
    import ast

    function = sole_binding(tree, name)
    return function if isinstance(function, ast.FunctionDef) and not function.decorator_list else None


def sole_binding(tree, name):
    """The one statement of a module that gives a name its value; None: there is another, or none."""
    import ast

    found = [node for node in ast.walk(tree) if binds(node, name)]
    if len(found) != 1:
        return None
    for node in tree.body:
        if node is found[0]:
            return node
        if isinstance(node, ast.Assign) and any(target is found[0] for target in node.targets):
            return node
    return None


def binds(node, name):
    """Whether a part of a module may give a name a value, in whatever scope."""
    import ast

    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.alias):
        return (node.asname or node.name).split(".")[0] == name
    return getattr(node, "name", None) == name


def takes(function, positional, keywords):
    """Whether a function can be called with so many arguments, and with others by their names."""
    arguments = function.args
    nameless = [argument.arg for argument in arguments.posonlyargs]
    places = nameless + [argument.arg for argument in arguments.args]
    if positional > len(places) and not arguments.vararg:
        return False
    named = set(keywords)
    alone = [argument.arg for argument in arguments.kwonlyargs]
    if not arguments.kwarg and not named <= set(places[len(nameless):] + alone):
        return False
    if named.intersection(places[len(nameless):positional]):
        return False
    needed = places[positional:len(places) - len(arguments.defaults)]
    needed += [name for name, default in zip(alone, arguments.kw_defaults) if default is None]
    return named.issuperset(needed)


def patching_library(tree):
    """The library by which a module replaces Python's sockets and threads first of all; None: it does not."""
    import ast

    imported = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not node.value.keywords:
            library = PATCHERS.get(called(node.value))
            if library in imported:
                return library
    return None
