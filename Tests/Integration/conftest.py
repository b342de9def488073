"""What tests of several files share."""

import tempfile
from pathlib import Path

import pytest

import tls


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: makes or measures load, so nothing else is to run beside it")


@pytest.fixture(scope="session")
def certificates():
    """A folder with an authority and the certificates `one` (localhost) and `two` (two.example)."""
    with tempfile.TemporaryDirectory(prefix="m-tls-", dir="/tmp") as name:
        folder = Path(name)
        tls.make_authority(folder)
        tls.make_certificate(folder, "one", "localhost", "127.0.0.1")
        tls.make_certificate(folder, "two", "two.example", "*.two.example")
        yield folder
