"""A change of listeners by which nodes would lose each other is refused, with the declarations that lead there."""

import pytest
from live import SITE, Run, nothing_changes, play

LISTENERS = [
    {"name": "CLIENT", "port": 9092, "security_protocol": "SASL_PLAINTEXT", "reachable_by": "clients"},
    {"name": "CONTROLLER", "port": 9193, "security_protocol": "PLAINTEXT", "reachable_by": "members"},
]
SENTENCES = (
    "Nothing was changed. The listeners cannot be changed by one rolling restart:",
    "kafka_listeners: CLIENT runs as PLAINTEXT and is declared as SASL_PLAINTEXT",
    "kafka_listeners: CONTROLLER, by which nodes reach the controllers, runs on port 9093 and is declared on 9193",
    "1. kafka_listeners: [CLIENT 9092 PLAINTEXT, CONTROLLER 9093 PLAINTEXT, CLIENT_SASL_PLAINTEXT",
    "kafka_controller_listener: [CONTROLLER, CONTROLLER_9193]",
    "kafka_controller_listener: [CONTROLLER_9193, CONTROLLER]",
    "kafka_controller_listener: [CONTROLLER_9193]",
)


@pytest.fixture(scope="module")
def refused() -> Run:
    """A run in which two listeners change under their names."""
    with nothing_changes():
        return play(SITE, kafka_listeners=LISTENERS)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_it_is_refused_with_the_way_that_leads_there(refused: Run, sentence: str) -> None:
    assert not refused.ok
    assert refused.changed == 0
    assert sentence in refused.sentences
