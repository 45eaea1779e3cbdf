"""Asks a port for the certificate that it shows. Whether to trust it is for clients to judge."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from .certificate import first_certificate

CHUNK_BYTES = 1 << 16


def shown_certificate(host: str, port: int, timeout_s: float) -> bytes:
    """The certificate, as DER, that a server shows to a client without one of its own.

    With TLS 1.3 the handshake is complete before the server refuses such a client. With TLS 1.2 it is not, and the
    certificate is read from what the server has sent until then.

    Raises:
        OSError: Nothing listens there, or it does not speak TLS; the message says what happened.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # Also a key that is too short for today has its last day.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    received = bytearray()
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        try:
            while not _done(tls):
                connection.sendall(outgoing.read())
                if not (chunk := connection.recv(CHUNK_BYTES)):
                    raise ConnectionAbortedError("it closes the connection in the handshake")
                received += chunk
                incoming.write(chunk)
        except OSError:
            if certificate := first_certificate(bytes(received)):
                return certificate
            raise
        with suppress(OSError):  # The server may have refused this client already; what it has shown is known.
            connection.sendall(outgoing.read())
    return tls.getpeercert(binary_form=True) or b""


def _done(tls: ssl.SSLObject) -> bool:
    """Go on with the handshake, and tell whether it needs nothing more from the server."""
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
