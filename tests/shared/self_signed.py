"""Makes certificates for tests, by the library that Ansible itself needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


@cache
def _made(_number: int) -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def key(number: int = 0) -> EllipticCurvePrivateKey:
    """The key of a number, each time the same."""
    return _made(number)


def certificate(last: datetime, names: int = 1, common_name: str = "kafka1", number: int = 0) -> bytes:
    """A certificate as DER for the key of a number; with many names its lengths need more bytes."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(number).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(last - timedelta(days=1))
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"k{each}.example") for each in range(names)]), False)
    )
    return builder.sign(key(number), SHA256()).public_bytes(Encoding.DER)
