"""A certificate for the mock, its own authority, as an HMC has when it comes from the factory."""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 365


def certificate(directory: Path, address: str) -> tuple[Path, Path]:
    """The paths of certificate and key in `directory`; made anew, valid for a year."""
    key = ec.generate_private_key(ec.SECP256R1())
    files = directory / "hmc.pem", directory / "hmc.key"
    pem = _signed(key, address).public_bytes(serialization.Encoding.PEM)
    files[0].write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(files[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        output.write(secret)
    return files


def _signed(key: ec.EllipticCurvePrivateKey, address: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"HMC mock {address}"[:64])])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(address)), critical=False)
        .sign(key, hashes.SHA256())
    )


def _names(address: str) -> list[x509.GeneralName]:
    local = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        named = x509.DNSName(address)
    return [*local, *(() if named in local else (named,))]
