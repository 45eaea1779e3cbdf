"""The tables of a profile that say what a group does with its records."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from kafka_load.config.processing import Processing, ProcessingTime
from kafka_load.config.table import Count, Share, Span, Table, checked
from kafka_load.config.transform import Transform


class _Fixed(Table):
    distribution: Literal["fixed"] = "fixed"
    value: Span


class _Uniform(Table):
    distribution: Literal["uniform"]
    first: Span = Field(alias="from")
    last: Span = Field(alias="to")


class _Exponential(Table):
    distribution: Literal["exponential"]
    mean: Span


class _Lognormal(Table):
    distribution: Literal["lognormal"]
    median: Annotated[Span, Field(gt=0)]
    p99: Annotated[Span, Field(gt=0)]


DISTRIBUTIONS: dict[str, type[Table]] = {
    "fixed": _Fixed,
    "uniform": _Uniform,
    "exponential": _Exponential,
    "lognormal": _Lognormal,
}


def _time(value: object) -> ProcessingTime:
    name = value.get("distribution", "fixed") if isinstance(value, dict) else "fixed"
    if not isinstance(name, str) or name not in DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(DISTRIBUTIONS)}, not {name!r}")
    table = checked(DISTRIBUTIONS[name], value, "value")
    args = table.model_dump(by_alias=True, exclude={"distribution"})
    for low, high in (("from", "to"), ("median", "p99")):
        if low in args and args[low] > args[high]:
            raise ValueError(f"{low} must not be more than {high}")
    return ProcessingTime(name, args)


class ProcessingTable(Table):
    """`[groups.NAME.processing]`."""

    time: Annotated[ProcessingTime, PlainValidator(_time)] = ProcessingTime()
    failures: Share = 0.0
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    backoff: Span = 0.0
    dead_letter_topic: str = ""


def processing_of(value: object) -> Processing:
    """What the table says. Raises ValueError if it makes no sense."""
    table = checked(ProcessingTable, value)
    if table.failures and not table.dead_letter_topic:
        raise ValueError("it needs a dead_letter_topic, as records may fail each attempt")
    return Processing(table.time, table.failures, table.retries, table.backoff, table.dead_letter_topic)


class TransformTable(Table):
    """`[groups.NAME.transform]`."""

    output: Annotated[str, Field(min_length=1)]
    records: Count = 500
    interval: Annotated[Span, Field(gt=0)] = 0.2


def transform_of(value: object) -> Transform:
    """What the table says."""
    table = checked(TransformTable, value, "output")
    return Transform(table.output, table.records, table.interval)
