"""Replaces a file at once: who reads it finds the former or the new content as a whole, also after a crash."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SAME_GROUP = -1


def replace_file(path: Path, data: bytes, mode: int, group: int = SAME_GROUP) -> None:
    """Write a file of this mode; its owner is who runs this, and `group` is the number of its group."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fchown(handle, -1, group)
        os.fchmod(handle, mode)
        os.fsync(handle)
    Path(unfinished).rename(path)
