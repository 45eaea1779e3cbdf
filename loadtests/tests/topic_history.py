"""What happened to a topic, for the tests of the ledger."""

from __future__ import annotations

from kafka_load.run.topic_changes import TopicHistory, TopicState

COMPACTED, BEFORE, AFTER = TopicState(1, "A", "compact"), TopicState(1, "A"), TopicState(1, "B")


def changed(topic: str, *states: TopicState | None) -> TopicHistory:
    """The topic was seen in these states."""
    history = TopicHistory()
    for second, state in enumerate(states):
        history.look({topic: state}, {}, float(second), second)
    return history
