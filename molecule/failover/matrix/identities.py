"""Which records the harness says were acknowledged and lost, one by one, to be held against another reader's.

Read from the files that a run leaves, by nothing that the harness has a part in.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[int, str, int, int]
"""A record: its producer, topic, partition, and number in that producer's stream."""


@dataclass(frozen=True)
class Claimed:
    """Records that were acknowledged, and those named as lost: of each group the first hundred stretches."""

    acknowledged: frozenset[Stamp]
    lost: frozenset[Stamp]


def claimed(folder: Path) -> Claimed:
    """What a run's folder says. Raises OSError if a file is not there."""
    return Claimed(
        frozenset(
            (int(row["producer"]), row["topic"], int(row["partition"]), sequence)
            for row in _rows(folder / "acknowledged.csv")
            for sequence in range(int(row["first"]), int(row["last"]) + 1)
        ),
        frozenset(
            (int(row["producer"]), row["topic"], int(row["partition"]), sequence)
            for row in _rows(folder / "anomalies.csv")
            if row["kind"] == "lost"
            for sequence in range(int(row["sequence"]), int(row["sequence"]) + int(row["count"]))
        ),
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
