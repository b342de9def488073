"""Certificates of an authority of the tests' own, made with the openssl command."""

import ssl
import subprocess

import httpx


def run(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_authority(folder, name="ca"):
    run(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}")


def make_certificate(folder, name, *hosts, authority="ca"):
    """`NAME.pem` and `NAME.key`, good for the hosts."""
    names = ",".join(
        ("IP:" if host[0].isdigit() else "DNS:") + host for host in hosts)
    (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    run(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={hosts[0]}")
    run(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
        f"{authority}.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "30", "-extfile",
        f"{name}.ext")
    (folder / f"{name}.key").chmod(0o600)


def trusting(folder, authority="ca", protocols=None):
    context = ssl.create_default_context(cafile=str(folder / f"{authority}.pem"))
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def secure(certificates, configuration, extra=""):
    """The configuration behind TLS with both certificates."""
    listen = f'[[listen]]\naddress = "127.0.0.1:0"\n{extra}'
    for name in ("one", "two"):
        listen += (f'[[listen.tls]]\ncertificate = "{certificates}/{name}.pem"\n'
                   f'key = "{certificates}/{name}.key"\n')
    return listen + configuration


def client(balancer, certificates, http2=True):
    host, port = balancer.address
    return httpx.Client(
        base_url=f"https://{host}:{port}", http2=http2, verify=trusting(certificates), timeout=20)
