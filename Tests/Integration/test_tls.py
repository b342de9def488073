"""TLS at the edge: who is let in, by which certificate, and what odd clients meet."""

import shutil
import socket
import ssl
import statistics
import subprocess
import threading
import time

import httpx
import pytest

import tls
from balancer import BINARY, ECHO, Balancer, serving, wait_until
from origin import Origin
from tls import secure

GROUP = """
[group.app]
wsgi = "echo.py"
processes = 2
threads = 10
"""


@pytest.fixture(scope="module")
def balancer(certificates):
    configuration = secure(certificates, GROUP) + '[timeouts]\nheader = "1s"\n'
    with serving(configuration, files={"echo.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        yield balancer


def connect(address, context, name="localhost"):
    return context.wrap_socket(socket.create_connection(address, 20), server_hostname=name)


def ask(connection, path="/"):
    """Status line and all that came, on a connection that ends with the answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    out = b""
    while piece := connection.recv(65536):
        out += piece
    return out.decode()


def openssl(address, *options):
    """The output of `openssl s_client` about a handshake."""
    host, port = address
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost", *options],
        input=b"", capture_output=True, check=False, timeout=30)
    return (done.stdout + done.stderr).decode(errors="replace")


def test_no_early_data_is_taken_for_it_could_be_replayed(balancer, tmp_path):
    """RFC 8446 section 8, RFC 8470: without it no request has to be refused with 425."""
    ticket = tmp_path / "ticket"
    host, port = balancer.address
    # The ticket comes behind the handshake: the answer is waited for.
    subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_3", "-ign_eof", "-sess_out", str(ticket)],
        input=b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", capture_output=True, check=False, timeout=20)
    said = subprocess.run(
        ["openssl", "sess_id", "-in", str(ticket), "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    assert "TLSv1.3" in said and "Max Early Data: 0" in said, said


def test_the_certificate_is_chosen_by_the_name_that_is_asked_for(balancer, certificates):
    for asked, names in [("two.example", "two.example"), ("a.two.example", "two.example"),
                         ("localhost", "localhost"), ("unknown.example", "localhost")]:
        context = tls.trusting(certificates)
        context.check_hostname = False
        with connect(balancer.address, context, asked) as connection:
            found = [name for _, name in connection.getpeercert()["subjectAltName"]]
            assert names in found, (asked, found)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_of_tls_are_refused(balancer, version):
    # Without the lower level of security this client would not offer them itself.
    offers_all = ["-cipher", "ALL:@SECLEVEL=0"]
    assert "alert protocol version" in openssl(balancer.address, version, *offers_all)
    assert "Protocol  : TLSv1.2" in openssl(balancer.address, "-tls1_2", *offers_all)
    assert "TLSv1.3" in openssl(balancer.address, "-tls1_3")


def test_a_ticket_is_good_at_every_loop_and_after_a_reload(certificates, tmp_path):
    with serving(secure(certificates, GROUP), top="workers = 2\n", files={"echo.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        ticket = str(tmp_path / "ticket")
        assert "New, TLS" in openssl(balancer.address, "-tls1_2", "-sess_out", ticket)
        # Connections are dealt to the loop with the fewest: held ones push the next to the other.
        held = []
        for _ in range(3):
            assert "Reused, TLS" in openssl(balancer.address, "-tls1_2", "-sess_in", ticket)
            held.append(socket.create_connection(balancer.address))
        assert balancer.admin("/reload", method="POST").status == 200
        assert "Reused, TLS" in openssl(balancer.address, "-tls1_2", "-sess_in", ticket)
        for connection in held:
            connection.close()


def test_plain_http_on_a_port_for_https_is_told_so(balancer):
    answer = balancer.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").decode()
    assert answer.startswith("HTTP/1.1 400 "), answer
    assert "plain HTTP on a port for HTTPS" in answer and "Set-Cookie" not in answer


def test_what_is_neither_is_closed_without_a_word(balancer):
    # OpenSSL may say goodbye with an alert; nothing of it is HTTP.
    assert b"HTTP" not in balancer.raw(b"\x00" * 64)


def test_a_handshake_that_never_ends_is_ended_by_the_time_for_heads(balancer, certificates):
    half = [socket.create_connection(balancer.address, 10) for _ in range(50)]
    for place, connection in enumerate(half):
        connection.sendall(b"\x16\x03\x01\x02\x00\x01"[:place % 7])
    before = time.monotonic()
    with connect(balancer.address, tls.trusting(certificates)) as other:
        assert ask(other).startswith("HTTP/1.1 200 ")
    assert time.monotonic() - before < 1
    assert ended(half[0]) and time.monotonic() - before > 0.5
    assert all(ended(connection) for connection in half[1:])
    assert time.monotonic() - before < 5


def ended(connection):
    """Whether the other side has closed it, or does so before the socket's timeout."""
    try:
        return connection.recv(1024) == b""
    except ConnectionResetError:
        return True
    finally:
        connection.close()


def test_the_client_that_a_proxy_header_names_comes_before_tls(certificates):
    with Origin() as origin:
        configuration = secure(
            certificates, f"[group.app]\nservers = [{origin.server}]\n", "proxy_protocol = true\n")
        with serving(configuration) as balancer:
            plain = socket.create_connection(balancer.address, 10)
            plain.sendall(b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n")
            context = tls.trusting(certificates)
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                assert ask(connection).startswith("HTTP/1.1 200 ")
            facts = dict(origin.requests[-1][1])
            assert facts["x-forwarded-for"] == "203.0.113.7" and facts["x-forwarded-proto"] == "https"
            # Without the header there is no handshake.
            with pytest.raises(OSError), connect(balancer.address, context):
                pass


def test_a_crowd_of_handshakes_does_not_hold_up_who_is_connected(balancer, certificates):
    def median_and_worst(seconds):
        times = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            before = time.monotonic()
            assert visitor.get("/").status_code == 200
            times.append(time.monotonic() - before)
        times.sort()
        return statistics.median(times), times[int(len(times) * 0.99)]

    host, port = balancer.address
    with httpx.Client(base_url=f"https://{host}:{port}", verify=tls.trusting(certificates)) as visitor:
        median_and_worst(0.3)
        _, quiet = median_and_worst(1.5)
        # Each connection is closed after one request, so nearly all of it is handshakes.
        crowd = subprocess.Popen(
            ["wrk", "-t1", "-c100", "-d3s", "-H", "Connection: close", f"https://{host}:{port}/"],
            stdout=subprocess.PIPE, text=True)
        _, busy = median_and_worst(2)
        said = crowd.communicate(timeout=30)[0]
    assert int(said.split(" requests in")[0].split()[-1]) > 300, said
    assert busy < max(10 * quiet, 0.25), (quiet, busy)


def test_a_client_without_a_certificate_of_the_authority_is_refused(certificates):
    tls.make_certificate(certificates, "visitor", "visitor")
    configuration = secure(certificates, GROUP, f'client_ca = "{certificates}/ca.pem"\n')
    with serving(configuration, files={"echo.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        host, port = balancer.address
        with pytest.raises(httpx.TransportError):
            httpx.get(f"https://{host}:{port}/", verify=tls.trusting(certificates))
        context = tls.trusting(certificates)
        context.load_cert_chain(certificates / "visitor.pem", certificates / "visitor.key")
        assert httpx.get(f"https://{host}:{port}/", verify=context).status_code == 200


def test_bad_files_are_named(certificates, tmp_path):
    (tmp_path / "bad.pem").write_text("no certificate")
    for pem, key, named in [("bad.pem", f"{certificates}/one.key", "bad.pem"),
                            (f"{certificates}/one.pem", f"{certificates}/two.key", "two.key"),
                            ("missing.pem", f"{certificates}/one.key", "missing.pem")]:
        (tmp_path / "mooring.toml").write_text(
            f'state_dir = "s"\n[[listen]]\naddress = "127.0.0.1:0"\n[[listen.tls]]\n'
            f'certificate = "{pem}"\nkey = "{key}"\n[group.a]\nservers = ["127.0.0.1:1"]\n')
        said = subprocess.run([BINARY, "check", "-c", str(tmp_path / "mooring.toml")],
                              capture_output=True, text=True, check=False)
        assert said.returncode == 2 and named in said.stderr, said


def test_certificates_are_read_anew_by_reloads_under_load(certificates, tmp_path):
    tls.make_authority(tmp_path, "other")
    tls.make_certificate(tmp_path, "fresh", "localhost", "127.0.0.1", authority="other")
    for name in ("one", "two", "ca"):
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"{name}.{kind}", tmp_path / f"{name}.{kind}")
            shutil.copy(certificates / f"{name}.{kind}", tmp_path / f"old-{name}.{kind}")
    trusting = tls.trusting(tmp_path)
    trusting.load_verify_locations(cafile=str(tmp_path / "other.pem"))
    seen, failures, over = [], [], threading.Event()

    def visit(address):
        while not over.is_set():
            try:
                with connect(address, trusting) as connection:
                    issuer = dict(part[0] for part in connection.getpeercert()["issuer"])
                    assert ask(connection).startswith("HTTP/1.1 200 ")
                    seen.append(issuer["commonName"])
            except (OSError, AssertionError) as error:
                failures.append(error)

    with serving(secure(tmp_path, GROUP), files={"echo.py": ECHO}) as balancer:
        balancer.wait_ready("app", 2)
        # One that is open stays open through all of it.
        with connect(balancer.address, trusting) as old:
            visitors = [
                threading.Thread(target=visit, args=(balancer.address,)) for _ in range(8)]
            for visitor in visitors:
                visitor.start()
            for turn in range(6):
                source, issuer = ("fresh", "other") if turn % 2 == 0 else ("old-one", "ca")
                for kind in ("key", "pem"):
                    shutil.copy(tmp_path / f"{source}.{kind}", tmp_path / f"one.{kind}")
                assert balancer.admin("/reload", method="POST").status == 200
                reloaded = len(seen)
                wait_until(lambda i=issuer, r=reloaded: i in seen[r:], what=f"one by {issuer}")
            over.set()
            for visitor in visitors:
                visitor.join()
            assert ask(old).startswith("HTTP/1.1 200 ")
    assert not failures, failures[:3]
    assert {"ca", "other"} == set(seen)


def test_an_https_server_is_verified_unless_said_otherwise(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "one.pem", certificates / "one.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    for server, good in [(f'"{address}"', False),
                         (f'{{ address = "{address}", ca = "{certificates}/ca.pem" }}', True),
                         (f'{{ address = "{address}", verify = false }}', True)]:
        with serving(f"[group.a]\nkeepalive = false\nservers = [{server}]\n") as balancer:
            answer = balancer.request()
            assert (answer.status == 200) == good, server
            if not good:
                # The only server there is has failed: the group is out of service for a moment.
                assert answer.status in (502, 503)
                wait_until(lambda b=balancer: "certificate refused: " in b.log,
                           what="the reason in the log")
                assert address.removeprefix("https://") in balancer.log
    listener.close()
