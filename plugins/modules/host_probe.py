#!/usr/bin/python
"""Ansible module: what must be known of a host before Kafka is put on it, in one task and without changing anything."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.ssh_session import ssh_connection

DOCUMENTATION = r"""
module: host_probe
short_description: Tell what a host has for Kafka
description:
  - Java, memory, room for data, names it can resolve, and its clock. Changes nothing.
  - Its action plugin notes when it asked and when it had the answer, between which the clock was read.
options:
  java: {description: The Java to be used., type: path, required: true}
  data_dirs: {description: Data directories., type: list, elements: path, required: true}
  disks:
    description: Disks that will be mounted.
    type: list
    elements: dict
    default: []
    suboptions:
      device: {description: The block device., type: path, required: true}
      path: {description: Where it will be mounted., type: path, required: true}
  resolve: {description: Names to be resolved., type: list, elements: str, default: []}
author: Crucible
"""

EXAMPLES = r"""
- name: Look at the host
  crucible.kafka.host_probe:
    java: /usr/bin/java
    data_dirs: [/var/lib/kafka/data]
    resolve: [kafka1.example.com, kafka2.example.com]
  register: probe
"""

RETURN = r"""
memory_mb: {description: Memory., type: int, returned: always}
free_mb: {description: Room by data directory that holds no data yet., type: dict, returned: always}
java_major: {description: Java's major version or 0., type: int, returned: always}
unresolved: {description: Names that are not resolved., type: list, returned: always}
has_data: {description: Whether a data directory is formatted., type: bool, returned: always}
ssh_client: {description: 'From which address SSH comes, empty on a console.', type: str, returned: always}
ufw_enabled: {description: 'Whether ufw is on already, maybe with rules of others.', type: bool, returned: always}
clock_ns: {description: The host's clock., type: int, returned: always}
took_ns: {description: How long the module ran before it read the clock., type: int, returned: always}
"""

MB = 1 << 20
DISK = {"device": {"type": "path", "required": True}, "path": {"type": "path", "required": True}}


def java_major(java: str) -> int:
    """The major version by the installation's `release` file, which takes less time than a JVM; 0 without one."""
    release = Path(os.path.realpath(java)).parent.parent / "release"
    match = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', release.read_text() if release.is_file() else "")
    return int(match[1]) if match else 0


def device_bytes(device: str) -> int:
    """The size of a block device; ValueError with a sentence for the user if it cannot be read."""
    try:
        with Path(device).open("rb") as disk:
            return disk.seek(0, os.SEEK_END)
    except OSError as error:
        raise ValueError(f"The size of {device} cannot be read: {error.strerror} (see data_disk_mounts).") from error


def free_bytes(path: Path, disks: list[dict[str, str]]) -> int:
    """The room for a directory: on its disk-to-be, or where it would be created now."""
    for disk in disks:
        mount = Path(disk["path"])
        if mount in (path, *path.parents) and not mount.is_mount() and Path(disk["device"]).exists():
            return device_bytes(disk["device"])
    return shutil.disk_usage(next(parent for parent in (path, *path.parents) if parent.exists())).free


def resolves(name: str) -> bool:
    """Whether the host's resolver knows the name."""
    try:
        socket.getaddrinfo(name, None)
    except (socket.gaierror, UnicodeError):  # The latter for a name that nobody can have, such as "a..example.com".
        return False
    return True


def ssh_client() -> str:
    """From which address SSH comes; "" on a console, or where only root may know."""
    try:
        connection = ssh_connection()
    except PermissionError:
        return ""
    return connection[0] if connection else ""


def ufw_enabled(configuration: Path = Path("/etc/ufw/ufw.conf")) -> bool:
    """Whether ufw is on at each boot, so that rules of others may be there."""
    return configuration.is_file() and re.search(r"^ENABLED=yes\b", configuration.read_text(), re.MULTILINE) is not None


def main() -> None:
    """Look, and read the clock last."""
    began = time.monotonic_ns()
    module = AnsibleModule(
        argument_spec={
            "java": {"type": "path", "required": True},
            "data_dirs": {"type": "list", "elements": "path", "required": True},
            "disks": {"type": "list", "elements": "dict", "default": [], "options": DISK},
            "resolve": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    empty = [Path(path) for path in module.params["data_dirs"] if not (Path(path) / "meta.properties").exists()]
    try:
        free_mb = {str(path): free_bytes(path, module.params["disks"]) // MB for path in empty}
    except ValueError as error:
        module.fail_json(msg=str(error))
    result = {
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MB,
        "free_mb": free_mb,
        "java_major": java_major(module.params["java"]),
        "has_data": len(empty) < len(module.params["data_dirs"]),
        "ssh_client": ssh_client(),
        "ufw_enabled": ufw_enabled(),
        "unresolved": [name for name in module.params["resolve"] if not resolves(name)],
    }
    module.exit_json(**result, took_ns=time.monotonic_ns() - began, clock_ns=time.time_ns())


if __name__ == "__main__":
    main()
