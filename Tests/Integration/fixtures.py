"""What tests of several files, and of several folders, share."""

import tempfile
from pathlib import Path

import pytest

import tls


@pytest.fixture(scope="session")
def certificates():
    """A folder with an authority and the certificates `one` (localhost) and `two` (two.example)."""
    with tempfile.TemporaryDirectory(prefix="m-tls-", dir="/tmp") as name:
        folder = Path(name)
        tls.make_authority(folder)
        tls.make_certificate(folder, "one", "localhost", "127.0.0.1")
        tls.make_certificate(folder, "two", "two.example", "*.two.example")
        yield folder
