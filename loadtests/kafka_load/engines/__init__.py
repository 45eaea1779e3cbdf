"""Engines: native threads that own a client each. Callers say what is wanted and read what is published."""

from kafka_load.engines.base import Engine
from kafka_load.engines.cluster import (
    check_cluster,
    committed_offsets,
    end_offsets,
    prepare_share_group,
    readable_ends,
)
from kafka_load.engines.consumer import ConsumerEngine
from kafka_load.engines.group_states import group_states
from kafka_load.engines.notices import Notice, take_notices
from kafka_load.engines.producer import ProducerEngine, ProducerTotals
from kafka_load.engines.reading import ReaderTotals
from kafka_load.engines.samples import sample_records
from kafka_load.engines.settings import ClientSettings, ProducerSettings, ReaderSettings, TransactionSettings
from kafka_load.engines.share import ShareEngine
from kafka_load.engines.watch import ClusterView, ClusterWatch, PartitionView

__all__ = [
    "ClientSettings",
    "ClusterView",
    "ClusterWatch",
    "ConsumerEngine",
    "Engine",
    "Notice",
    "PartitionView",
    "ProducerEngine",
    "ProducerSettings",
    "ProducerTotals",
    "ReaderSettings",
    "ReaderTotals",
    "ShareEngine",
    "TransactionSettings",
    "check_cluster",
    "committed_offsets",
    "end_offsets",
    "group_states",
    "prepare_share_group",
    "readable_ends",
    "reader",
    "sample_records",
    "take_notices",
]


def reader(client: ClientSettings, settings: ReaderSettings) -> ConsumerEngine | ShareEngine:
    """The engine for a reader's mode."""
    return (ShareEngine if settings.mode == "share" else ConsumerEngine)(client, settings)
