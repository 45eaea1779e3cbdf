"""The salted password of a SCRAM credential (RFC 5802), and how kafka-storage is told of the first one."""

from __future__ import annotations

import hashlib
from base64 import b64encode

HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
SALT_BYTES = 24


def salted_password(mechanism: str, password: str, salt: bytes, iterations: int) -> bytes:
    """What a server's keys are derived from. Who has it can log in, as with the password."""
    return hashlib.pbkdf2_hmac(HASHES[mechanism], password.encode(), salt, iterations)


def format_arguments(mechanism: str, user: str, password: str, salt: bytes, iterations: int) -> list[str]:
    """The arguments by which `kafka-storage format` puts the user into the metadata log."""
    fields = {
        "name": f'"{user}"',
        "iterations": str(iterations),
        "salt": f'"{b64encode(salt).decode()}"',
        "saltedpassword": f'"{b64encode(salted_password(mechanism, password, salt, iterations)).decode()}"',
    }
    return ["--add-scram", f"{mechanism}=[{','.join(f'{key}={value}' for key, value in fields.items())}]"]
