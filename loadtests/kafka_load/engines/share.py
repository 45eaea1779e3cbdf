"""The share engine: a member of a share group (KIP-932), which is handed records one by one and answers for each."""

from __future__ import annotations

import random
from typing import cast

from confluent_kafka import AcknowledgeType, KafkaException, Message, ShareConsumer

from kafka_load.clock import now_ns
from kafka_load.engines.base import Engine
from kafka_load.engines.client_log import log_once
from kafka_load.engines.messages import Delivered
from kafka_load.engines.reading import ReaderTotals, Reading
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger.snapshot import ReaderSnapshot


class ShareEngine(Engine[ReaderTotals, ReaderSnapshot]):
    """Accepts records, and hands back or rejects the shares of first deliveries that the settings say.

    A record handed back is not accounted for: it must come again, or it is lost. A rejected one was delivered.
    """

    def __init__(self, client: ClientSettings, settings: ReaderSettings) -> None:
        super().__init__(client)
        self.settings = settings
        self.totals = ReaderTotals()
        self._reading = Reading(settings, self.warm_up)
        self.snapshot = self._reading.snapshot(self.id, 0, closed=False)
        self._random = random.Random(self.id)  # noqa: S311  # which records are released is no secret

    def _run(self) -> None:
        properties = self.settings.share_properties(self.client)
        self._consumer = ShareConsumer(self._listening(properties))
        self._consumer.subscribe(list(self.settings.topics))
        try:
            while not self._stopping:
                self._take(list(self._consumer.poll(0.1)))
                self._publish()
                self._raise_fatal()
        except BaseException:
            self.kill()
            raise
        finally:
            if not self._killed:
                self._consumer.close()
            del self._consumer  # it must not stay a member

    def _take(self, messages: list[Message]) -> None:
        kept = []
        for message in messages:
            if (error := message.error()) is not None:
                log_once(f"{self.settings.group}: {error.str()}")
                continue
            answer = self._answer(message)
            self._consumer.acknowledge(message, answer)
            if answer != AcknowledgeType.RELEASE:
                kept.append(message)
        if kept:
            self._reading.take(cast("list[Delivered]", kept), now_ns())
        if messages:
            try:
                self._consumer.commit_async()
            except KafkaException as refusal:  # the records come again, to whoever is next
                log_once(f"{self.settings.group}: acknowledgement refused: {refusal.args[0].str()}")

    def _answer(self, message: Message) -> AcknowledgeType:
        draw = self._random.random()
        if (message.delivery_count() or 1) > 1 or draw >= self.settings.release + self.settings.reject:
            return AcknowledgeType.ACCEPT
        return AcknowledgeType.RELEASE if draw < self.settings.release else AcknowledgeType.REJECT

    def _publish_totals(self, now: int) -> None:
        self.totals = self._reading.totals(now)

    def _publish_snapshot(self, closed: bool) -> None:
        self.snapshot = self._reading.snapshot(self.id, self.snapshot.version + 1, closed)
