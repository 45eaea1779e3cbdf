"""Asks librdkafka itself whether it takes a property's value, and all properties of a client together."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, ShareConsumer

from kafka_load.librdkafka.library import INT, POINTER, SIZE, TEXT, function

UNKNOWN = "there is no such property"
_CONF_UNKNOWN, _CONF_OK = -2, 0  # rd_kafka_conf_res_t
_ERROR_BYTES = 512
_REACHING = ("bootstrap.servers", "security.protocol")


def why_refused(name: str, value: str) -> str:
    """Why librdkafka does not take the value (or `UNKNOWN`), in its words, which may repeat it; empty if it does."""
    conf = function("conf_new", POINTER)()
    said = ctypes.create_string_buffer(_ERROR_BYTES)
    try:
        set_property = function("conf_set", INT, POINTER, TEXT, TEXT, TEXT, SIZE)
        result = set_property(conf, name.encode(), value.encode(), said, _ERROR_BYTES)
    finally:
        function("conf_destroy", None, POINTER)(conf)
    if result == _CONF_OK:
        return ""
    return UNKNOWN if result == _CONF_UNKNOWN else said.value.decode(errors="replace").strip()


def why_not_made(kind: type[Producer | Consumer | ShareConsumer], properties: Mapping[str, object]) -> str:
    """Why librdkafka makes no client of this kind with these properties, in its words; empty if it does.

    Values that it takes one by one may contradict each other. The client is ended at once and connects to nobody: what
    says how to reach the brokers is left out.
    """
    tried = {name: value for name, value in properties.items() if name not in _REACHING}
    try:
        client = kind({**tried, "log_level": 0})
    except (KafkaException, ValueError) as refusal:  # ValueError: of a share consumer
        said = refusal.args[0]
        return (said.str() if isinstance(said, KafkaError) else str(said)).strip()
    if not isinstance(client, Producer):  # a producer ends when it is forgotten
        client.close()
    return ""
