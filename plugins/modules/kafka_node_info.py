#!/usr/bin/python
"""Reads, in one task, all that the kafka role decides by on a host: directories, release, running process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.properties import parse
from ansible_collections.crucible.kafka.plugins.module_utils.unit import started_with

DOCUMENTATION = r"""
module: kafka_node_info
short_description: Read the state of a Kafka host
description: Changes nothing. What a process was started with is read from the process, not from the files beside it.
options:
  name: {type: str, required: true, description: The host's name in the inventory.}
  unit: {type: str, required: true, description: The systemd unit.}
  release_dir: {type: path, required: true, description: Where the wanted release is, once it is installed.}
  config_dir: {type: path, required: true, description: 'Holds cluster_id, formed and secrets.properties.'}
  runtime_dir: {type: path, required: true, description: Where the unit copies what it starts with.}
  data_dirs: {type: list, elements: dict, required: true, description: 'Data directories: path, mount.'}
author: [Crucible]
"""

RETURN = r"""
name: {type: str, returned: always, description: The host's name in the inventory.}
written: {type: dict, returned: always, description: The properties written by the last run.}
installed: {type: bool, returned: always, description: Whether the release is there.}
recorded_id: {type: str, returned: always, description: The cluster id noted outside the data directories.}
formed: {type: bool, returned: always, description: Whether the cluster is known to have served.}
data_dirs: {type: list, returned: always, description: 'path, mount, mounted, blank and meta of each.'}
process: {type: dict, returned: always, description: 'digest, properties, secrets_current; None if it is down.'}
"""

# What kafka-storage has written when it is interrupted before meta.properties; nothing of it is data yet.
FORMATTING = {"bootstrap.checkpoint", "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"}


def read(path: Path) -> str:
    """Return a file's text, "" when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def blank(path: Path) -> bool:
    """Return whether a directory holds nothing that is data; the first file that is answers for the many others."""
    names = (str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir())
    return all(name in FORMATTING or name.endswith(".tmp") for name in names)


def data_dir(path: Path, mount: str) -> dict[str, Any]:
    """Return what `crucible.identity.DataDir` says of a directory."""
    return {
        "path": str(path),
        "mount": mount,
        "mounted": os.path.ismount(mount),
        "blank": blank(path),
        "meta": parse(read(path / "meta.properties")),
    }


def process(digest: str | None, runtime_dir: Path, config_dir: Path) -> dict[str, Any] | None:
    """Return what the process was started with; systemd removes its runtime directory with it."""
    if digest is None or not runtime_dir.exists():
        return None
    return {
        "digest": digest,
        "properties": parse(read(runtime_dir / "server.properties")),
        "secrets_current": read(runtime_dir / "secrets.properties") == read(config_dir / "secrets.properties"),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "unit": {"type": "str", "required": True},
            "release_dir": {"type": "path", "required": True},
            "config_dir": {"type": "path", "required": True},
            "runtime_dir": {"type": "path", "required": True},
            "data_dirs": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    config_dir = Path(module.params["config_dir"])
    digest = started_with(module, module.params["unit"])
    module.exit_json(
        changed=False,
        name=module.params["name"],
        written=parse(read(config_dir / "server.properties")),
        installed=Path(module.params["release_dir"]).is_dir(),
        recorded_id=read(config_dir / "cluster_id").strip(),
        formed=(config_dir / "formed").exists(),
        data_dirs=[data_dir(Path(declared["path"]), declared["mount"]) for declared in module.params["data_dirs"]],
        process=process(digest, Path(module.params["runtime_dir"]), config_dir),
    )


if __name__ == "__main__":
    main()
