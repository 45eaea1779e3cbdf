"""What a certificate's bytes say of it: a Kafka host's Python has no library for that.

Sources: RFC 5280 (certificates), X.690 (their encoding), RFC 5246 section 7.4.2 (where TLS 1.2 shows them).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

VERSION, UTC_TIME, GENERALIZED_TIME = 0xA0, 0x17, 0x18
# TLS: the type of a record, and of a message in it.
HANDSHAKE, CERTIFICATE = 22, 11
NO_CERTIFICATE = "what it shows is no X.509 certificate"


def expires(der: bytes) -> datetime:
    """The end of a certificate's validity.

    Raises:
        ValueError: The bytes are no certificate.
    """
    try:
        _serial, _algorithm, _issuer, validity, *_ = _fields(der)
        _, (tag, text) = _elements(validity)
        return _time(tag, text.decode("ascii"))
    except (ValueError, IndexError) as error:
        raise ValueError(NO_CERTIFICATE) from error


def authority_id(der: bytes) -> str:
    """What tells an authority from others in hexadecimal digits: a digest of its name and its public key.

    A certificate with new dates for the same key and name has the same.

    Raises:
        ValueError: The bytes are no certificate.
    """
    try:
        _serial, _algorithm, _issuer, _validity, subject, key, *_ = _fields(der)
    except (ValueError, IndexError) as error:
        raise ValueError(NO_CERTIFICATE) from error
    return hashlib.sha256(len(subject).to_bytes(4) + subject + key).hexdigest()


def _fields(der: bytes) -> list[bytes]:
    """The contents of what is signed of a certificate, without the version."""
    [(_, certificate)] = _elements(der)
    (_, signed), *_ = _elements(certificate)
    return [content for tag, content in _elements(signed) if tag != VERSION]


def first_certificate(received: bytes) -> bytes | None:
    """The server's certificate in what it has sent of a TLS 1.2 handshake, None if there is none in it."""
    messages = b"".join(_records(received))
    while len(messages) >= 4:
        kind, length = messages[0], int.from_bytes(messages[1:4])
        body, messages = messages[4 : 4 + length], messages[4 + length :]
        if kind == CERTIFICATE and len(body) == length:
            return body[6 : 6 + int.from_bytes(body[3:6])] or None
    return None


def _records(received: bytes) -> Iterator[bytes]:
    """The contents of the records of a handshake, until it is encrypted or something else follows."""
    while len(received) >= 5 and received[0] == HANDSHAKE:
        length = int.from_bytes(received[3:5])
        yield received[5 : 5 + length]
        received = received[5 + length :]


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length >= 0x80:
            start += length - 0x80
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            raise ValueError("cut off")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _time(tag: int, text: str) -> datetime:
    if tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    elif tag != GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
