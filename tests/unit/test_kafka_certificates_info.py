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


def authorities(tmp_path: Path, properties: str) -> list[dict[str, Any]]:
    """What the module answers of whom a process with these properties trusts."""
    path = tmp_path / "server.properties"
    path.write_text(properties, encoding="utf-8")
    found: list[dict[str, Any]] = run_module("kafka_certificates_info", path=str(path))["authorities"]
    return found


def test_each_authority_that_the_process_trusts_is_told_once_with_its_end(tmp_path: Path) -> None:
    one, later, other = (certificate(LAST), certificate(datetime(2031, 1, 1, tzinfo=UTC)), certificate(LAST, number=1))
    for name, ders in (("a", [one, other]), ("b", [later]), ("c", [other])):
        broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        (tmp_path / name).write_text(broken + "".join(map(ssl.DER_cert_to_PEM_cert, ders)), encoding="ascii")
    told = authorities(
        tmp_path,
        f"ssl.truststore.location={tmp_path}/a\nssl.truststore.type=PEM\n"
        f"listener.name.client.ssl.truststore.location={tmp_path}/b\n"
        f"listener.name.gone.ssl.truststore.location={tmp_path}/none\n",
    )
    assert [each["expires_s"] for each in told] == [LAST.timestamp()] * 2
    assert len({each["authority"] for each in told}) == 2
    own = authorities(tmp_path, f"ssl.truststore.location={tmp_path}/c\nssl.truststore.type=JKS\n")
    own += authorities(tmp_path, f"ssl.truststore.location={tmp_path}/c\n")
    assert own == []
    named = f"listener.name.x.ssl.truststore.type=pem\nlistener.name.x.ssl.truststore.location={tmp_path}/c\n"
    assert authorities(tmp_path, f"ssl.truststore.type=JKS\n{named}") == told[1:]
