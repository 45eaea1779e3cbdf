#!/usr/bin/python
"""Make a file system on a declared disk, if and only if nothing is on it; module_utils/disk.py decides."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.command import output
from ansible_collections.crucible.kafka.plugins.module_utils.disk import (
    FSTYPE,
    Disk,
    Observed,
    RefusalError,
    mount_points,
    must_format,
    refusal,
)

DOCUMENTATION = """
module: data_disk
short_description: Make an XFS file system on a blank disk
description:
  - Refuses any disk that holds something else than XFS, mounted at the declared path or nowhere.
  - Refuses a disk or a path that is declared twice.
  - It does not mount; its result says what is to be mounted. Missing folders on the way there are made passable.
author: Crucible contributors
options:
  disks:
    description: The disks, as in the role's C(data_disk_mounts).
    type: list
    elements: dict
    required: true
    suboptions:
      device: {description: The block device., type: path, required: true}
      path: {description: Where it is going to be mounted., type: path, required: true}
"""

EXAMPLES = r"""
- name: Make the file system for Kafka's data
  crucible.kafka.data_disk:
    disks:
      - {device: /dev/nvme1n1, path: /var/lib/kafka}
  register: data_disk
"""

RETURN = """
disks:
  description: The device, path and uuid of each; the uuid is empty where check mode made no file system.
  type: list
  returned: always
"""

# Where file systems, volume managers and databases keep the headers that tell what a device holds.
EDGE_BYTES = 4 * 1024 * 1024

OPTIONS = {
    "disks": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "device": {"type": "path", "required": True},
            "path": {"type": "path", "required": True},
        },
    }
}


def signatures(module: AnsibleModule, device: str) -> dict[str, str]:
    """Return every signature on the device: kind -> UUID."""
    text = output(module, ["wipefs", "--no-act", "--json", device])
    found = json.loads(text)["signatures"] if text.strip() else []
    return {entry["type"]: entry["uuid"] or "" for entry in found}


def mounts() -> list[tuple[str, str, str]]:
    """Return what is mounted now, as (major:minor, source, path); see proc_pid_mountinfo(5)."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        path = fields[4].encode().decode("unicode_escape")
        found.append((fields[2], fields[fields.index("-") + 2], path))
    return found


def users(number: str) -> tuple[str, ...]:
    """Return the partitions and holders that the kernel knows of the device with this major:minor."""
    for entry in Path("/sys/class/block").iterdir():
        if (entry / "dev").read_text(encoding="ascii").strip() == number:
            partitions = [child.parent.name for child in entry.glob("*/partition")]
            return (*sorted(partitions), *sorted(holder.name for holder in entry.glob("holders/*")))
    return ()


def zeroed(device: str) -> bool:
    """Return whether the first and the last EDGE_BYTES of the device are all zero."""
    with Path(device).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for offset in (0, max(0, size - EDGE_BYTES)):
            file.seek(offset)
            if any(file.read(EDGE_BYTES)):
                return False
    return True


def make_mount_point(path: Path) -> None:
    """Make the folder and those above it that are missing, passable for the broker's user whatever the umask."""
    for folder in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        folder.mkdir()
        folder.chmod(0o755)


def observe(module: AnsibleModule, disk: Disk) -> Observed:
    """Gather what the decision needs; nothing is read from a device that is there under another use.

    Raises RefusalError when the device or the path cannot be read.
    """
    try:
        return look(module, disk)
    except OSError as error:
        raise refusal(disk, f"it cannot be read ({error.strerror or error})") from error


def look(module: AnsibleModule, disk: Disk) -> Observed:
    """Gather what the decision needs, or raise OSError."""
    device, path = Path(disk.device), Path(disk.path)
    if not device.is_block_device():
        return Observed(block_device=False)
    rdev = device.stat().st_rdev
    number = f"{os.major(rdev)}:{os.minor(rdev)}"
    mounted = mounts()
    found = signatures(module, disk.device)
    return Observed(
        signatures=found,
        users=users(number),
        zeroed=not found and zeroed(disk.device),
        mounted_at=tuple(where for dev, _, where in mounted if dev == number),
        path_holds=next((source for dev, source, where in mounted if where == disk.path and dev != number), None),
        file_in_the_way=next(
            (str(each) for each in (path, *path.parents) if os.path.lexists(each) and not each.is_dir()), None
        ),
        path_files=len(list(path.iterdir())) if path.is_dir() and not path.is_mount() else 0,
    )


def main() -> None:
    """Judge all disks before the first one changes."""
    module = AnsibleModule(OPTIONS, supports_check_mode=True)
    declared = [Disk(entry["device"], entry["path"]) for entry in module.params["disks"]]
    try:
        disks = mount_points(declared, {disk.device: os.path.realpath(disk.device) for disk in declared})
        blank = [disk for disk in disks if must_format(disk, observe(module, disk))]
    except RefusalError as error:
        module.fail_json(msg=str(error))
    if not module.check_mode:
        for disk in blank:
            # Without a force option mkfs.xfs itself refuses a device on which it finds something.
            output(module, [f"mkfs.{FSTYPE}", "-q", disk.device])
        for disk in disks:
            make_mount_point(Path(disk.path))
    result = [{**vars(disk), "uuid": signatures(module, disk.device).get(FSTYPE, "")} for disk in disks]
    after = "".join(f"{FSTYPE} on {disk.device}\n" for disk in blank)
    module.exit_json(changed=bool(blank), disks=result, diff={"before": "", "after": after})


if __name__ == "__main__":
    main()
