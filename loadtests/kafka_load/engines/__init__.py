"""Engines: native threads that own a client each. Callers say what is wanted and read what is published."""

from kafka_load.engines.base import Engine
from kafka_load.engines.client_log import LogLine, take_log_lines
from kafka_load.engines.client_statistics import ClientStatistics
from kafka_load.engines.consumer import ConsumerEngine
from kafka_load.engines.processing import ProcessingEngine
from kafka_load.engines.producer import ProducerEngine, ProducerTotals
from kafka_load.engines.reading import ReaderTotals
from kafka_load.engines.settings import (
    ClientSettings,
    ProducerSettings,
    ReaderSettings,
    TransactionSettings,
)
from kafka_load.engines.share import ShareEngine
from kafka_load.engines.transform import TransformEngine

__all__ = [
    "ClientSettings",
    "ClientStatistics",
    "ConsumerEngine",
    "Engine",
    "LogLine",
    "ProcessingEngine",
    "ProducerEngine",
    "ProducerSettings",
    "ProducerTotals",
    "ReaderSettings",
    "ReaderTotals",
    "ShareEngine",
    "TransactionSettings",
    "TransformEngine",
    "reader",
    "take_log_lines",
]


def reader(client: ClientSettings, settings: ReaderSettings) -> ConsumerEngine | ShareEngine:
    """The engine for a reader's mode, and for what it does with its records."""
    if settings.mode == "share":
        return ShareEngine(client, settings)
    if settings.transform is not None:
        return TransformEngine(client, settings)
    return (ConsumerEngine if settings.processing is None else ProcessingEngine)(client, settings)
