"""Files of properties as Kafka's own tools read them: Java's format, with references to environment variables.

Source: `java.util.Properties.load`, and Kafka's `EnvVarConfigProvider` (KIP-887), whose references are `${env:NAME}`.
Values may be secret, so no message here contains one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

PROVIDERS = "config.providers"
ENVIRONMENT = "org.apache.kafka.common.config.provider.EnvVarConfigProvider"

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|$)", re.DOTALL)
# The key ends at the first blank, = or : that no backslash stands before.
_PAIR = re.compile(r"(?P<key>(?:\\.|[^\\\s=:])*)[ \t\f]*(?:[=:][ \t\f]*)?(?P<value>.*)", re.DOTALL)
_REFERENCE = re.compile(r"\$\{([^}:]*):([^}]*)\}")  # Kafka's ConfigTransformer


class PropertiesError(ValueError):
    """A file that cannot be read as its writer meant it; the message is one sentence without any value."""


def parse(content: bytes, where: str) -> dict[str, str]:
    """The properties in a file's `content`; `where` names the file in messages.

    Raises:
        PropertiesError: for a key that is given twice, or a character that Kafka would read as another one.
    """
    found: dict[str, str] = {}
    for number, line in _logical_lines(content, where):
        pair = _PAIR.fullmatch(line)
        if pair is None or not pair["key"]:
            raise PropertiesError(f"line {number} of {where} is not KEY=VALUE")
        key = _unescaped(pair["key"])
        if key in found:
            raise PropertiesError(f"{key} is set twice in {where}: leave out one of the two lines")
        found[key] = _unescaped(pair["value"])
    return found


def resolve(given: Mapping[str, str], environment: Mapping[str, str], where: str) -> dict[str, str]:
    """The properties with what their `${env:NAME}` stand for, and without the lines that declare the provider.

    Raises:
        PropertiesError: for a variable that is not set, or a reference to another provider than the environment.
    """
    declared = [name.strip() for name in given.get(PROVIDERS, "").split(",") if name.strip()]
    own = {PROVIDERS, *(f"{PROVIDERS}.{name}.class" for name in declared)}
    for name in declared:
        if given.get(f"{PROVIDERS}.{name}.class") != ENVIRONMENT:
            raise PropertiesError(
                f"{PROVIDERS}.{name}.class in {where} must be {ENVIRONMENT}: the harness reads references to the"
                " environment and no others"
            )
    providers = {"env", *declared}

    def value_of(key: str, reference: re.Match[str]) -> str:
        provider, name = reference.groups()
        if provider not in providers:
            raise PropertiesError(f"{key} in {where} refers to the provider {provider!r}: use ${{env:NAME}} instead")
        if name not in environment:
            raise PropertiesError(f"{key} in {where} refers to the environment variable {name}, which is not set")
        return environment[name]

    return {key: _REFERENCE.sub(partial(value_of, key), value) for key, value in given.items() if key not in own}


def _logical_lines(content: bytes, where: str) -> list[tuple[int, str]]:
    """Lines with those that continue them, each with the number of its first, without comments and empty ones."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, natural in enumerate(re.split(rb"\r\n|\r|\n", content), start=1):
        stripped = natural.lstrip(b" \t\f")
        if begun is None and (not stripped or stripped.startswith((b"#", b"!"))):
            continue
        if not stripped.isascii():
            raise PropertiesError(
                f"line {number} of {where} has a character that is not ASCII: write it as \\uXXXX (Kafka reads such a"
                " file as ISO-8859-1)"
            )
        first, before = begun or (number, "")
        text = before + stripped.decode("ascii")
        backslashes = len(stripped) - len(stripped.rstrip(b"\\"))
        if backslashes % 2:
            begun = first, text[:-1]
        else:
            lines.append((first, text))
            begun = None
    if begun is not None and begun[1]:
        lines.append(begun)
    return lines


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2] or "", found[2] or ""), text
    )
