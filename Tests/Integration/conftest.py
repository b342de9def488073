"""What all tests here share."""

from fixtures import certificates  # noqa: F401


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: makes or measures load, so nothing else is to run beside it")
