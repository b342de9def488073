"""What an application answers, in the one form that every server gets right (PEP 3333).

Servers differ in when they take the status, in `write`, in lengths, and in what a failure does. Here
`start_response` of the server is called once, before the body is returned, with what the application
set last; the body is as long as its Content-Length; and whatever the application raises ends the request,
never the process.
"""

import errno
import itertools
import re
from http import HTTPStatus

from mooring_call import advice
from mooring_mount import below_mount
from mooring_request import BodyBrokeOff

STATUS = re.compile(r"[2-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?")
NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
              "te", "trailer", "transfer-encoding", "upgrade"}
# How much is buffered for a server without `write`, and the size of the blocks that follow.
WRITTEN_IN_MEMORY = 1 << 20
BLOCK_SIZE = 1 << 16
FAILURE = b"Internal Server Error\n"


def reset():
    """To most servers this means that the connection has broken, which they do not log."""
    return ConnectionResetError(errno.ECONNRESET, "the response broke off")


class Habits:
    """How a server differs from the others."""

    def __init__(self, has_write=True, breaking=reset, passed=(), mark=None):
        # Its `start_response` returns a function that sends at once.
        self.has_write = has_write
        # Creates the exception that makes it cut off a response that has begun.
        self.breaking = breaking
        # What the application raises for this server once it has taken over the connection.
        self.passed = passed
        # Eight bytes that, as the last part of a body without a length, mark it as cut off for Mooring,
        # for a server that ends every such body as if it were complete; None: not needed.
        self.mark = mark


class Gateway:
    """The application as the server sees it."""

    def __init__(self, application, context, errors, habits=Habits()):
        self.application = application
        self.context = context
        self.errors = errors
        self.habits = habits

    def __call__(self, environ, start_response):
        self.context.complete(environ)
        return Response(environ, start_response, self.errors, self.habits).answer(
            self.application, self.context.name)


class Response:
    """One response, and the iterable that the server gets for its body."""

    def __init__(self, environ, start_response, errors, habits):
        self.server_start = start_response
        self.errors = errors
        self.habits = habits
        self.passed = habits.passed if "HTTP_UPGRADE" in environ else ()
        self.is_head = environ["REQUEST_METHOD"] == "HEAD"
        self.environ = environ
        # Recorded now: an application may wrap others, and changes it for them.
        self.script_name = environ["SCRIPT_NAME"]
        self.status = None
        self.headers = []
        # Bytes of the body still to come by Content-Length; None: no length was set.
        self.left = None
        self.has_body = True
        # The server has the head.
        self.is_begun = False
        self.server_write = None
        self.server_problem = None
        self.written = None
        self.result = None
        self.parts = iter(())

    def answer(self, application, name):
        """The body for the server, which has the head by then."""
        try:
            self.result = application(self.environ, self.start)
            if self.status is None and is_application(self.result):
                raise TypeError(f"{name} returned an application instead of a body ({type(self.result).__name__})"
                                + factory_advice(application, name))
            if isinstance(self.result, (list, tuple)) and not self.written and not self.is_begun:
                return self.answer_whole(b"".join(map(octets, self.result)))
            self.parts = filter(None, map(octets, self.result))
            if self.written:
                self.parts = itertools.chain(blocks(self.written), self.parts)
            if not self.is_begun:
                self.prime()
            return self
        except self.passed:
            raise
        except BaseException as problem:
            return self.fail(problem)

    def answer_whole(self, body):
        if self.status is not None:
            self.promise(len(body))
        if self.has_body and self.left is not None and len(body) < self.left:
            raise ValueError(f"a body of {len(body)} bytes with a Content-Length of {self.left}")
        self.begin()
        return [body[:self.left]] if body and self.has_body else []

    def prime(self):
        """Runs the application up to its first bytes: until then it may call `start_response`."""
        first = next(self.parts, None)
        if first is None:
            if self.status is not None:
                self.promise(0)
        else:
            self.parts = itertools.chain([first], self.parts)
            if is_single(self.result) and not self.written and self.status is not None:
                self.promise(len(first))
        self.begin()

    def start(self, status, headers, exc_info=None):
        """`start_response`, as the application sees it."""
        try:
            if exc_info and self.is_begun:
                raise exc_info[1].with_traceback(exc_info[2])
            if self.status is not None and not exc_info:
                raise RuntimeError("start_response was called twice, without exc_info")
            self.take_head(status, headers)
        finally:
            exc_info = None  # Its frames refer to this one.
        if self.written:
            self.written.close()
            self.written = None
        return self.write

    def take_head(self, status, headers):
        if not isinstance(status, str) or not STATUS.fullmatch(status):
            raise ValueError(f"not a status: {status!r}")
        code = int(status[:3])
        left, kept = None, []
        for name, value in headers:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise ValueError(f"not the name of a field: {name!r}")
            if not isinstance(value, str) or not VALUE.fullmatch(value):
                raise ValueError(f"not the value of the field {name}: {value!r}")
            lowered = name.lower()
            if lowered == "content-length":
                if not (value.isascii() and value.isdigit()):
                    raise ValueError(f"not a length: {value!r}")
                if code == 204 or left is not None:
                    continue
                left = int(value)
            if lowered == "set-cookie" and self.script_name:
                value = below_mount(value, self.script_name)
            if lowered not in HOP_BY_HOP:
                kept.append((name, value))
        self.status = status if status[3:4] else f"{code} {phrase(code)}"
        self.headers, self.left = kept, left
        self.has_body = not self.is_head and code not in (204, 304)

    def promise(self, length):
        """Adds the length of the body, if it is known and the application did not set it.

        The empty body of a HEAD does not show how long a GET's would be.
        """
        if self.left is not None or self.status[:3] in ("204", "304") or self.is_head and not length:
            return
        self.headers.append(("Content-Length", str(length)))
        self.left = length

    def write(self, data):
        """Sends a part of the body at once; a server without `write` gets them all at the end."""
        data = octets(data)
        if not self.habits.has_write:
            if self.written is None:
                import tempfile  # Few applications come here, and every start would wait for it.

                self.written = tempfile.SpooledTemporaryFile(WRITTEN_IN_MEMORY)
            self.written.write(data)
            return
        self.begin()
        data = self.within_promise(data)
        if data and self.has_body:
            try:
                self.server_write(data)
            except BaseException as problem:
                self.server_problem = problem
                raise

    def within_promise(self, data):
        """More bytes than Content-Length would be taken for the beginning of the next response."""
        if self.left is not None:
            data = data[:self.left]
            self.left -= len(data)
        return data

    def begin(self):
        if self.is_begun:
            return
        if self.status is None:
            raise RuntimeError("the application did not call start_response")
        self.is_begun = True
        if self.habits.mark and self.left is None and self.has_body:
            self.headers.append(("Mooring-Break", self.habits.mark.hex()))
        self.server_write = self.server_start(self.status, self.headers)

    def __iter__(self):
        return self

    def __next__(self):
        if not self.has_body:
            raise StopIteration
        try:
            data = next(self.parts, None)
            if data is None and self.left:
                raise ValueError(f"the body is {self.left} bytes shorter than its Content-Length")
        except BaseException as problem:
            if self.habits.mark and self.left is None:
                self.report(problem)
                self.close()
                return self.habits.mark
            self.break_off(problem)
        if data is None or not (data := self.within_promise(data)):
            raise StopIteration
        return data

    def close(self):
        """Calls the application's `close`, once, after its response; the server calls this in any case."""
        result, self.result, self.parts = self.result, None, iter(())
        if self.written:
            self.written.close()
            self.written = None
        if hasattr(result, "close"):
            try:
                result.close()
            except BaseException as problem:
                self.report(problem)

    def fail(self, problem):
        """Answers 500 if nothing has been sent."""
        if self.is_begun:
            self.break_off(problem)
        self.report(problem)
        self.close()
        self.start("500 Internal Server Error", [("Content-Type", "text/plain")], (None, problem, None))
        return self.answer_whole(FAILURE)

    def break_off(self, problem):
        """Cuts off a response, so that it is not taken for complete."""
        self.report(problem)
        self.close()
        raise self.habits.breaking() from None

    def report(self, problem):
        if problem is self.server_problem or isinstance(problem, BodyBrokeOff):
            return  # The client has left.
        method, target = self.environ["REQUEST_METHOD"], self.environ.get("REQUEST_URI", "")
        self.errors.report(problem, f"The application failed in {method} {ascii(target)[1:-1]}:")


def phrase(code):
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Unknown"


def octets(data):
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"a body consists of bytes, not of {type(data).__name__}")


def is_application(result):
    """Whether it cannot be a body, and may be a factory's result."""
    kind = type(result)
    return callable(result) and not hasattr(kind, "__iter__") and not hasattr(kind, "__getitem__")


def factory_advice(application, name):
    if name.endswith(")"):
        return ""
    if ":" not in name:
        name = f"{name}:{getattr(application, '__name__', 'application')}"
    return "; " + advice(name, True)


def is_single(result):
    """Whether the first part of a body is all of it."""
    try:
        return len(result) == 1
    except Exception:
        return False


def blocks(file):
    file.seek(0)
    return iter(lambda: file.read(BLOCK_SIZE), b"")
