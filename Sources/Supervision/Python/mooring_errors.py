"""Where the host reports failures: a descriptor of its own for standard error."""

import contextlib
import fcntl
import importlib
import io
import os
import sys
import traceback

# Above the descriptors that programs close when they daemonise.
LOWEST_DESCRIPTOR = 100


def fill_standard_descriptors():
    """Opens /dev/null in place of standard descriptors that are closed.

    Otherwise the next connection would get the number, and printed output would go to a client.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is this one, as those below it are open.
            os.open(os.devnull, os.O_RDWR)


class Errors(io.TextIOBase):
    """`wsgi.errors`: works although the application closed `sys.stderr` or descriptor 2."""

    def __init__(self):
        try:
            self.descriptor = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR)
        except OSError:
            self.descriptor = os.dup(2)
        self.identity = self.identify()

    def identify(self):
        try:
            found = os.fstat(self.descriptor)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def writable(self):
        return True

    def close(self):
        """Stays open: it belongs to the host."""

    def write(self, text):
        data = text.encode("utf-8", "backslashreplace")
        # The application may have closed the descriptor, and a connection may have its number now.
        if self.identity is not None and self.identify() == self.identity:
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self.descriptor, data):]
        return len(text)

    def report(self, problem, what=""):
        """Prints a traceback in one piece, below a line that names what failed.

        It begins with the application's first line, since the host's own frames do not help.
        """
        fill_standard_descriptors()
        if sys.stderr is None or sys.stderr.closed:
            sys.stderr = self
        entry = problem.__traceback__
        while entry and is_internal(entry.tb_frame.f_code.co_filename):
            entry = entry.tb_next
        lines = traceback.format_exception(type(problem), problem, entry)
        self.write((f"{what}\n" if what else "") + "".join(lines))


def is_internal(path):
    """Whether a file belongs to the host, or to the machinery of import."""
    return (os.path.dirname(path) == os.path.dirname(os.path.abspath(__file__))
            or path == importlib.__file__ or path.startswith("<frozen importlib"))
