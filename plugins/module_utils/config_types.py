"""When two spellings of a setting mean the same to Kafka, which parses each by the type of its key.

Source: org.apache.kafka.common.config.ConfigDef.parseType
"""

from __future__ import annotations

from collections.abc import Callable

NORMAL_FORMS: dict[str, Callable[[str], str]] = {
    "BOOLEAN": str.lower,
    "LIST": lambda text: ",".join(part.strip() for part in text.split(",")),
    "INT": lambda text: str(int(text)),
    "SHORT": lambda text: str(int(text)),
    "LONG": lambda text: str(int(text)),
    "DOUBLE": lambda text: str(float(text)),
    "CLASS": str,
}


def same(kind: str, one: str | None, other: str | None) -> bool:
    """Whether two values of a key of this type mean the same: `True` and `true`, `a, b` and `a,b`, `1` and `1.0`.

    None is no value at all. `kind` is what `describe_configs` calls the type; one that is not known compares the text.
    """
    return normal(kind, one) == normal(kind, other)


def normal(kind: str, value: str | None) -> str | None:
    """Return the spelling that all values with the same meaning share; a value that is none of its type is its own."""
    if value is None or kind not in NORMAL_FORMS:
        return value
    try:
        return NORMAL_FORMS[kind](value.strip())
    except ValueError:
        return value
