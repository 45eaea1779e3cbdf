"""One stream and the members that were given parts of it, for the tests of a group's judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from kafka_load.ledger import GroupJudgement, ReaderSnapshot
from kafka_load.ledger.findings import Anomaly
from kafka_load.ledger.group_judgement import AnomalyCollector, Evidence, judge_group
from kafka_load.ledger.producer_account import Account, StreamAccount
from kafka_load.ledger.snapshot import Stream, StreamLog

TP = ("orders", 0)
STREAM = ("orders", 0, 1)
SENT = 10
Row = tuple[int, int, int, int, int]  # first and last offset, first sequence, how many, when


def sent(
    count: int = SENT, missing: Sequence[int] = (), marks: Sequence[int] | None = None, first: int = 100
) -> StreamAccount:
    """A producer's stream: sequence s lies at offset `first` + s and is acknowledged at second s but for the `missing`.

    The offsets of `marks` alone are known (of all acknowledged, if not given).
    """
    account = Account()
    account.sent = count
    for sequence in range(count):
        if sequence not in missing:
            known = marks is None or sequence in marks
            account.acknowledge(sequence, sequence + 1, first + sequence if known else None, 10**9 * (sequence + 1))
    return account.freeze()


def member(*rows: Row, stream: Stream = STREAM, **changes: Any) -> ReaderSnapshot:
    """A member that was delivered these runs of one stream."""
    runs = np.array(rows, np.int64).reshape(-1, 5)
    log = StreamLog(runs, int(runs[:, 3].sum()))
    positions = {stream[:2]: int(runs[:, 1].max()) + 1} if len(runs) else {}
    return replace(
        ReaderSnapshot("r", 1, "g", "queue", ("orders",), True, True, True, {stream: log}, positions), **changes
    )


def run(start: int, end: int, at_ns: int = 5) -> Row:
    """Sequences [start, end) where they belong."""
    return 100 + start, 100 + end - 1, start, end - start, at_ns


def judged(
    readers: list[ReaderSnapshot], account: StreamAccount | None = None, **changes: Any
) -> tuple[GroupJudgement, list[Anomaly], AnomalyCollector]:
    evidence = Evidence(
        mode="queue",
        topics=frozenset({"orders"}),
        readers=readers,
        dead_readers=[],
        accounts={STREAM: account or sent()},
        open_producers=frozenset(),
        all_producers_known=True,
        log_start={},
        log_end={},
        committed={},
        final=True,
    )
    judgement, collector = judge_group("g", replace(evidence, **changes))
    return judgement, collector.named, collector
