"""The decoded form of records, shared by all formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTACT = 0  # written by this harness (in this run or another) and unchanged
ALTERED = 1  # written by this harness, but its checksum does not fit
FOREIGN = 2  # written by somebody else

STAMP = np.dtype(
    [
        ("run", "<u8"),
        ("producer", "<u4"),
        ("partition", "<i4"),
        ("sequence", "<i8"),
        ("due_ns", "<i8"),
        ("state", "<i1"),
    ]
)

Stamps = NDArray[Any]  # structured, dtype STAMP
