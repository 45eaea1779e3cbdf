"""Copies out of many places of the process's memory at once.

librdkafka answers with addresses of records that lie wherever they came to lie. To numpy, all memory is one array here,
whose elements begin at each byte, so that an array of addresses is an index.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Addresses = NDArray[np.uint64]

# No process has anything below the first page, or above 48 bits, on x86-64 and AArch64; and numpy takes an array that
# begins at address 0 for one that it has yet to make.
_FIRST, _END = 1 << 12, 1 << 48
_ALL = memoryview((ctypes.c_char * (_END - _FIRST)).from_address(_FIRST))


@cache
def _everything(form: np.dtype[Any]) -> NDArray[Any]:
    return np.ndarray((_END - _FIRST - form.itemsize,), form, _ALL, strides=(1,))


def copies(addresses: Addresses, form: np.dtype[Any]) -> NDArray[Any]:
    """What lies at these addresses, shape (n,). The caller knows that something of that form does."""
    found: NDArray[Any] = _everything(form)[addresses - np.uint64(_FIRST)]
    return found
