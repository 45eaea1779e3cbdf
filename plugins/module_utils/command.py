"""Runs a host's command for a module, which ends with one sentence when the command is missing or fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def output(module: Any, command: Sequence[str]) -> str:
    """Return what a command prints; end the module if the host does not have it, or if it ends with an error."""
    try:
        code, out, err = module.run_command(list(command), handle_exceptions=False)
    except OSError as error:
        module.fail_json(msg=f"The command {command[0]} cannot be run on this host: {error.strerror}.")
    if code:
        said = " ".join((err or out).split()).removesuffix(".")
        what = f": {said}" if said else ", and says nothing"
        module.fail_json(msg=f"The command '{' '.join(command)}' ended with {code}{what}.", rc=code)
    return str(out)
