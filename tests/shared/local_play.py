"""Runs a playbook for tests, on hosts that are folders of this machine or on none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCAL = {"ansible_become": False, "ansible_connection": "local", "ansible_python_interpreter": sys.executable}
"""Variables of a host that is this machine."""


def run_playbook(
    playbook: Path | str, inventory: Path | str, *args: str, variables: Mapping[str, Any] | None = None
) -> tuple[bool, str]:
    """Whether a playbook succeeded, and what it said, on one line.

    Args:
        playbook: Its path, from the project's root or from /.
        inventory: As for `ansible-playbook -i`.
        args: Further arguments.
        variables: Extra variables.
    """
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), "-i", str(inventory), *args]
    if variables:
        command.append(f"--extra-vars={json.dumps(variables)}")
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    return done.returncode == 0, " ".join((done.stdout + done.stderr).split())
