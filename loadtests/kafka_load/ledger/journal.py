"""A reader's ledger on disk, written before each commit of its offsets.

A committed offset tells the group that everything before it was dealt with. Were the ledger only in memory, a SIGKILL
would take away the evidence of records that nobody will read again, and they would look lost. So evidence first, commit
after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kafka_load.ledger.snapshot import ReaderSnapshot
from kafka_load.wire import pack, unpack


def write_journal(directory: Path, snapshot: ReaderSnapshot) -> None:
    """Replace the reader's journal, in one step (the page cache survives the process; no fsync)."""
    target = directory / f"{snapshot.engine.replace('/', '_')}.journal"
    draft = target.with_suffix(".draft")
    draft.write_text(json.dumps(pack(snapshot)))
    draft.replace(target)


def read_journals(directory: Path) -> Iterator[ReaderSnapshot]:
    """All journals in a directory."""
    for path in sorted(directory.glob("*.journal")):
        snapshot = unpack(json.loads(path.read_text()))
        if isinstance(snapshot, ReaderSnapshot):
            yield snapshot
