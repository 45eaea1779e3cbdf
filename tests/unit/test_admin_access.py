"""A cluster that runs and does not let the admin client in is told apart from one that does not answer."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
)
from stand_in import SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.admin import (
    AccessRefused,
    AdminError,
    Endpoint,
    one_error,
    refusal,
)
from ansible_collections.crucible.kafka.plugins.module_utils.admin_access import Refused, exchange, logs_in, uses_tls
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

REFUSED = AccessRefused("kafka1 did not do what was asked: SaslAuthenticationFailedError.")
SILENT = AdminError("kafka2 did not answer.")


@pytest.mark.parametrize("error", [SaslAuthenticationFailedError("wrong"), ClusterAuthorizationFailedError("denied")])
def test_a_refused_login_and_a_refused_user_are_told_apart_from_silence(error: KafkaError) -> None:
    with pytest.raises(AccessRefused, match=r"kafka1 did not do what was asked: .*(wrong|denied)"), one_error("kafka1"):
        raise error
    with pytest.raises(AdminError) as silent, one_error("kafka1"):
        raise KafkaTimeoutError("Unable to bootstrap")
    assert not isinstance(silent.value, AccessRefused)


def test_the_sentence_names_what_to_change_and_is_none_where_nobody_refuses() -> None:
    assert refusal(REFUSED) == (
        f"kafka_admin_client, kafka_admin_password: brokers run, and they do not let the admin client in. {REFUSED}"
        " Declare a login, an authority (ssl_cafile) and a user that they accept."
    )
    expired = refusal(AccessRefused("No broker answers: kafka1:9094 (TLS fails: certificate has expired)."))
    assert "stop Kafka on all hosts (systemctl stop kafka) and run this again" in expired
    assert refusal(SILENT) == ""


@pytest.mark.parametrize("told", [[REFUSED], [SILENT, REFUSED], [REFUSED, SILENT]])
def test_a_cluster_refuses_where_one_broker_does_and_none_tells_its_state(
    monkeypatch: pytest.MonkeyPatch, told: list[AdminError]
) -> None:
    servers: Any = stand_in(monkeypatch, "kafka_cluster_info", *told)
    with pytest.raises(AccessRefused, match="SaslAuthenticationFailedError"):
        survey(servers)


def test_a_cluster_of_which_no_broker_answers_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    servers: Any = stand_in(monkeypatch, "kafka_cluster_info", SILENT)
    with pytest.raises(AdminError) as silent:
        survey(servers)
    assert not isinstance(silent.value, AccessRefused)
    assert len(SERVERS) == 3


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key and the self-signed certificate of 127.0.0.1, in one file."""
    path = tmp_path_factory.mktemp("tls") / "127.0.0.1.pem"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    command = ["openssl", "req", "-x509", *kind, *name, "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text("ascii") + Path(f"{path}.crt").read_text("ascii"), "ascii")
    return str(path)


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve connections one after the other on loopback, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def broker(certificate: str, client: ssl.VerifyMode, version: ssl.TLSVersion) -> Callable[[socket.socket], None]:
    """A broker that answers the first request, once TLS has been agreed on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode, context.maximum_version = client, version

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            if tls.recv(100):
                tls.sendall(b"\0\0\0\6" + b"answer")

    return serve


def ask(address: str, **options: Any) -> str:
    """Why the exchange fails, "" if it does not."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5.0) as connection:
        try:
            exchange(connection, host, {"security_protocol": "SSL", **options})
        except Refused as refused:
            return str(refused)
    return ""


BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@BOTH
def test_tls_on_which_both_agree_is_refused_by_neither(certificate: str, version: ssl.TLSVersion) -> None:
    with server(broker(certificate, ssl.CERT_REQUIRED, version)) as address:
        assert ask(address, ssl_cafile=certificate, ssl_certfile=certificate, ssl_keyfile=certificate) == ""


@BOTH
def test_an_authority_that_the_client_does_not_know_is_a_refusal(certificate: str, version: ssl.TLSVersion) -> None:
    with server(broker(certificate, ssl.CERT_NONE, version)) as address:
        assert ask(address) == "TLS fails: self-signed certificate"


@BOTH
def test_a_client_without_a_certificate_is_refused_also_after_the_handshake(
    certificate: str, version: ssl.TLSVersion
) -> None:
    with server(broker(certificate, ssl.CERT_REQUIRED, version)) as address:
        assert "alert" in ask(address, ssl_cafile=certificate)


def test_a_file_of_the_client_that_is_not_there_is_a_refusal_that_names_it(tmp_path: Path) -> None:
    with server(lambda connection: time.sleep(0.1)) as address:
        assert f"ssl_cafile {tmp_path}/none" in ask(address, ssl_cafile=f"{tmp_path}/none")


def connect(address: str, timeout_s: float, **options: Any) -> AdminError:
    endpoint = Endpoint([address], {"security_protocol": "SSL", **options}, timeout_s)
    with pytest.raises(AdminError) as error, endpoint.connect():
        pass
    return error.value


def test_tls_that_fails_is_told_at_once_with_the_reason(certificate: str) -> None:
    with server(broker(certificate, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3)) as address:
        error = connect(address, 60.0)
    assert str(error) == f"No broker answers: {address} (TLS fails: self-signed certificate)."
    assert isinstance(error, AccessRefused)


@pytest.mark.parametrize(("serve", "told"), [(lambda _: time.sleep(5), "timed out"), (lambda _: None, "ends|reset")])
def test_a_process_that_hangs_or_ends_refuses_nobody_and_holds_nobody_up(
    certificate: str, serve: Callable[[socket.socket], None], told: str
) -> None:
    with server(serve) as address:
        error = connect(address, 0.1, ssl_cafile=certificate)
    assert not isinstance(error, AccessRefused)
    assert any(word in str(error) for word in told.split("|"))


@pytest.mark.parametrize(
    ("protocol", "tls"), [("SSL", True), ("SASL_SSL", True), ("SASL_PLAINTEXT", False), ("", False)]
)
def test_tls_is_tried_where_the_client_asks_for_it(protocol: str, tls: bool) -> None:
    assert uses_tls({"security_protocol": protocol} if protocol else {}) is tls


# The login

LOGIN = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": "admin",
    "sasl_plain_password": "wrong",
}


def sasl(*answers: bytes) -> Callable[[socket.socket], None]:
    """A broker that gives these answers, and ends the connection with the last one, as Kafka does."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(1000)
            connection.sendall(len(b"1234" + answer).to_bytes(4, "big") + b"1234" + answer)

    return serve


def test_a_wrong_password_is_a_refusal_although_the_broker_ends_the_connection_with_it() -> None:
    told = b"Authentication failed"
    refuses = sasl(b"\0\0" + b"\0\0\0\0", b"\0\x3a" + len(told).to_bytes(2, "big") + told + b"\0\0\0\0")
    with server(refuses) as address:
        assert ask(address, **LOGIN) == "the login fails: Authentication failed"
    with server(refuses) as address:
        assert isinstance(connect(address, 60.0, **LOGIN), AccessRefused)


def test_a_mechanism_that_is_not_offered_is_a_refusal() -> None:
    with server(sasl(b"\0\x21" + b"\0\0\0\0")) as address:
        assert ask(address, **LOGIN) == "it does not offer the mechanism PLAIN (sasl_mechanism)"


def test_a_login_that_is_accepted_is_no_refusal() -> None:
    with server(sasl(b"\0\0" + b"\0\0\0\0", b"\0\0\xff\xff\0\0\0\0")) as address:
        assert ask(address, **LOGIN) == ""


def test_only_a_login_by_password_is_tried() -> None:
    assert logs_in(LOGIN)
    assert not logs_in({**LOGIN, "sasl_mechanism": "GSSAPI"})
    assert not logs_in({**LOGIN, "security_protocol": "SSL"})
