"""Java's .properties format: written for a process, and read to compare what it was started with."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*(?P<separator>[ \t\f]*[=:][ \t\f]*|[ \t\f]+)")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"})
_KEY_ESCAPES = str.maketrans({char: f"\\{char}" for char in " =:#!"})
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


def render(properties: Mapping[str, str]) -> str:
    """Return the text of a .properties file, sorted by key; `parse` gives the same mapping back."""
    return "\n".join(f"{_key(key)}={_value(properties[key])}" for key in sorted(properties))


def _key(text: str) -> str:
    return _ascii(text.translate(_ESCAPES).translate(_KEY_ESCAPES))


def _value(text: str) -> str:
    # Java drops blanks before a value.
    return ("\\" if text.startswith(" ") else "") + _ascii(text.translate(_ESCAPES))


def _ascii(text: str) -> str:
    # Kafka reads its files as Latin-1; an escape stands for one UTF-16 unit.
    return "".join(char if char.isascii() else "".join(map("\\u{:04x}".format, _utf16(char))) for char in text)


def _utf16(text: str) -> memoryview:
    return memoryview(text.encode("utf-16-le")).cast("H")


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
