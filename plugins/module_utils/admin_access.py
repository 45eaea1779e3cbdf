"""Whether a broker lets the admin client in, by TLS and by its login, told in one exchange.

The library tries again until its time is over without a word of the reason, and waits for ever for a server that
accepts the connection and does not answer the handshake. A broker ends the connection with its refusal of a login, and
the library tells of the end alone.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

with suppress(ImportError):  # Reported by `entry.admin_module`, which names kafka_admin_python.
    from kafka import KafkaAdminClient
    from kafka.net.sasl import get_sasl_mechanism
    from kafka.net.transport import KafkaSSLTransport

SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 17, 18, 36
CLIENT_ID = b"crucible"
FILES = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile")


class Refused(Exception):
    """One side does not accept the other, or the client's files cannot be read; the message says why."""


def uses_tls(client: Mapping[str, Any]) -> bool:
    """Whether kafka-python's options ask for TLS."""
    return str(client.get("security_protocol", "")).endswith("SSL")


def logs_in(client: Mapping[str, Any]) -> bool:
    """Whether they have a login by a user's name and password."""
    by_password = str(client.get("sasl_mechanism", "")).startswith(("SCRAM", "PLAIN"))
    return by_password and str(client.get("security_protocol", "")).startswith("SASL_")


def exchange(connection: socket.socket, host: str, client: Mapping[str, Any]) -> None:
    """Shake hands, wait for the first answer (by TLS 1.3 a server refuses a certificate only then), and log in.

    Raises:
        Refused: It would not help to try again.
        OSError: The server does not answer, or ends the connection.
    """
    if not uses_tls(client):
        return _log_in(connection, host, client)
    context = _context(client)
    try:
        with context.wrap_socket(connection, server_hostname=host.rstrip(".")) as tls:
            # Version 0 is the one that every release answers, before the login too.
            _ask(tls, API_VERSIONS, 0, b"")
            return _log_in(tls, host, client)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise ConnectionResetError("it ends the connection") from error
    except ssl.SSLError as error:
        raise Refused(f"TLS fails: {_reason(error)}") from error


def _log_in(connection: socket.socket, host: str, client: Mapping[str, Any]) -> None:
    if not logs_in(client):
        return
    mechanism = str(client["sasl_mechanism"])
    offered = _ask(
        connection, SASL_HANDSHAKE, 1, struct.pack(f">h{len(mechanism)}s", len(mechanism), mechanism.encode())
    )
    if struct.unpack_from(">h", offered)[0]:
        raise Refused(f"it does not offer the mechanism {mechanism} (sasl_mechanism)")
    login = get_sasl_mechanism(mechanism)(host=host, **{**KafkaAdminClient.DEFAULT_CONFIG, **client})
    while not login.is_done():
        token = login.auth_bytes()
        answer = _ask(connection, SASL_AUTHENTICATE, 0, struct.pack(f">i{len(token)}s", len(token), token))
        error, length = struct.unpack_from(">hh", answer)
        told = answer[4 : 4 + max(length, 0)]
        if error:
            raise Refused(f"the login fails: {told.decode() or f'error {error}'}")
        login.receive(answer[4 + len(told) + 4 :])


def _ask(connection: socket.socket, key: int, version: int, body: bytes) -> bytes:
    """What a server answers to a request, without its length and number."""
    request = struct.pack(f">hhih{len(CLIENT_ID)}s", key, version, 1, len(CLIENT_ID), CLIENT_ID) + body
    with suppress(ssl.SSLEOFError, ConnectionError):  # Why it has ended the connection is read below.
        connection.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(connection, 4))
    return _read(connection, length)[4:]


def _read(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        if not (chunk := connection.recv(length - len(received))):
            raise ConnectionResetError("it ends the connection")
        received += chunk
    return received


def _context(client: Mapping[str, Any]) -> ssl.SSLContext:
    options = {key: client.get(key, default) for key, default in KafkaSSLTransport.DEFAULT_CONFIG.items()}
    try:
        context: ssl.SSLContext = KafkaSSLTransport._build_ssl_context(options)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError.
        named = ", ".join(f"{key} {options[key]}" for key in FILES if options[key])
        raise Refused(f"the client's files cannot be used ({named}): {error}") from error
    return context


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or str(error)).lower().replace("_", " ")
