"""Certificates for tests, made by openssl."""

import ssl
import subprocess

from support.parts import need


def make_certificates(home):
    """In `home`: ca.pem, and a certificate with its key in one file for server and client."""
    openssl = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    openssl += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    def make(name, *more):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}"]
        subprocess.run([*openssl, *files, *more], cwd=home, check=True, capture_output=True)
        both = (home / f"{name}.crt").read_text() + (home / f"{name}.key").read_text()
        (home / f"{name}.pem").write_text(both)

    make("ca")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1")
    make("server", *signed)
    make("client", *signed)
    make("stranger")
    return home


def context(home, *, ask_client=False):
    """A server's side of TLS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(home / "server.pem")
    if ask_client:
        tls.load_verify_locations(home / "ca.crt")
        tls.verify_mode = ssl.CERT_REQUIRED
    return tls
