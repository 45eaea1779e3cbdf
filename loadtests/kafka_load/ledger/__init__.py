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
from kafka_load.ledger.ledger import Ledger, WorkerLedger, accounts_of
from kafka_load.ledger.processing_judgement import GroupWork
from kafka_load.ledger.snapshot import ProducerSnapshot, ReaderSnapshot, not_given, undrained
from kafka_load.ledger.transform_judgement import TransformWork
from kafka_load.ledger.worker_snapshot import LedgerSnapshot

__all__ = [
    "Anomaly",
    "Drain",
    "Gap",
    "GroupJudgement",
    "GroupWork",
    "Judgement",
    "Ledger",
    "LedgerSnapshot",
    "PlannedGroup",
    "Produced",
    "ProducerSnapshot",
    "ReaderSnapshot",
    "TopicPartition",
    "TransformWork",
    "WorkerLedger",
    "accounts_of",
    "not_given",
    "read_journals",
    "remove_journal",
    "undrained",
    "write_journal",
]
