"""The cases of h2spec, the public suite for HTTP/2 servers, frame by frame: each on clear text and on TLS."""

import pytest

import h2spec
import h2spec_frames  # noqa: F401
import h2spec_generic  # noqa: F401
import h2spec_messages  # noqa: F401
import h2spec_states  # noqa: F401
import tls
from balancer import serving
from http2 import Connection
from origin import Origin


@pytest.fixture(scope="module", params=["clear", "tls"])
def connect(request, certificates):
    def body(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20)
    with Origin({"/": body}) as origin:
        configuration = f"[group.app]\nservers = [{origin.server}]\n"
        if request.param == "tls":
            configuration = tls.secure(certificates, configuration)
        with serving(configuration) as balancer:
            context = (lambda: tls.trusting(certificates)) if request.param == "tls" else (lambda: None)
            yield lambda **options: Connection(balancer.address, context(), **options)


@pytest.mark.parametrize("name", h2spec.CASES)
def test_case(connect, name):
    test, options = h2spec.CASES[name]
    with connect(**options) as c:
        test(c)
