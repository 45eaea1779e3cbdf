"""A locustfile: the shop's users, and beside them a greenlet that notes how late it wakes."""

from __future__ import annotations

from typing import Any

import gevent
from kafka_load.locust_adapter.users import (
    AnalyticsReader,
    ClickProducer,
    NotificationReader,
    OrderProducer,
    WarehouseMember,
)
from kafka_load.plugin import install
from locust import events

from benchmarks.contenders.greenlet_clock import keep, watch

__all__ = ["AnalyticsReader", "ClickProducer", "NotificationReader", "OrderProducer", "WarehouseMember"]

install()


@events.init.add_listener  # type: ignore[untyped-decorator]  # Locust publishes no types
def _begin(environment: Any, **_: Any) -> None:
    gevent.spawn(watch)


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # Locust publishes no types
def _keep(environment: Any, **_: Any) -> None:
    keep()
