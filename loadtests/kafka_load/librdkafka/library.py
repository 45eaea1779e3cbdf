"""The librdkafka that confluent-kafka itself uses, and its functions by their C signatures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from confluent_kafka import cimpl

POINTER, INT, INT32, INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int32, ctypes.c_int64
TEXT, SIZE = ctypes.c_char_p, ctypes.c_size_t
PRODUCER = 0  # rd_kafka_type_t


class LibraryError(ImportError):
    """This librdkafka cannot be used by arrays; the message is one sentence that says what to install."""


@cache
def _library(loader: type[ctypes.CDLL], extension: str) -> ctypes.CDLL:
    """confluent-kafka's extension module, in which the dynamic linker finds what it is linked to as well.

    So it does not matter whether a wheel brings librdkafka along, and under which name, or the system has it.
    """
    return loader(extension)


def function(
    name: str, result: Any, *arguments: Any, quick: bool = False, extension: str = cimpl.__file__
) -> Callable[..., Any]:
    """The exported function `rd_kafka_<name>`.

    Other threads of Python run while it does, unless it is `quick`: to let them would take longer.

    Raises:
        LibraryError: if there is none of that name.
    """
    try:
        bound = _library(ctypes.PyDLL if quick else ctypes.CDLL, extension)[f"rd_kafka_{name}"]
    except (AttributeError, OSError) as error:
        raise LibraryError(
            f"confluent-kafka's librdkafka has no rd_kafka_{name} ({error}): install a wheel of the version that "
            "requirements.txt names"
        ) from None
    bound.restype, bound.argtypes = result, arguments
    return bound
