"""What may be done with a disk that is declared for data: the one decision here that can destroy something.

A disk is formatted only when nothing at all is on it, by every means of finding out that the host has; in doubt the
answer is a refusal that says what was found and which variable to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FSTYPE = "xfs"  # What Kafka's own documentation recommends, and the only kind that this project has tried.


class RefusalError(ValueError):
    """The disk must be left as it is, and the run must stop; the text says why and what to change."""


@dataclass(frozen=True)
class Disk:
    """One entry of `data_disk_mounts`."""

    device: str
    path: str


@dataclass(frozen=True)
class Observed:
    """What the host says of a declared disk.

    Attributes:
        block_device: Whether the device exists and is one.
        signatures: All that wipefs(8) finds, kind -> UUID ("" where the kind has none).
        users: The kernel's partitions of the device, and what is stacked on it (LVM, RAID, encryption).
        zeroed: Whether the device's first and last bytes are all zero; those are where anything would announce itself.
        mounted_at: Where the device is mounted now.
        path_holds: The device mounted at the declared path now, or None.
        path_files: How many files and folders the declared path holds while nothing is mounted there.
    """

    block_device: bool = True
    signatures: Mapping[str, str] | None = None
    users: tuple[str, ...] = ()
    zeroed: bool = False
    mounted_at: tuple[str, ...] = ()
    path_holds: str | None = None
    path_files: int = 0


def must_format(disk: Disk, seen: Observed) -> bool:
    """Return whether a file system has to be made first; False when there is a right one to mount, or it is mounted.

    Raises RefusalError in every other case.
    """

    def refuse(why: str) -> RefusalError:
        return RefusalError(f"{disk.device} was left alone: {why} (see data_disk_mounts).")

    if not seen.block_device:
        raise refuse("this host has no such block device")
    if disk.path in seen.mounted_at:
        if FSTYPE not in (seen.signatures or {}):
            raise refuse(f"it is mounted at {disk.path} with another file system than {FSTYPE}")
        return False
    if seen.mounted_at:
        raise refuse(f"it is mounted at {', '.join(seen.mounted_at)} instead of {disk.path}")
    if seen.path_holds:
        raise refuse(f"{seen.path_holds} is mounted at {disk.path} already")
    if seen.path_files:
        raise refuse(f"{disk.path} holds files already, which a mount would hide; move them away first")
    if seen.users:
        raise refuse(f"it is in use by {', '.join(seen.users)}")
    if set(seen.signatures or {}) == {FSTYPE}:
        return False
    if seen.signatures:
        raise refuse(f"it holds {', '.join(sorted(seen.signatures))}, and only a blank disk is formatted")
    if not seen.zeroed:
        raise refuse("it holds data of an unknown kind, and only a blank disk, zeroed at both ends, is formatted")
    return True
