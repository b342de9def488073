"""How an application is named: `FILE`, `FILE:NAME` or `module:NAME`, where NAME may be a call, or
`config:FILE.ini#SECTION`.

The probe has this text too, so any Python has to be able to read it, and nothing is imported at its
top: the project's own modules may come first there.
"""


class NotFound(Exception):
    """There is no such application; the message says it to the user."""


def config_of(name):
    """Path and section of `config:PATH#SECTION`, main if none is given; None: it is something else."""
    if not name.startswith("config:"):
        return None
    path, _, section = name[len("config:"):].partition("#")
    return path, section or "main"


def cut(name):
    """The name, split at each colon: the part before it may be a file."""
    yield name, ""
    for index, letter in enumerate(name):
        if letter == ":":
            yield name[:index], name[index + 1:]


def parse(what):
    """The words of `NAME`, `NAME.ATTRIBUTE` or `NAME(arguments)`, all arguments being literals.

    Also the arguments, as a list and a dict; None: not a call. ValueError: none of these forms.
    """
    import ast

    try:
        tree = ast.parse(what.strip(), mode="eval").body
        call = tree if isinstance(tree, ast.Call) else None
        words = dotted(call.func if call else tree)
        if not call:
            return words, None
        positional = [ast.literal_eval(argument) for argument in call.args]
        keywords = {}
        for word in call.keywords:
            if word.arg is None:
                raise ValueError("** is not a literal")
            keywords[word.arg] = ast.literal_eval(word.value)
        return words, (positional, keywords)
    except (SyntaxError, TypeError, ValueError, MemoryError, RuntimeError):
        pass
    raise ValueError("write a name, or a call with literal arguments as create_app(\"production\", debug=False), "
                     "instead of '%s'" % what)


def dotted(node):
    import ast

    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return dotted(node.value) + [node.attr]
    raise ValueError("not a name")


def advice(name, is_callable_so):
    """The notation for a function that is not itself an application."""
    if is_callable_so:
        return "name the callable: %s()" % name
    return "if it makes the application, name the callable with its arguments, as %s(\"production\")" % name
