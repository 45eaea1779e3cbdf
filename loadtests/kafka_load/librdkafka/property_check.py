"""Asks librdkafka itself whether it has a property and takes a value, without making a client."""

from __future__ import annotations

import ctypes

from kafka_load.librdkafka.library import INT, POINTER, SIZE, TEXT, function

UNKNOWN = "there is no such property"
_CONF_UNKNOWN, _CONF_OK = -2, 0  # rd_kafka_conf_res_t
_ERROR_BYTES = 512


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
    return UNKNOWN if result == _CONF_UNKNOWN else said.value.decode(errors="replace")
