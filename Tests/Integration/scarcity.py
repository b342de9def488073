"""A machine that runs out of things, or whose clock is set, for one balancer and when a test asks for it."""

import contextlib
import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("scarcity.c")
FIELDS = ("clock_offset", "clone_errno", "write_errno", "socket_errno")


class Scarcity:
    def __init__(self, folder):
        self.library, self.file = folder / "scarcity.so", folder / "scarcity"
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))))
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self.library, SOURCE, "-ldl"], check=True)
        self.file.write_bytes(bytes(8 * len(FIELDS)))

    @property
    def environment(self):
        """For the balancer; its processes have an environment of their own."""
        return {"LD_PRELOAD": str(self.library), "SCARCITY": str(self.file)}

    @contextlib.contextmanager
    def of(self, **values):
        """While it lasts: `clock_offset` in seconds, or an errno for `clone`, `write` or `socket`."""
        with self.file.open("r+b") as file, mmap.mmap(file.fileno(), 0) as page:
            for name, value in values.items():
                struct.pack_into("<q", page, 8 * FIELDS.index(name), value)
            try:
                yield
            finally:
                page[:] = bytes(len(page))
