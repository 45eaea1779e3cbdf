"""Certificates that a listener has to take or to refuse, and what it answers to whoever shows one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from testinfra.host import Host

# Asks for the cluster's ACLs (DescribeAcls, version 1), as one may whom the authorizer permits it. Over TLS 1.3 a
# certificate is judged after the client has done its part, so that only the answer tells: an alert, or Kafka's code.
ASK = """
import socket, ssl, struct, sys, tempfile
host, port, pem = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
with tempfile.NamedTemporaryFile("w") as shown:
    print(pem, file=shown, flush=True)
    if pem:
        tls.load_cert_chain(shown.name)
try:
    with socket.create_connection((host, int(port)), 60) as plain, tls.wrap_socket(plain) as to:
        to.sendall(struct.pack(">ihhihbhbhhbb", 20, 29, 1, 1, -1, 1, -1, 1, -1, -1, 1, 1))
        with to.makefile("rb") as answer:
            told = answer.read(14)
        code, known = int.from_bytes(told[12:]), {0: "permitted", 31: "refused", 54: "no authorizer"}
        print(known.get(code, code) if told else "not let in")
except (ssl.SSLError, ConnectionError):  # An alert; it is lost where the connection is closed before it is read.
    print("not let in")
"""


class Signer:
    """An authority, by its key and certificate, or a new one of which nobody knows."""

    def __init__(self, folder: Path | None = None, passphrase: str = "") -> None:
        if folder is None:
            self._key: Any = generate_private_key(SECP256R1())
            self._name = _named("Another authority")
        else:
            self._key = load_pem_private_key((folder / "ca.key").read_bytes(), passphrase.encode())
            self._name = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()).subject

    def sign(self, name: str, *, expired: bool = False) -> str:
        """A key and a certificate for it, in PEM."""
        key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=-1 if expired else 1))
            .sign(self._key, SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (secret + certificate.public_bytes(Encoding.PEM)).decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def answer_to(pem: str, member: Host, address: str, port: int) -> str:
    """What a listener answers whoever shows a certificate; it is asked by a member, as other hosts do not reach it.

    It is `not let in`, or `refused` or `permitted` by the authorizer, or let in where there is `no authorizer`.
    `pem` has a key and a certificate, "" shows none. The keys are on a command line: they are worth nothing.
    """
    return str(member.check_output("python3 -c %s %s %s %s", ASK, address, str(port), pem)).strip()
