"""Exact accounts of every record: what was acknowledged, what each group was delivered, and what does not fit."""

from kafka_load.ledger.findings import (
    Anomaly,
    Drain,
    Gap,
    GroupJudgement,
    Judgement,
    PlannedGroup,
    Produced,
    TopicPartition,
)
from kafka_load.ledger.journal import read_journals, remove_journal, write_journal
from kafka_load.ledger.ledger import Ledger, WorkerLedger
from kafka_load.ledger.snapshot import LedgerSnapshot, ProducerSnapshot, ReaderSnapshot, undrained

__all__ = [
    "Anomaly",
    "Drain",
    "Gap",
    "GroupJudgement",
    "Judgement",
    "Ledger",
    "LedgerSnapshot",
    "PlannedGroup",
    "Produced",
    "ProducerSnapshot",
    "ReaderSnapshot",
    "TopicPartition",
    "WorkerLedger",
    "read_journals",
    "remove_journal",
    "undrained",
    "write_journal",
]
