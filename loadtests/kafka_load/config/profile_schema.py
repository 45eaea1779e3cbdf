"""What a profile's TOML may say: pydantic holds it against these tables, and each mistake becomes a sentence.

A sentence names the key by its path in the file, such as `topics.payments.partitions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from kafka_load.config.processing import Processing
from kafka_load.config.processing_schema import (
    DISTRIBUTIONS,
    ProcessingTable,
    TransformTable,
    processing_of,
    transform_of,
)
from kafka_load.config.profile_types import Event, Mode, Presence, Rate
from kafka_load.config.slo import LimitError, Scope, check_limits
from kafka_load.config.table import KEYS_MAX, Count, Level, PerSecond, Share, Span, Table, checked
from kafka_load.config.transform import Transform
from kafka_load.records.binary import SMALLEST
from kafka_load.records.keys import Popularity
from kafka_load.records.pool import LinesError, lines, shares_of

Size = tuple[int | None, tuple[tuple[int, float], ...]]
"""Bytes a record (None for JSON, or where there are several sizes), and the sizes with their shares."""

_SENTENCES = {
    "missing": "is missing",
    "int_type": "must be a whole number, not {input!r}",
    "float_type": "must be a number, not {input!r}",
    "finite_number": "must be a number, not {input!r}",
    "string_type": "must be a text, not {input!r}",
    "list_type": "must be a list, not {input!r}",
    "dict_type": "must be a table, not {input!r}",
    "model_type": "must be a table, not {input!r}",
    "greater_than": "must be more than {gt:g}, not {input!r}",
    "greater_than_equal": "must be at least {ge:g}, not {input!r}",
    "less_than_equal": "must be at most {le:,.10g}, not {input!r}",
    "too_short": "must not be empty",
    "literal_error": "must be one of {expected}, not {input!r}",
}
"""What is wrong with a key's value, by pydantic's name for it."""


class _Constant(Table):
    shape: Literal["constant", "poisson"] = "constant"
    rate: PerSecond


class _Ramp(Table):
    shape: Literal["ramp"]
    first: PerSecond = Field(alias="from")
    last: PerSecond = Field(alias="to")


class _Spike(Table):
    shape: Literal["spike"]
    base: PerSecond
    peak: PerSecond
    at: Span
    length: Span = Field(alias="for")


class _Steps(Table):
    shape: Literal["steps"]
    first: PerSecond = Field(alias="from")
    last: PerSecond = Field(alias="to")
    steps: Count
    tolerance: Annotated[float, Field(gt=0, le=1)] | None = None


SHAPES: dict[str, type[Table]] = {
    "constant": _Constant,
    "poisson": _Constant,
    "ramp": _Ramp,
    "spike": _Spike,
    "steps": _Steps,
}


def _rate(value: object) -> Rate:
    shape = value.get("shape") if isinstance(value, dict) else "constant"
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}, not {shape!r}")
    args = checked(SHAPES[shape], value, "rate").model_dump(by_alias=True, exclude={"shape"}, exclude_none=True)
    rate = Rate(shape, {name: float(number) for name, number in args.items()})
    if rate.highest <= 0:
        raise ValueError("never rises above 0")
    return rate


class _Presence(Table):
    count: Count
    start: Span = 0.0
    stay: Span | None = None
    away: Span | None = None


def _presence(value: object) -> Presence:
    table = checked(_Presence, value, "count")
    if (table.stay is None) != (table.away is None):
        raise ValueError("stay and away only make sense together")
    return Presence(table.count, table.start, table.stay or 0.0, table.away or 0.0)


def _size(value: object) -> Size:
    if isinstance(value, dict):
        return None, shares_of(value)
    if value == "json":
        return None, ()
    if isinstance(value, bool) or not isinstance(value, int) or value < SMALLEST:
        raise ValueError(f'must be "json" or a number of bytes, at least {SMALLEST}, not {value!r}')
    return value, ()


def _file_with_lines(path: str) -> str:
    try:
        lines(path)
    except LinesError as error:
        raise ValueError(str(error)) from None
    return path


def _file_with_keys(path: str) -> str:
    try:
        b"\n".join(lines(_file_with_lines(path))).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be text in UTF-8") from None
    return path


class _Keys(Table):
    count: Annotated[int, Field(ge=1, le=KEYS_MAX)] | None = None
    file: Annotated[str, AfterValidator(_file_with_keys)] | None = None
    zipf: Level | None = None


def _popularity(value: object) -> Popularity:
    table = checked(_Keys, value, "count")
    if (table.count is None) == (table.file is None):
        raise ValueError("it must have either 'count' or 'file'")
    if table.file is not None:
        return Popularity.of_file(table.file, table.zipf)
    return Popularity(table.count or 1, table.zipf)


class RecordsTable(Table):
    """The keys that say what records are like."""

    size: Annotated[Size, PlainValidator(_size)] | None = None
    payload: Annotated[str, AfterValidator(_file_with_lines)] | None = None
    entropy: Share | None = None
    keys: Annotated[Popularity, PlainValidator(_popularity)] | None = None
    headers: dict[Annotated[str, Field(min_length=1)], str] | None = None


def _topic_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) or name in (".", ".."):
        raise ValueError("a topic's name has 1 to 249 letters, digits, '.', '_' and '-'")
    return name


def _group_name(name: str) -> str:
    if not name or not name.isprintable():
        raise ValueError("a group's name has at least one character, and only such as can be printed")
    return name


def _topic_config(value: object) -> object:
    return dict(_flat(value)) if isinstance(value, dict) else value


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A topic's configs as Kafka writes them: in TOML `retention.ms = 1` is a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool):
            yield f"{prefix}{name}", str(value).lower()
        elif isinstance(value, str | int | float):
            yield f"{prefix}{name}", str(value)
        else:
            said = f"{prefix}{name} must be a text, a number or true or false, not {value!r}"
            raise PydanticCustomError("topic_config", "{said}", {"said": said})


class _Topic(RecordsTable):
    partitions: Count | None = None
    replication_factor: Count | None = None
    config: Annotated[dict[str, str], BeforeValidator(_topic_config)] = Field(default_factory=dict)
    rate: Annotated[Rate, PlainValidator(_rate)]
    producers: Annotated[Presence, PlainValidator(_presence)] = Presence(1)
    event: Event = "order"


class _Group(Table):
    topics: Annotated[list[str], Field(min_length=1)]
    members: Annotated[Presence, PlainValidator(_presence)] = Presence(1)
    mode: Mode = "queue"
    processing: Annotated[Processing, PlainValidator(processing_of)] | None = None
    transform: Annotated[Transform, PlainValidator(transform_of)] | None = None


def _limits_of(scope: Scope | None) -> Callable[[dict[str, Any]], dict[str, float]]:
    def limits(value: dict[str, Any]) -> dict[str, float]:
        try:
            return check_limits(value, "", scope)
        except LimitError as error:
            raise ValueError(str(error).removeprefix(": ")) from None

    return limits


class _Slo(Table):
    """Limits of the whole run are keys beside the tables `topics` and `groups`."""

    model_config = ConfigDict(extra="allow")

    topics: dict[str, Annotated[dict[str, Any], AfterValidator(_limits_of("topic"))]] = Field(default_factory=dict)
    groups: dict[str, Annotated[dict[str, Any], AfterValidator(_limits_of("group"))]] = Field(default_factory=dict)

    @property
    def whole(self) -> dict[str, float]:
        """The limits of the whole run."""
        return dict(self.model_extra or {})


def _whole_limits(table: _Slo) -> _Slo:
    _limits_of(None)(table.whole)
    return table


class ProfileTable(RecordsTable):
    """All of a profile."""

    duration: Annotated[Span, Field(gt=0)]
    warmup: Span = 0.0
    window: Span = 10.0
    rate: dict[str, Annotated[Rate, PlainValidator(_rate)]] = Field(default_factory=dict)
    users: dict[str, Annotated[Presence, PlainValidator(_presence)]] = Field(default_factory=dict)
    topics: dict[Annotated[str, AfterValidator(_topic_name)], _Topic] = Field(default_factory=dict)
    groups: dict[Annotated[str, AfterValidator(_group_name)], _Group] = Field(default_factory=dict)
    slo: Annotated[_Slo, AfterValidator(_whole_limits)] = _Slo()


def read_tables(raw: Mapping[str, object]) -> tuple[ProfileTable | None, list[str]]:
    """The tables of a profile, and each mistake in them as a sentence; None if there is one."""
    try:
        table = ProfileTable.model_validate(dict(raw))
    except ValidationError as refusal:
        return None, [_sentence(error) for error in refusal.errors()]
    mistakes = [found for check in CHECKS for found in check(table)]
    return None if mistakes else table, mistakes


def _sentence(error: ErrorDetails) -> str:
    path = ".".join(str(part) for part in error["loc"] if part != "[key]")
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        *tables, key = (str(part) for part in error["loc"])
        return f"{'.'.join(tables)}{': ' * bool(tables)}unknown key {key!r}; {_hint(key, _known_keys(tables))}"
    if (template := _SENTENCES.get(error["type"])) is not None:
        said = template.format(input=error["input"], **context)
    else:
        said = str(context.get("error", error["msg"]))
    between = " " if said.startswith(("must ", "is ", "never ")) else ": "
    return f"{path}{between}{said}" if path else said


def _known_keys(tables: list[str]) -> list[str]:
    """The keys of the table at this path."""
    models: tuple[type[Table], ...]
    match tables:
        case []:
            models = (ProfileTable,)
        case ["topics", _]:
            models = (_Topic,)
        case ["groups", _]:
            models = (_Group,)
        case ["groups", _, "processing"]:
            models = (ProcessingTable,)
        case ["groups", _, "transform"]:
            models = (TransformTable,)
        case ["groups", _, "processing", "time"]:
            models = tuple(DISTRIBUTIONS.values())
        case ["rate", _] | ["topics", _, "rate"]:
            models = tuple(SHAPES.values())
        case [*_, "keys"]:
            models = (_Keys,)
        case _:
            models = (_Presence,)
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _hint(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def _one_kind_of_records(table: ProfileTable) -> Iterator[str]:
    places: dict[str, RecordsTable] = {"": table, **{f"topics.{name}": topic for name, topic in table.topics.items()}}
    for place, records in places.items():
        both = records.size is not None and records.payload is not None
        neither = records.size is None and records.payload is None
        if both or (neither and not place and table.users):
            yield f"{place}{': ' * bool(place)}it must have either 'size' or 'payload'"


def _rates_have_users(table: ProfileTable) -> Iterator[str]:
    for user in sorted(table.rate.keys() - table.users.keys()):
        yield f"rate.{user} is given, but there is no {user} among the users"


def _as_many_steps(table: ProfileTable) -> Iterator[str]:
    rates = [*table.rate.values(), *(topic.rate for topic in table.topics.values())]
    stepped = [rate for rate in rates if rate.shape == "steps"]
    if len({rate.args["steps"] for rate in stepped}) > 1:
        yield "all rates with the shape steps must have as many steps"
    if len({rate.args.get("tolerance") for rate in stepped}) > 1:
        yield "all rates with the shape steps must have the same tolerance"
    if any("tolerance" in rate.args and rate.args["steps"] < 2 for rate in stepped):
        yield "a rate with a tolerance must have at least 2 steps"
    elif any("tolerance" in rate.args and rate.args["to"] <= rate.args["from"] for rate in stepped):
        yield "a rate with a tolerance must rise from the first step to the last"


def _somebody_produces(table: ProfileTable) -> Iterator[str]:
    if table.topics:
        return
    for key in ("rate", "users"):
        if key not in table.model_fields_set:
            yield f"{key} is missing: a profile has [topics.NAME], or [rate] and [users] of the locustfile's classes"


def _topics_once(table: ProfileTable) -> Iterator[str]:
    for name, group in table.groups.items():
        if twice := [topic for topic in group.topics if group.topics.count(topic) > 1]:
            yield f"groups.{name}.topics names {twice[0]!r} twice"


def _written_topics_apart(table: ProfileTable) -> Iterator[str]:
    """Groups that write have a topic for it that nobody else writes."""
    writers: dict[str, tuple[str, bool]] = {}  # of each topic: the last group, and whether it transforms
    for name, group in table.groups.items():
        if group.processing is None and group.transform is None:
            continue
        if group.processing is not None and group.transform is not None:
            yield f"groups.{name}: it has either processing or transform"
            continue
        if group.processing is not None:
            key, topic = f"groups.{name}.processing.dead_letter_topic", group.processing.dead_letter_topic
        else:
            key, topic = f"groups.{name}.transform.output", group.transform.output if group.transform else ""
        if group.mode == "share":
            yield f"{key.rpartition('.')[0]}: members of a share group only read; choose another mode"
        if topic:
            try:
                _topic_name(topic)
            except ValueError as error:
                yield f"{key}: {error}"
        if topic in table.topics or topic in group.topics:
            yield f"{key}: {topic!r} is a topic that the run produces to; give it another one"
        other, transforms = writers.get(topic, ("", False))
        if topic and other and (transforms or group.transform is not None):
            yield f"{key}: the group {other} writes into {topic!r}, too; give it another one"
        writers[topic] = (name, group.transform is not None)


CHECKS: tuple[Callable[[ProfileTable], Iterator[str]], ...] = (
    *(_one_kind_of_records, _rates_have_users, _as_many_steps, _somebody_produces, _topics_once),
    _written_topics_apart,
)
"""What no key says alone; held against a profile whose keys are sound each."""
