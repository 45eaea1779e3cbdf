"""An authority that signs requests for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


class Authority:
    """An authority that nothing but its certificate is known of; `key` is any private key."""

    def __init__(self, key: Any = None, days: int = 1000) -> None:
        self._key: Any = key or generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        made = self._builder(self._name, self._key.public_key(), days)
        made = made.add_extension(x509.BasicConstraints(True, 0), True)
        self.certificate = made.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode()

    def _builder(self, subject: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        )

    def sign(self, request: str, days: int = 365) -> str:
        """Sign what is asked."""
        asked = x509.load_pem_x509_csr(request.encode())
        made = self._builder(asked.subject, asked.public_key(), days)
        for extension in asked.extensions:
            made = made.add_extension(extension.value, extension.critical)
        return made.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode()
