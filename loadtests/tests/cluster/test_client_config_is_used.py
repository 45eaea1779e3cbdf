"""What `--client-config` says reaches the wire: one server asks for the certificate, one gives tokens."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kafka_load.cluster import check_cluster
from kafka_load.config.client_config import read
from kafka_load.engines.settings import ClientSettings


def certificate(folder: Path, name: str) -> Path:
    """A PEM file with a key and a certificate that is its own authority."""
    path, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")
    command: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-noenc",
        *subject,
        "-keyout",
        key,
        "-out",
        path,
    ]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(key.read_text() + path.read_text())
    path.chmod(0o600)
    return path


@contextmanager
def tls_server(own: Path, trusted: Path) -> Iterator[tuple[int, list[str]]]:
    """A port, and the names in the certificates of the clients that came; whoever has none is not let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    came: list[str] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return  # the listener was closed
            try:
                with context.wrap_socket(accepted, server_side=True) as connection:
                    shown: Any = connection.getpeercert()
                    came.extend(value for ((_, value),) in shown["subject"])
            except OSError:
                accepted.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)


def in_line(path: Path, kind: str) -> str:
    """A part of a PEM file as a value of a property, on lines that continue each other."""
    lines = path.read_text().splitlines()
    begin, end = lines.index(f"-----BEGIN {kind}-----"), lines.index(f"-----END {kind}-----")
    return " \\\n".join(lines[begin : end + 1])


@pytest.mark.parametrize("form", ["file", "in line", "none"])
def test_the_keystores_certificate_is_shown_to_the_broker(tmp_path: Path, form: str) -> None:
    broker, client = certificate(tmp_path, "broker"), certificate(tmp_path, "shop")
    text = {
        "file": f"ssl.keystore.type=PEM\nssl.keystore.location={client}\n",
        "in line": f"ssl.keystore.type=PEM\nssl.keystore.key={in_line(client, 'PRIVATE KEY')}\n"
        f"ssl.keystore.certificate.chain={in_line(client, 'CERTIFICATE')}\n",
        "none": "",
    }[form]
    path = tmp_path / "client.properties"
    truststore = f"ssl.truststore.type=PEM\nssl.truststore.location={broker}\n"
    path.write_text(f"security.protocol=SSL\n{truststore}{text}")
    with tls_server(broker, client) as (port, came):
        check_cluster(ClientSettings(f"127.0.0.1:{port}", read(str(path)).properties), ("orders",), 3)
    assert set(came) == (set() if form == "none" else {"shop"})


def test_a_token_is_fetched_with_the_login_modules_credentials(tmp_path: Path) -> None:
    asked: list[tuple[str, bytes]] = []

    class Provider(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.headers["Authorization"], self.rfile.read(int(self.headers["Content-Length"]))))
            now = int(time.time())
            claims: tuple[dict[str, object], ...] = ({"alg": "none"}, {"sub": "shop", "iat": now, "exp": now + 600}, {})
            parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in claims]
            body = json.dumps({"access_token": ".".join(parts), "token_type": "Bearer", "expires_in": 600}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    path = tmp_path / "client.properties"
    package = "org.apache.kafka.common.security.oauthbearer"
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        path.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n"
            f"sasl.login.callback.handler.class={package}.OAuthBearerLoginCallbackHandler\n"
            f"sasl.oauthbearer.token.endpoint.url=http://127.0.0.1:{provider.server_port}/token\n"
            f"sasl.jaas.config={package}.OAuthBearerLoginModule required \\\n"
            '  clientId="shop" clientSecret="${env:CLIENT_SECRET}" scope="kafka";\n'
        )
        config = read(str(path), {"CLIENT_SECRET": "of the shop"})
        check_cluster(ClientSettings("127.0.0.1:9", config.properties), ("orders",), 3)
        provider.shutdown()
    assert asked
    authorization, form = asked[0]
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"shop:of the shop"
    assert form == b"grant_type=client_credentials&scope=kafka"
