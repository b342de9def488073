"""An application that uses PEP 3333 in every way that it allows, and in some that it does not."""

import io
import json
import multiprocessing
import os
import sys
import tempfile
import time

closed = []
seen = []
TEXT = [("Content-Type", "text/plain")]


class Body:
    """Parts, of which one may be an exception to raise; notes when it is closed."""

    def __init__(self, name, *parts, start=None):
        self.name, self.parts, self.start = name, iter(parts), start

    def __iter__(self):
        return self

    def __next__(self):
        if self.start:
            start, self.start = self.start, None
            start()
        part = next(self.parts)
        if isinstance(part, BaseException):
            raise part
        return part

    def close(self):
        closed.append(self.name)


def failing(exception, is_late=False):
    def answer(environ, start_response):
        start_response("200 OK", TEXT)
        return Body("failing", *([b"first"] if is_late else [b""]), exception)
    return answer


def raising(exception):
    def answer(environ, start_response):
        raise exception
    return answer


def generator(environ, start_response):
    start_response("404 Not Found", TEXT + [("X-Where", "generator")])
    yield b"nothing "
    yield b"here"


def lazy(environ, start_response):
    return Body("lazy", b"", b"moved", start=lambda: start_response("302 Found", TEXT + [("Location", "/x")]))


def empty(environ, start_response):
    start_response("401 Unauthorized", TEXT)
    return iter(())


def silent(environ, start_response):
    return [b"never started"]


def silent_generator(environ, start_response):
    return iter([b"never started"])


def no_body(environ, start_response):
    start_response("200 OK", TEXT)
    return None


def writing(environ, start_response):
    write = start_response("201 Created", TEXT)
    write(b"one ")
    write(b"two ")
    return Body("writing", b"three")


def writing_much(environ, start_response):
    write = start_response("200 OK", TEXT)
    for _ in range(64):
        write(b"x" * 65536)
    return [b"y"]


def replaced(environ, start_response):
    start_response("200 OK", TEXT + [("X-Old", "1"), ("Content-Length", "3")])
    try:
        raise KeyError("on purpose")
    except KeyError:
        start_response("503 Service Unavailable", TEXT, sys.exc_info())
    return [b"replaced"]


def replaced_in_generator(environ, start_response):
    start_response("200 OK", TEXT + [("X-Old", "1")])
    yield b""
    try:
        raise KeyError("on purpose")
    except KeyError:
        start_response("503 Service Unavailable", TEXT, sys.exc_info())
    yield b"replaced"


def too_late(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "50")])
    yield b"sent"
    try:
        raise KeyError("on purpose")
    except KeyError:
        try:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        except KeyError as problem:
            seen.append(repr(problem))
            raise


def twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("404 Not Found", TEXT)
    return [b"x"]


def short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "50")])
    return iter([b"less"])


def long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return iter([b"more", b" than", b" that"])


def status(line, *fields):
    def answer(environ, start_response):
        start_response(line, list(fields))
        return iter([b"a body"])
    return answer


def sized(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "6")])
    return iter([b"a body"])


def plain(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"a ", b"body"]


def streamed(environ, start_response):
    start_response("200 OK", TEXT)
    return iter([b"a ", b"", b"body"])


def one_part(environ, start_response):
    start_response("200 OK", TEXT)
    return (b"a body",)


def file(environ, start_response):
    start_response("200 OK", TEXT)
    opened = tempfile.TemporaryFile()
    opened.write(b"left out" + b"z" * 300_000)
    opened.seek(8)
    close = opened.close
    class File:
        read = opened.read
        def close(self):
            close()
            closed.append("file")
    return environ["wsgi.file_wrapper"](File(), 4096)


def close_fails(environ, start_response):
    start_response("200 OK", TEXT)
    class Failing(Body):
        def close(self):
            sys.exit("close failed on purpose")
    return Failing("", b"whole")


def no_errors(environ, start_response):
    sys.stderr.close()
    environ["wsgi.errors"].write("still heard\n")
    environ["wsgi.errors"].close()
    raise RuntimeError("after stderr was closed")


def no_descriptor(environ, start_response):
    os.close(2)
    raise RuntimeError("after descriptor 2 was closed")


def field(environ, start_response):
    start_response("200 OK", TEXT + [("X-Name", "Jos\xc3\xa9")])
    return [repr(environ.get("HTTP_X_NAME")).encode()]


def cookie(environ, start_response):
    start_response("200 OK", TEXT + [("Set-Cookie", environ["QUERY_STRING"].replace("+", " "))])
    return [b""]


def empty_input(environ, start_response):
    stream = environ["wsgi.input"]
    read = [stream.read(), stream.read(-1), stream.read(5), stream.readline(), stream.readline(-1), *stream]
    found = [stream.readable(), stream.closed, b"".join(read) == b"", stream.readlines()]
    found.append(io.TextIOWrapper(stream).read())
    stream.close()
    start_response("200 OK", TEXT)
    return [json.dumps(found).encode()]


def tell(environ, start_response):
    told = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
    told["body"] = environ["wsgi.input"].read().decode("latin-1")
    told["closed"], told["seen"], told["pid"] = closed, seen, os.getpid()
    start_response("200 OK", TEXT)
    return [json.dumps(told).encode()]


def square(number):
    return number * number


def pool(environ, start_response):
    start_response("200 OK", TEXT)
    with multiprocessing.get_context("fork").Pool(2) as workers:
        result = workers.map(square, range(4))
        workers.apply_async(time.sleep, (60,))
    return [json.dumps(result).encode()]


def fork(environ, start_response):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    start_response("200 OK", TEXT)
    return [str(child).encode()]


ROUTES = {
    "/generator": generator, "/lazy": lazy, "/empty": empty, "/silent": silent,
    "/silent-generator": silent_generator, "/no-body": no_body, "/writing": writing,
    "/writing-much": writing_much, "/replaced": replaced, "/replaced-in-generator": replaced_in_generator,
    "/too-late": too_late, "/twice": twice, "/short": short, "/long": long, "/sized": sized,
    "/plain": plain, "/streamed": streamed, "/one-part": one_part, "/file": file,
    "/close-fails": close_fails, "/no-errors": no_errors, "/no-descriptor": no_descriptor,
    "/empty-input": empty_input, "/stop": raising(StopIteration()),
    "/server": status("200 OK", ("Server", "mine"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")),
    "/field": field, "/cookie": cookie, "/pool": pool, "/fork": fork,
    "/raise": raising(RuntimeError("on purpose")), "/exit": raising(SystemExit(3)),
    "/interrupt": raising(KeyboardInterrupt()), "/generator-exit": raising(GeneratorExit()),
    "/stop-iteration": failing(StopIteration()), "/memory": raising(MemoryError()),
    "/early": failing(RuntimeError("on purpose")), "/early-exit": failing(SystemExit(3)),
    "/late": failing(RuntimeError("on purpose"), is_late=True),
    "/late-exit": failing(SystemExit(3), is_late=True),
    "/text": status("200 OK"), "/204": status("204 No Content", ("Content-Length", "6")),
    "/304": status("304 Not Modified", ("ETag", '"x"')), "/bare": status("404"),
    "/bad-status": status("nothing"), "/interim": status("100 Continue"),
    "/bad-name": status("200 OK", ("Bad Name", "x")), "/bad-value": status("200 OK", ("X", "a\r\nY: b")),
    "/hop-by-hop": status("200 OK", ("Connection", "close"), ("Keep-Alive", "timeout=1")),
    "/type": lambda environ, start_response: [start_response("200 OK", TEXT) and "text"],
}


def application(environ, start_response):
    return ROUTES.get(environ["PATH_INFO"], tell)(environ, start_response)
