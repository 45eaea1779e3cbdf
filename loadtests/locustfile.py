"""The shop under load: `locust` in the project's root opens the web UI with it; see docs/load.md."""

from kafka_load.plugin import install
from kafka_load.users import (
    AnalyticsReader,
    ClickProducer,
    NotificationReader,
    OrderProducer,
    WarehouseMember,
    WarehouseShareMember,
)

__all__ = [
    "AnalyticsReader",
    "ClickProducer",
    "NotificationReader",
    "OrderProducer",
    "WarehouseMember",
    "WarehouseShareMember",
]

install()
