"""Why no broker answered: what a client's errors say of it, as one sentence that names the setting to change."""

from __future__ import annotations

import re
from collections.abc import Sequence

from confluent_kafka import KafkaError

_ADDRESS = re.compile(r"^(?:\[thrd:[^\]]*\]: )?(?:\w+://)?[^\s/]+:\d+/\w+: ")
_STATE = re.compile(r" \(after \d+ms.*$", re.DOTALL)

_CERTIFICATE = (
    "check security.protocol, and the client's certificate and key: ssl.certificate.location and ssl.key.location"
    " (in Java's words ssl.keystore.location)"
)
_HINTS = (
    (
        "_AUTHENTICATION",
        "",
        "check sasl.username and sasl.password (in Java's words sasl.jaas.config), and sasl.mechanism",
    ),
    (
        "_SSL",
        "certificate verify failed",
        "check ssl.ca.location (in Java's words ssl.truststore.location), and whether the broker's certificate is for"
        " the name or address of --bootstrap-servers",
    ),
    ("_SSL", "", _CERTIFICATE),
    ("_TRANSPORT", "security.protocol", "check security.protocol"),
    ("FAIL", "SSL connection closed by peer", _CERTIFICATE),
    ("FAIL", "closed by peer", "check security.protocol"),
)
"""Name of an error or facility of the log, a part of its text, and what to do; the first that fits counts."""


class Listener:
    """Keeps what a client has to say, as (name, text) of its errors and of the lines of its log."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def log(self, _level: int, _form: str, facility: str, _client: str, text: str) -> None:
        """Take one line of librdkafka's log, as a logger is given it."""
        self.said.append((facility, text))

    def failed(self, error: KafkaError) -> None:
        """Take an error of the client as a whole."""
        self.said.append((error.name(), error.str()))


def why_unreachable(errors: Sequence[tuple[str, str]], bootstrap: str, timeout_s: float) -> str:
    """A sentence for what a client said (name and text) while no broker of `bootstrap` answered it."""
    for name, part, hint in _HINTS:
        for error, text in errors:
            if error == name and part in text:
                reason = " ".join(_STATE.sub("", _ADDRESS.sub("", text)).split()).rstrip(".:")
                return f"The brokers of {bootstrap} do not let this client in ({reason}): {hint} in --client-config."
    return f"No broker of {bootstrap} answered within {timeout_s:g} s."
