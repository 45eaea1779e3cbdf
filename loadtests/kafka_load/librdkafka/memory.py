"""Copies out of many places of the process's memory at once.

librdkafka answers with addresses of records that lie wherever they came to lie. To numpy, all memory is one array here,
whose elements begin at each byte, so that an array of addresses is an index. An address that lies beyond that array is
read by itself, which is slower and needs no such array.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Addresses = NDArray[np.uint64]

# No process has anything below the first page, and none on x86-64 or AArch64 has anything above 48 bits unless it asks
# for it; and numpy takes an array that begins at address 0 for one that it has yet to make.
_FIRST, END = 1 << 12, 1 << 48 if sys.maxsize > 1 << 48 else 1 << 12

FEW = 4
"""So many are copied sooner one by one."""


@cache
def _everything(form: np.dtype[Any]) -> NDArray[Any]:
    whole = memoryview((ctypes.c_char * (END - _FIRST)).from_address(_FIRST))
    return np.ndarray((END - _FIRST - form.itemsize,), form, whole, strides=(1,))


def copies(addresses: Addresses, form: np.dtype[Any], end: int = END) -> NDArray[Any]:
    """What lies at these addresses, shape (n,). The caller knows that something of that form does.

    Addresses from `end` on, and few ones, are read one by one.
    """
    if 0 < len(addresses) <= FEW or (len(addresses) and int(addresses.max()) >= end - form.itemsize):
        pieces = (ctypes.string_at(address, form.itemsize) for address in addresses.tolist())
        return np.frombuffer(b"".join(pieces), form)
    found: NDArray[Any] = _everything(form)[addresses - np.uint64(_FIRST)]
    return found
