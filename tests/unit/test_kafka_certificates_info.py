"""The module kafka_certificates_info at its edge: servers of OpenSSL, as they are met, are asked in real handshakes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from module_runner import run_module
from self_signed import certificate, key

LAST = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
Serve = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate, which is its own authority."""
    file = tmp_path_factory.mktemp("pki") / "host.pem"
    secret = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file.write_text(secret + ssl.DER_cert_to_PEM_cert(certificate(LAST)), encoding="ascii")
    return file


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A port on which one client after the other is served, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def tls(pem: Path, version: ssl.TLSVersion, client_certificate: bool) -> Serve:
    """What serves TLS of one version, maybe to clients with a certificate alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.minimum_version = context.maximum_version = version
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pem)

    def serve(client: socket.socket) -> None:
        try:
            context.wrap_socket(client, server_side=True).close()
        except OSError:
            client.close()  # As Kafka does with a client that it refuses.

    return serve


def found(tmp_path: Path, listeners: str, protocols: str, timeout_s: float = 30.0) -> list[dict[str, Any]]:
    """What the module answers for a process with these listeners."""
    path = tmp_path / "server.properties"
    path.write_text(f"listeners={listeners}\nlistener.security.protocol.map={protocols}\n", encoding="utf-8")
    answer = run_module("kafka_certificates_info", path=str(path), timeout_s=timeout_s)
    assert answer["changed"] is False
    certificates: list[dict[str, Any]] = answer["certificates"]
    return certificates


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: str(each.name))
@pytest.mark.parametrize("client_certificate", [False, True], ids=["any client", "clients with a certificate"])
def test_a_listener_shows_its_certificate_to_everybody(
    tmp_path: Path, pem: Path, version: ssl.TLSVersion, client_certificate: bool
) -> None:
    with listening(tls(pem, version, client_certificate)) as port:
        answer = found(
            tmp_path, f"CLIENT://127.0.0.1:{port},PLAIN://127.0.0.1:1", "CLIENT:SASL_SSL,PLAIN:SASL_PLAINTEXT"
        )
    assert answer == [{"listener": "CLIENT", "port": port, "expires_s": LAST.timestamp(), "failure": ""}]


def test_a_listener_on_every_address_is_asked_on_this_host(tmp_path: Path, pem: Path) -> None:
    with listening(tls(pem, ssl.TLSVersion.TLSv1_3, False)) as port:
        (answer,) = found(tmp_path, f"SSL://:{port}", "")
    assert answer["expires_s"] == LAST.timestamp()


def send(text: bytes) -> Serve:
    """What answers everybody alike."""

    def serve(client: socket.socket) -> None:
        client.recv(1 << 16)
        client.sendall(text)

    return serve


@pytest.mark.parametrize(
    ("text", "failure"),
    [(b"", "it closes the connection in the handshake"), (b"HTTP/1.1 400\r\n\r\n", "WRONG_VERSION_NUMBER")],
)
def test_what_does_not_speak_tls_is_told_with_what_happened(tmp_path: Path, text: bytes, failure: str) -> None:
    with listening(send(text)) as port:
        (answer,) = found(tmp_path, f"SSL://127.0.0.1:{port}", "")
    assert failure in answer["failure"]
    assert answer["expires_s"] == 0


def test_a_port_on_which_nothing_listens_hides_no_other_listener(tmp_path: Path, pem: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    with listening(tls(pem, ssl.TLSVersion.TLSv1_3, False)) as port:
        dead, fine = found(tmp_path, f"A://127.0.0.1:{free},B://127.0.0.1:{port}", "A:SSL,B:SSL")
    assert (dead["failure"], fine["failure"]) == ("Connection refused", "")


def test_a_listener_that_never_answers_is_told_after_the_time_that_it_has(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (answer,) = found(tmp_path, f"SSL://127.0.0.1:{server.getsockname()[1]}", "", timeout_s=0.1)
    assert answer["failure"] == "timed out"


def test_a_host_on_which_nothing_runs_has_no_certificates(tmp_path: Path) -> None:
    answer = run_module("kafka_certificates_info", path=str(tmp_path / "server.properties"))
    assert answer["certificates"] == []
