"""The shared library inside confluent-kafka's wheel, and its functions by their C signatures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import confluent_kafka

POINTER, INT, INT32, INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int32, ctypes.c_int64
TEXT, SIZE = ctypes.c_char_p, ctypes.c_size_t
PRODUCER = 0  # rd_kafka_type_t


@cache
def _library(loader: type[ctypes.CDLL]) -> ctypes.CDLL:
    """manylinux wheels keep their libraries beside the package."""
    libraries = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    return loader(str(next(libraries.glob("librdkafka*"))))


def function(name: str, result: Any, *arguments: Any, quick: bool = False) -> Callable[..., Any]:
    """The exported function `rd_kafka_<name>`.

    Other threads of Python run while it does, unless it is `quick`: to let them would take longer.
    """
    bound = _library(ctypes.PyDLL if quick else ctypes.CDLL)[f"rd_kafka_{name}"]
    bound.restype, bound.argtypes = result, arguments
    return bound
