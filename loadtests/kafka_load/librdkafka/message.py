"""librdkafka's records, as arrays of its `rd_kafka_message_t`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The structure as rdkafka.h declares it; its fields are part of the library's stable interface. `opaque` is the
# application's own number, which librdkafka gives back with the delivery report.
MESSAGE = np.dtype(
    [
        ("err", np.int32),
        ("topic", np.uint64),
        ("partition", np.int32),
        ("payload", np.uint64),
        ("len", np.int64),
        ("key", np.uint64),
        ("key_len", np.int64),
        ("offset", np.int64),
        ("opaque", np.int64),
    ],
    align=True,
)
Messages = NDArray[Any]  # of MESSAGE
