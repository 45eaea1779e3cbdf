"""A plan of two producers and a group, and a run that went by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import Plan
from kafka_load.config.profiles import parse
from kafka_load.output.plan_check import Asked, Done, Producing, shortfalls

PRODUCERS = {"OrderProducer": Producing("orders", 250.0), "ClickProducer": Producing("clicks", 750.0)}
READERS = {"WarehouseMember": "warehouse-group"}
USERS = {"OrderProducer": 2, "ClickProducer": 2, "WarehouseMember": 3}
STEADY: dict[str, Any] = {
    "duration": "60s",
    "size": "json",
    "rate": {"OrderProducer": 100, "ClickProducer": 300},
    "users": USERS,
}
GOOD = Done(
    60.0,
    "duration",
    due=24_000,
    started=USERS,
    present=USERS,
    sent={(topic, n): 1_000 for topic, count in (("orders", 3), ("clicks", 12)) for n in range(count)},
    acknowledged={(topic, n): 1_000 for topic, count in (("orders", 3), ("clicks", 12)) for n in range(count)},
)


def asked(users: Mapping[str, int] = USERS, options: Mapping[str, Any] | None = None, **profile: Any) -> Asked:
    given = {option.dest: option.default for option in OPTIONS} | dict(options or {})
    plan = Plan("r1", 1, "localhost:9092", parse("steady", STEADY | profile, "steady.toml"), given)
    partitions = {"orders": 3, "clicks": 12}
    return Asked(replace(plan, users=users), PRODUCERS, READERS, [(0.0, users)], partitions, read=("orders", "clicks"))


def found(what: Asked, done: Done) -> list[str]:
    return [shortfall.what for shortfall in shortfalls(what, done)]
