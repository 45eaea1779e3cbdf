"""A log ends behind its last record, also where an open transaction hides it from who reads what is committed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kafka_load.cluster import cluster_view, queries
from kafka_load.engines.settings import ClientSettings

WHERE = ("orders", 0)
CLIENT = ClientSettings("nowhere:1")


class Asker:
    """A client for a log of ten records, of which the last five are behind an open transaction."""

    def __init__(self, properties: dict[str, Any], **_: Any) -> None:
        self._sees_all = properties.get("isolation.level") == "read_uncommitted"

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(topics={WHERE[0]: SimpleNamespace(partitions={WHERE[1]: None})})

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        return 0, 10 if self._sees_all else 5

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _behind_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (queries, cluster_view):
        monkeypatch.setattr(module, "Consumer", Asker)


def test_a_run_begins_and_ends_where_the_last_record_is() -> None:
    assert queries.end_offsets(CLIENT, ["orders"]) == {WHERE: (0, 10)}
    assert queries.readable_ends(CLIENT, [WHERE], timeout_s=9) == ({WHERE: 10}, "")


def test_the_watch_sees_them_too() -> None:
    watch = cluster_view.ClusterWatch(CLIENT, ("orders",), ())
    assert cluster_view.log_bounds(watch._offsets_client("kafka-load"), [WHERE]) == {WHERE: (0, 10)}
