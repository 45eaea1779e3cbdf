"""The shop as a locustfile: `kafka-load run` starts Locust with it, from any folder; see docs/load.md."""

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
