"""Topics that were made just now are not known to every broker at once, and any of them may be asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from confluent_kafka import KafkaException
from kafka_load.cluster import topics
from kafka_load.engines import ClientSettings

CLUSTER = ClientSettings("127.0.0.1:1")


def test_the_ids_of_new_topics_are_asked_for_until_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{}, {"orders": "1"}, {"orders": "1", "clicks": "2"}])

    def ids(_: ClientSettings, names: Sequence[str], __: float) -> dict[str, str]:
        assert names == ["orders", "clicks"]
        return next(answers)

    monkeypatch.setattr(topics, "topic_ids", ids)
    assert topics.ids_of_new(CLUSTER, ["orders", "clicks"], 60) == {"orders": "1", "clicks": "2"}
    assert list(answers) == []


def test_a_topic_that_stays_unknown_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "topic_ids", lambda *_: {"orders": "1"})
    with pytest.raises(KafkaException, match="not every broker knows them"):
        topics.ids_of_new(CLUSTER, ["orders", "clicks"], 0)
