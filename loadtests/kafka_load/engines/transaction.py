"""Transactions of one producer: begun and ended by the engine's thread, between its sends."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from kafka_load.clock import MILLISECOND, now_ns
from kafka_load.engines.acknowledging import Acknowledgements
from kafka_load.engines.settings import TransactionSettings
from kafka_load.librdkafka import BulkProducer

Drain = Callable[[float], bool]
ATTEMPT_S = 0.5


class Transaction:
    """Keeps one transaction open; commits or aborts it after so many records or ms.

    Whether an unanswered commit was carried out nobody knows: its records stay indeterminate, and the engine ends,
    since librdkafka lets such a producer do nothing more.
    """

    def __init__(self, producer: BulkProducer, settings: TransactionSettings, timeout_s: float) -> None:
        self._producer = producer
        self._settings = settings
        self._timeout_s = timeout_s
        self._number = 0
        self.room = settings.records  # records that still go into the transaction
        self._since: dict[int, int] = {}
        producer.init_transactions(timeout_s)
        self._begin({})

    def _begin(self, since: dict[int, int]) -> None:
        self._producer.begin_transaction()
        self._number += 1
        self._since = since
        self._ends_ns = now_ns() + self._settings.ms * MILLISECOND

    def step(self, acks: Acknowledgements, drain: Drain) -> bool:
        """End the transaction if it is time, and begin the next; whether it was."""
        records = sum(account.sent - self._since.get(p, 0) for p, account in acks.accounts.items())
        self.room = self._settings.records - records
        if not records or (self.room > 0 and now_ns() < self._ends_ns):
            return False
        self._end(acks, drain)
        self._begin({partition: account.sent for partition, account in acks.accounts.items()})
        self.room = self._settings.records
        return True

    def finish(self, acks: Acknowledgements, drain: Drain) -> None:
        """End the last transaction."""
        self._end(acks, drain)

    def _end(self, acks: Acknowledgements, drain: Drain) -> None:
        chosen = self._settings.abort_every and self._number % self._settings.abort_every == 0
        drain(self._timeout_s)
        if not chosen and self._until_answered(self._producer.commit_transaction, drain):
            acks.commit(now_ns())
        else:
            self._until_answered(self._producer.abort_transaction, drain)
            acks.abort(self._since, now_ns())

    def _until_answered(self, call: Callable[[float], None], drain: Drain) -> bool:
        """Call until it succeeds (True) or the transaction can only be aborted (False). Raises what ends the
        producer.

        The client ends no transaction before its last report is taken, and an abort makes reports of what it takes
        back: so calls are short, and between them reports are taken.
        """
        end = time.monotonic() + self._timeout_s
        while True:
            try:
                call(min(ATTEMPT_S, self._timeout_s))
            except KafkaException as failure:
                error = failure.args[0]
                if error.txn_requires_abort():
                    return False
                if not error.retriable() or time.monotonic() > end:
                    raise
                drain(ATTEMPT_S)
            else:
                return True
