"""What a running service was started with: asked of the process itself, since files and loaded units may be newer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# In full for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils.command import output

# In the unit's environment: `file:digest` of each file that the process is started with besides its properties.
CONFIG_SHA256 = "CONFIG_SHA256"


# In its command line: the folder of the release whose classes it loads, which the unit names by its version.
RELEASE = re.compile(rb"/kafka-(\d+\.\d+\.\d+)/libs/")


@dataclass(frozen=True)
class Running:
    """What a unit's process was started with: the digests in its environment by file, and its release ("" for none)."""

    digests: dict[str, str]
    release: str = ""


def running(module: Any, unit: str) -> Running | None:
    """Return what the unit's process was started with, None if there is no process.

    Ends the module where systemd cannot be asked, or where only root may read the environment.
    """
    pid = int(output(module, ["systemctl", "show", "--value", "--property=MainPID", unit]))
    if not pid:
        return None
    path = Path(f"/proc/{pid}/environ")
    try:
        environment = path.read_text(encoding="utf-8", errors="replace")
        release = RELEASE.search(path.with_name("cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return None  # It ended in between.
    except PermissionError as error:
        module.fail_json(
            msg=f"What {unit} was started with is readable by root alone ({path}: {error.strerror}); set become: true."
        )
    values = dict(entry.partition("=")[::2] for entry in environment.split("\0"))
    return Running(digests(values.get(CONFIG_SHA256, "")), release[1].decode() if release else "")


def digests(text: str) -> dict[str, str]:
    """Return the digests by file in the value of `CONFIG_SHA256`."""
    return {file: digest for file, _, digest in (entry.partition(":") for entry in text.split())}
