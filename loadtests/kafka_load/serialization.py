"""Dataclasses as plain data (strings, numbers, lists, dicts) for Locust's messages and for journals.

Not pickle: a master must not execute what a worker sends it. Only classes that are marked `@wired` can be made.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

Kind = TypeVar("Kind", bound=type)

_KINDS: dict[str, Any] = {}


def wired(kind: Kind) -> Kind:
    """Let a dataclass be packed and unpacked."""
    _KINDS[kind.__name__] = kind
    return kind


def pack(value: Any) -> Any:
    """Plain data for a wired dataclass, or for what it is made of: dicts, tuples, lists, int64 arrays, scalars."""
    if isinstance(value, np.ndarray):
        data = base64.b64encode(zlib.compress(np.ascontiguousarray(value, np.int64).tobytes(), 1)).decode()
        return {"is": "array", "shape": list(value.shape), "data": data}
    if is_dataclass(value):
        return {"is": type(value).__name__, **{f.name: pack(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, dict):
        return {"is": "dict", "items": [[pack(key), pack(content)] for key, content in value.items()]}
    if isinstance(value, tuple):
        return {"is": "tuple", "items": [pack(item) for item in value]}
    if isinstance(value, list):
        return [pack(item) for item in value]
    return value


def unpack(wire: Any) -> Any:
    """The inverse of `pack`. Raises ValueError for data that it did not make."""
    if isinstance(wire, list):
        return [unpack(item) for item in wire]
    if not isinstance(wire, dict):
        return wire
    content = {name: part for name, part in wire.items() if name != "is"}
    match wire.get("is"):
        case "array":
            data = zlib.decompress(base64.b64decode(content["data"]))
            return np.frombuffer(data, np.int64).reshape(content["shape"])
        case "dict":
            return {unpack(key): unpack(part) for key, part in content["items"]}
        case "tuple":
            return tuple(unpack(item) for item in content["items"])
        case kind if kind in _KINDS:
            return _KINDS[kind](**{name: unpack(part) for name, part in content.items()})
        case kind:
            raise ValueError(f"unknown kind {kind!r} in a message")
