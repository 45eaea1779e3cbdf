"""Memory of this process, as the kernel tells it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal


def memory_mb(which: Literal["VmRSS", "VmHWM"]) -> float:
    """What it occupies now (VmRSS), or the most that it ever did (VmHWM), in MB.

    `getrusage` would also count what its parent had when it began.
    """
    found = re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("this system does not tell how much memory a process occupies")
    return int(found[1]) / 1024
