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
from kafka_load.serialization import pack, unpack


def journal_of(directory: Path, engine: str) -> Path:
    """Where an engine's journal lies."""
    return directory / f"{engine.replace('/', '_')}.journal"


def remove_journal(directory: Path, engine: str) -> None:
    """Forget an engine's journal: what it said is known elsewhere by now, and would be counted twice."""
    journal_of(directory, engine).unlink(missing_ok=True)


def write_journal(directory: Path, snapshot: ReaderSnapshot) -> None:
    """Replace the reader's journal, in one step (the page cache survives the process; no fsync)."""
    target = journal_of(directory, snapshot.engine)
    draft = target.with_suffix(".draft")
    draft.write_text(json.dumps(pack(snapshot)))
    draft.replace(target)


def read_journals(directory: Path) -> Iterator[ReaderSnapshot]:
    """All journals in a directory."""
    for path in sorted(directory.glob("*.journal")):
        snapshot = unpack(json.loads(path.read_text()))
        if isinstance(snapshot, ReaderSnapshot):
            yield snapshot
