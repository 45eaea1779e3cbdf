"""Whether nodes still accept each other while a changed password reaches them one by one.

With SASL/PLAIN the login of a node (`username`, `password`) and the users that it accepts (`user_NAME`) stand in one
JAAS text. During a rolling restart nodes with the old text and nodes with the new one must accept each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

OPTION = re.compile(r'([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')
JAAS = re.compile(r"plain\.sasl\.jaas\.config$")


def options(jaas: str) -> dict[str, str]:
    """Return the options of a JAAS text, such as `username` and `user_admin`."""
    return {name: quoted or plain for name, quoted, plain in OPTION.findall(jaas)}


def unacceptable_logins(running: Mapping[str, str], declared: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys whose change lets nodes refuse each other until the last of them has been restarted."""
    for key in sorted(running.keys() & declared.keys()):
        if JAAS.search(key):
            before, after = options(running[key]), options(declared[key])
            if not (_accepts(before, after) and _accepts(after, before)):
                yield key


def _accepts(server: Mapping[str, str], client: Mapping[str, str]) -> bool:
    if "username" not in client:
        return True  # The nodes do not log in by this listener.
    return server.get(f"user_{client['username']}") == client.get("password")
