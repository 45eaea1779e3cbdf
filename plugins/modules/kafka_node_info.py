#!/usr/bin/python
"""Reads, in one task, all that the kafka role decides by on a host: directories, release, running process."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.host_state import log_dirs, metadata_path, normalized
from ansible_collections.crucible.kafka.plugins.module_utils.properties import parse
from ansible_collections.crucible.kafka.plugins.module_utils.unit import Running, running

DOCUMENTATION = r"""
module: kafka_node_info
short_description: Read the state of a Kafka host
description: Changes nothing. What a process was started with is read from the process, not from the files beside it.
options:
  name: {type: str, required: true, description: The host's name in the inventory.}
  unit: {type: str, required: true, description: The systemd unit.}
  release_dir: {type: path, required: true, description: Where the wanted release is, once it is installed.}
  link: {type: path, default: '', description: Where the link to the newest release goes.}
  config_dir: {type: path, required: true, description: 'Holds server.properties, cluster_id and bootstrapped.'}
  runtime_dir: {type: path, required: true, description: Where the unit copies what it starts with.}
  data_dirs: {type: list, elements: dict, required: true, description: 'Data directories: path, mount.'}
  started_with:
    type: list
    elements: path
    default: []
    description: Files that a process reads when it starts, whose content may change.
author: [Crucible]
"""

EXAMPLES = r"""
- name: Read the state of the host
  crucible.kafka.kafka_node_info:
    name: kafka1
    unit: kafka
    release_dir: /opt/kafka-4.3.1
    config_dir: /etc/kafka
    runtime_dir: /run/kafka
    data_dirs: [{path: /var/lib/kafka/data, mount: /var/lib/kafka}]
  register: found
"""

RETURN = r"""
name: {type: str, returned: always, description: The host's name in the inventory.}
written: {type: dict, returned: always, description: The properties written by the last run.}
installed: {type: bool, returned: always, description: Whether the release is there.}
recorded_id: {type: str, returned: always, description: The cluster id noted outside the data directories.}
bootstrapped: {type: bool, returned: always, description: Whether the cluster is known to have served.}
data_dirs: {type: list, returned: always, description: 'path, mount, mounted, blank and meta of each.'}
former_dirs:
  type: list
  returned: always
  description: The same of those that are no longer declared, and the partitions that lie in each.
other_service:
  type: bool
  returned: always
  description: Whether the unit runs without runtime_dir, so that another tool than this role wrote it.
link_is_taken: {type: bool, returned: always, description: Whether link is there and is no link.}
started_with: {type: dict, returned: always, description: The digest of each of these files that is there.}
process: {type: dict, returned: always, description: 'release, digests, properties, has_secrets; None if it is down.'}
"""

# What kafka-storage has written when it is interrupted before meta.properties; nothing of it is data yet.
FORMATTING = {"bootstrap.checkpoint", "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"}


PARTITION = re.compile(r"[\w.-]+-\d+", re.ASCII)


def read(path: Path) -> str:
    """Return a file's text, "" when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def blank(path: Path) -> bool:
    """Return whether a directory holds nothing that is data; the first file that is answers for the many others."""
    names = (str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir())
    return all(name in FORMATTING or name.endswith(".tmp") for name in names)


def data_dir(path: Path, mount: str) -> dict[str, Any]:
    """Return what `host_state.DataDir` says of a directory."""
    return {
        "path": normalized(str(path)),
        "mount": mount,
        "mounted": os.path.ismount(mount),
        "blank": blank(path),
        "meta": parse(read(path / "meta.properties")),
    }


def former_dirs(properties: dict[str, str], declared: list[str]) -> list[str]:
    """Return the directories that these properties name and the inventory does not."""
    named = dict.fromkeys([*log_dirs(properties), metadata_path(properties)])
    known = [*map(normalized, declared), ""]
    return [path for path in named if path not in known]


def partitions(path: Path) -> list[str]:
    """Return the partitions that lie in a directory: folders such as orders-0, and none that is being deleted."""
    names = (entry.name for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else ()
    return sorted(name for name in names if PARTITION.fullmatch(name) and name != "__cluster_metadata-0")


def is_taken(link: str) -> bool:
    """Return whether something else is in the place of a link; "" stands for no place."""
    return bool(link) and Path(link).exists() and not Path(link).is_symlink()


def process(found: Running | None, runtime_dir: Path) -> dict[str, Any] | None:
    """Return what the process was started with; systemd removes its runtime directory with it."""
    if found is None or not runtime_dir.exists():
        return None
    return {
        "release": found.release,
        "digests": found.digests,
        "properties": parse(read(runtime_dir / "server.properties")),
        "has_secrets": (runtime_dir / "secrets.properties").exists(),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "unit": {"type": "str", "required": True},
            "release_dir": {"type": "path", "required": True},
            "link": {"type": "path", "default": ""},
            "config_dir": {"type": "path", "required": True},
            "runtime_dir": {"type": "path", "required": True},
            "data_dirs": {"type": "list", "elements": "dict", "required": True},
            "started_with": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    config_dir = Path(module.params["config_dir"])
    runs = running(module, module.params["unit"])
    started = process(runs, Path(module.params["runtime_dir"]))
    written = parse(read(config_dir / "server.properties"))
    declared = module.params["data_dirs"]
    # The process may have been started with others than those that the last run wrote.
    former = former_dirs({**written, **(started["properties"] if started else {})}, [each["path"] for each in declared])
    module.exit_json(
        changed=False,
        name=module.params["name"],
        written=written,
        installed=Path(module.params["release_dir"]).is_dir(),
        recorded_id=read(config_dir / "cluster_id").strip(),
        # Until this release the file was called "formed".
        bootstrapped=any((config_dir / name).exists() for name in ("bootstrapped", "formed")),
        data_dirs=[data_dir(Path(each["path"]), each["mount"]) for each in declared],
        former_dirs=[{**data_dir(Path(path), ""), "partitions": partitions(Path(path))} for path in former],
        link_is_taken=is_taken(module.params["link"]),
        other_service=runs is not None and started is None,
        started_with={path: digest for path in module.params["started_with"] if (digest := module.sha256(path))},
        process=started,
    )


if __name__ == "__main__":
    main()
