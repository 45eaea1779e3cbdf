"""A value of `sasl.jaas.config`: one login module and its options.

    org.apache.kafka.common.security.plain.PlainLoginModule required username="shop" password="…";

Source: Kafka's `JaasConfig`, which reads it by a `java.io.StreamTokenizer`. Options may be secret, so no message here
contains one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |"(?P<double>(?:\\.|[^"\\\n])*)"
    |'(?P<single>(?:\\.|[^'\\\n])*)'
    |(?P<word>[\w.$@/+-]+)
    |(?P<sign>[=;])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([0-3]?[0-7]{1,2}|.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_FLAGS = ("required", "requisite", "sufficient", "optional")


class JaasError(ValueError):
    """Not one login module with its options; the message says what is missing, without any value."""


@dataclass(frozen=True)
class LoginModule:
    """The simple `name` of a login module's class, such as `PlainLoginModule`, and its options."""

    name: str
    options: dict[str, str] = field(repr=False)


def parse(text: str) -> LoginModule:
    """The login module that `text` describes.

    Raises:
        JaasError: if it describes none, or more than one.
    """
    tokens = _tokens(text)
    if len(tokens) < 2 or tokens[1][1].lower() not in _FLAGS:
        raise JaasError(f"it must begin with a login module and one of {', '.join(_FLAGS)}")
    if ("sign", ";") not in tokens:
        raise JaasError("it must end with ;")
    end = tokens.index(("sign", ";"))
    if end != len(tokens) - 1:
        raise JaasError("it must hold one login module, and nothing behind its ;")
    options: dict[str, str] = {}
    rest = tokens[2:end]
    for place in range(0, len(rest), 3):
        group = rest[place : place + 3]
        kinds = [kind for kind, _ in group]
        if kinds not in (["word", "sign", "word"], ["word", "sign", "text"]) or group[1][1] != "=":
            raise JaasError(f'its option number {place // 3 + 1} is not NAME="VALUE"')
        options[group[0][1]] = group[2][1]
    return LoginModule(tokens[0][1].rpartition(".")[2], options)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise JaasError('a value with other characters than letters and digits must be in quotes, NAME="VALUE"')
        place = found.end()
        quoted = found["double"] if found["double"] is not None else found["single"]
        if quoted is not None:
            tokens.append(("text", _ESCAPE.sub(_character, quoted)))
        elif found["word"]:
            tokens.append(("word", found["word"]))
        elif found["sign"]:
            tokens.append(("sign", found["sign"]))
    return tokens


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 8)) if escape[1][0] in "01234567" else _LETTERS.get(escape[1], escape[1])
