"""What may be done with a disk that is declared for data: the one decision here that can destroy something.

A disk is formatted only when nothing at all is on it, by every means of finding out that the host has; in doubt the
answer is a refusal that says what was found and which variable to change.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
        file_in_the_way: What is at the declared path or above it and is no folder, or None.
    """

    block_device: bool = True
    signatures: Mapping[str, str] | None = None
    users: tuple[str, ...] = ()
    zeroed: bool = False
    mounted_at: tuple[str, ...] = ()
    path_holds: str | None = None
    path_files: int = 0
    file_in_the_way: str | None = None


def refusal(disk: Disk, why: str) -> RefusalError:
    """Return the error that names the disk, the reason and the variable."""
    return RefusalError(f"{disk.device} was left alone: {why} (see data_disk_mounts).")


def mount_points(disks: Sequence[Disk], same: Mapping[str, str]) -> list[Disk]:
    """Return the disks with their paths as the kernel spells them.

    Args:
        disks: What is declared.
        same: The device that each declared name stands for; several names of one disk have the same.

    Raises RefusalError for a path where nothing can be mounted, and for a disk or a path that is declared twice.
    """
    result: list[Disk] = []
    for disk in disks:
        path = posixpath.normpath("/" + disk.path.lstrip("/"))
        if not disk.path.startswith("/") or path == "/":
            raise refusal(disk, f"'{disk.path}' is no absolute path below the root")
        for other in result:
            if same[other.device] == same[disk.device]:
                raise refusal(disk, f"it is the same disk as {other.device}")
            if other.path == path:
                raise refusal(disk, f"{other.device} is to be mounted at {path}, too")
        result.append(Disk(disk.device, path))
    return result


def must_format(disk: Disk, seen: Observed) -> bool:
    """Return whether a file system has to be made first; False when there is a right one to mount, or it is mounted.

    Raises RefusalError in every other case.
    """
    refuse = partial(refusal, disk)
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
    if seen.file_in_the_way:
        raise refuse(f"{seen.file_in_the_way} is a file, so nothing can be mounted at {disk.path}")
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
