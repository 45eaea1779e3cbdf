"""The base of a profile's tables, and the values that several of them have."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kafka_load.config.time_span import span_s


class Table(BaseModel):
    """A table of a profile: nothing is converted, and a key that it does not know is a mistake."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, extra="forbid")


T = TypeVar("T", bound=Table)

RATE_MAX = 1e9
"""Records/s: a record is due at a whole nanosecond."""
COUNT_MAX = 1_000_000
KEYS_MAX = 10_000_000
"""Each process holds all keys in memory."""


def checked(model: type[T], value: object, short: str = "") -> T:
    """`value` as this table; what is no table stands for a table that has it as `short` alone."""
    return model.model_validate(value if isinstance(value, dict) or not short else {short: value})


Span = Annotated[float, BeforeValidator(span_s)]
Level = Annotated[float, Field(ge=0)]
PerSecond = Annotated[float, Field(ge=0, le=RATE_MAX)]
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Share = Annotated[float, Field(ge=0, le=1)]
