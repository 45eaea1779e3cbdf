"""Asks ZooKeeper for a module by the shell that a release of Kafka has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def ask(module: Any, commands: Sequence[str]) -> tuple[str, str]:
    """Run commands in the shell that the module's option `command` starts.

    Returns:
        What the shell prints, and why it did not connect ("" if it did).
    """
    script = "\n".join([*commands, "quit", ""])
    _, out, err = module.run_command(module.params["command"], data=script)
    said = " ".join((err or out).split())[-300:] or "it says nothing"
    return f"{out}\n{err}", "" if "SyncConnected" in out + err else said
