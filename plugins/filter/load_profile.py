"""Reads what a profile of the load harness names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleFilterError


def profile_payloads(profile: str) -> list[str]:
    """Return the files of payloads that a profile names by paths relative to its own folder, each once.

    Raises:
        AnsibleFilterError: The text is no TOML.
    """
    try:
        tables = tomllib.loads(profile)
    except tomllib.TOMLDecodeError as error:
        raise AnsibleFilterError(f"loadgen_profile is no TOML: {error}") from None
    return sorted({name for name in _payloads(tables) if not name.startswith("/")})


def _payloads(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if key == "payload" and isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _payloads(value)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {"profile_payloads": profile_payloads}
