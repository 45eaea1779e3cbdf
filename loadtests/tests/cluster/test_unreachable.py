"""What a client says of brokers that do not let it in becomes one sentence that names the setting."""

from __future__ import annotations

import pytest
from kafka_load.cluster.unreachable import why_unreachable

DOWN = ("_ALL_BROKERS_DOWN", "1/1 brokers are down")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "_AUTHENTICATION",
            "sasl_ssl://10.0.0.1:9092/bootstrap: SASL authentication error: Authentication failed: Invalid username or"
            " password (after 312ms in state AUTH_REQ)",
            "(SASL authentication error: Authentication failed: Invalid username or password): check sasl.username and"
            " sasl.password",
        ),
        (
            "_SSL",
            "ssl://10.0.0.1:9092/bootstrap: SSL handshake failed: ssl/statem.c:2092:\n certificate verify failed:"
            " broker certificate could not be verified (after 5ms in state SSL_HANDSHAKE)",
            "could not be verified): check ssl.ca.location",
        ),
        (
            "_SSL",
            "ssl://10.0.0.1:9092/1: SSL alert number 116",
            "(SSL alert number 116): check security.protocol, and the",
        ),
        (
            "_TRANSPORT",
            "10.0.0.1:9092/bootstrap: Disconnected: might be caused by incorrect security.protocol configuration",
            "check security.protocol in --client-config.",
        ),
        (
            "FAIL",
            "[thrd:10.0.0.1:9092/bootstrap]: 10.0.0.1:9092/bootstrap: Disconnected: connection closed by peer: receive"
            " 0 after POLLIN (after 1ms in state APIVERSION_QUERY)",
            "(Disconnected: connection closed by peer: receive 0 after POLLIN): check security.protocol",
        ),
        (
            "_TRANSPORT",
            "10.0.0.1:9092/bootstrap: Connect failed: refused",
            "No broker of 10.0.0.1:9092 answered within 5 s.",
        ),
    ],
)
def test_the_reason_and_the_setting_are_named(name: str, text: str, says: str) -> None:
    sentence = why_unreachable([DOWN, (name, text)], "10.0.0.1:9092", 5)
    assert says in sentence
    assert "\n" not in sentence
