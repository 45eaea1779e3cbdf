#!/usr/bin/python
"""A lab host's disk: a sparse file behind a loop device of a given number.

losetup alone would do if device nodes appeared and went by themselves; where /dev is not the kernel's own file system
they do not, and a device that losetup detached stays in the kernel until it is removed through /dev/loop-control.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lab_disk
short_description: Attach or remove the file-backed disk of a lab host
description: Makes a sparse file and attaches it to the loop device of the given number, or removes both.
options:
  path: {description: The file behind the disk., type: path, required: true}
  number: {description: The loop device's number., type: int, required: true}
  size_gib: {description: The disk's size in GiB; needed when the file does not exist yet., type: int}
  state: {description: Whether the disk is there., type: str, choices: [present, absent], default: present}
author: Crucible
"""

# linux/loop.h
LOOP_MAJOR = 7
LOOP_CTL_ADD = 0x4C80
LOOP_CTL_REMOVE = 0x4C81


def backing_file(number: int) -> str | None:
    """Return the file attached to /dev/loop<number>, or None if there is none."""
    attribute = Path(f"/sys/block/loop{number}/loop/backing_file")
    return attribute.read_text().strip() if attribute.exists() else None


def control(request: int, number: int) -> None:
    """Add or remove a loop device of the kernel."""
    with Path("/dev/loop-control").open() as device:
        fcntl.ioctl(device, request, number)


def attach(path: Path, number: int, size_gib: int) -> None:
    """Make what is missing of file, loop device and device node, and join them."""
    if not path.exists():
        with path.open("wb") as file:
            file.truncate(size_gib * 1024**3)
    if not Path(f"/sys/block/loop{number}").exists():
        control(LOOP_CTL_ADD, number)
    node = Path(f"/dev/loop{number}")
    if not node.exists():
        os.mknod(node, 0o600 | 0o060000, os.makedev(LOOP_MAJOR, number))
    subprocess.run(["losetup", str(node), str(path)], check=True, capture_output=True, text=True)


def remove(path: Path, number: int) -> None:
    """Detach and remove the loop device, its node and the file."""
    node = Path(f"/dev/loop{number}")
    if backing_file(number):
        subprocess.run(["losetup", "--detach", str(node)], check=True, capture_output=True, text=True)
    if Path(f"/sys/block/loop{number}").exists():
        control(LOOP_CTL_REMOVE, number)
    node.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        {
            "path": {"type": "path", "required": True},
            "number": {"type": "int", "required": True},
            "size_gib": {"type": "int"},
            "state": {"choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["size_gib"])],
        supports_check_mode=True,
    )
    path, number = Path(module.params["path"]), module.params["number"]
    attached = backing_file(number)
    if attached not in (None, str(path)):
        module.fail_json(
            f"/dev/loop{number} belongs to {attached}: detach it (losetup -d /dev/loop{number}) "
            "or use another CRUCIBLE_LAB."
        )
    present = module.params["state"] == "present"
    changed = attached is None if present else attached is not None or path.exists()
    if changed and not module.check_mode:
        try:
            if present:
                attach(path, number, module.params["size_gib"])
            else:
                remove(path, number)
        except subprocess.CalledProcessError as error:
            module.fail_json(f"losetup: {error.stderr.strip()}")
        except OSError as error:
            module.fail_json(f"The disk {path} on /dev/loop{number}: {error}")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
