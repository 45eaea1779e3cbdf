"""Tries on librdkafka, before a run, whether it makes the clients that the run is to have.

`cluster.check_cluster` tries what all clients have in common, and how they reach the brokers; this tries what only
producers or only readers have. The library would refuse it later in each user, over and over again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer, ShareConsumer

from kafka_load.config.client_config import FLAG, HARNESS_SETS
from kafka_load.engines.settings import Property
from kafka_load.librdkafka.property_check import why_not_made

if TYPE_CHECKING:
    from kafka_load.config.plan import Plan

Trial = tuple[str, type[Producer | Consumer | ShareConsumer], Mapping[str, Property]]
"""What a client is for, its kind and its properties."""

_NAME = re.compile(r"[a-z]+(?:\.[a-z]+)+")
_OPTION = re.compile(r"--[a-z-]+")


def refusal(plan: Plan) -> str:
    """Why librdkafka does not make all of the run's clients, in a sentence with the setting to change; else empty."""
    for what, kind, properties in _clients(plan):
        if why := why_not_made(kind, properties):
            named = dict.fromkeys(_NAME.findall(why))
            settings = list(filter(None, (_setting(plan, name) for name in named)))
            change = f"; change {' or '.join(settings)}" if settings else ""
            return f"librdkafka makes no {what} of these settings: {why}{change}"
    return ""


def _clients(plan: Plan) -> Iterator[Trial]:
    yield "producer", Producer, plan.producer("", "order", 0).properties(plan.client)
    for group in plan.profile.groups.values():
        reader = plan.reader(plan.group(group.name), group.topics, group.mode, group.name, "")
        if group.mode == "share":
            yield f"member of share group {group.name}", ShareConsumer, reader.share_properties(plan.client)
        else:
            yield f"member of group {group.name}", Consumer, reader.properties(plan.client)
        if group.processing is not None and group.processing.dead_letter_topic:
            yield "producer of dead letters", Producer, reader.dead_letter_properties(plan.client)
        if group.transform is not None:
            yield f"producer of group {group.name}", Producer, reader.transform_properties(plan.client)
    if len(plan.profile.topics) + len(plan.profile.groups) < len(plan.profile.users):  # with classes of the locustfile
        reader = plan.reader("kafka-load", (), "queue", "kafka-load", "")
        yield "member of a group", Consumer, reader.properties(plan.client)


def _setting(plan: Plan, name: str) -> str:
    """Where the user sets a property; empty if the harness alone does."""
    if option := _OPTION.search(HARNESS_SETS.get(name, "")):
        return option[0]
    if name in plan.given:
        return f"--client {name}"
    return f"{name} of {FLAG}" if name in plan.secured else ""
