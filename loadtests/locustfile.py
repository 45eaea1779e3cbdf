"""The shop under load: `locust` in the project's root opens the web UI with it; see docs/load.md."""

from kafka_load.locust_adapter.users import (
    AnalyticsReader,
    ClickProducer,
    NotificationReader,
    OrderProducer,
    WarehouseMember,
    WarehouseShareMember,
)
from kafka_load.plugin import install

__all__ = [
    "AnalyticsReader",
    "ClickProducer",
    "NotificationReader",
    "OrderProducer",
    "WarehouseMember",
    "WarehouseShareMember",
]

install()
