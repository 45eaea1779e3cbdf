"""Java's .properties format, read: what a process was started with, to compare with what it would get now."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*(?P<separator>[ \t\f]*[=:][ \t\f]*|[ \t\f]+)")
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse(text: str) -> dict[str, str]:
    """Return the keys and values of a .properties file, as `java.util.Properties.load` would.

    Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
    """
    properties = {}
    for line in _logical_lines(text):
        if match := _SEPARATOR.search(line):
            key, value = line[: match.start("separator")], line[match.end() :]
        else:
            key, value = line, ""
        properties[_unescape(key)] = _unescape(value)
    return properties


def changed_keys(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the keys whose value differs, or that only one side has, in order."""
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def _logical_lines(text: str) -> list[str]:
    """The lines without comments and blanks, those that end in an odd number of backslashes joined with the next."""
    lines, pending = [], ""
    for natural in re.split(r"\r\n|\r|\n", text):
        line = natural.lstrip(" \t\f")
        if not pending and (not line or line[0] in "#!"):
            continue
        continues = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        pending += line[:-1] if continues else line
        if not continues:
            lines.append(pending)
            pending = ""
    return [*lines, pending] if pending else lines


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _CONTROL.get(escaped, escaped)

    # A character beyond the first 65,536 is two escapes, the halves of a surrogate pair.
    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
