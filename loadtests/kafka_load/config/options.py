"""The options that the harness adds to Locust's own, on the command line, in the environment and in the web UI.

What a profile says (rate, size, limits) has no default here: None means that the profile decides.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from kafka_load.config import client_config
from kafka_load.config.inventory import ENV
from kafka_load.config.results_dir import default_folder
from kafka_load.config.slo import LIMITS
from kafka_load.config.table import KEYS_MAX, RATE_MAX
from kafka_load.config.time_span import span_s
from kafka_load.output.measurements import Requirements
from kafka_load.output.verdict import REFUSED
from kafka_load.records.binary import SMALLEST

LIMIT_PREFIX = "slo_"
INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class Option:
    """One option; `in_ui` shows it among the web UI's custom parameters."""

    flag: str
    help: str
    default: Any = None
    type: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    in_ui: bool = True
    env: str | None = None
    many: bool = False

    @property
    def dest(self) -> str:
        """The attribute it becomes."""
        return self.flag.removeprefix("--").replace("-", "_")

    def arguments(self) -> dict[str, Any]:
        """How argparse wants it."""
        given: dict[str, Any] = {"help": self.help, "default": self.default}
        if self.env:
            given["env_var"] = self.env
        if isinstance(self.default, bool):
            return given | {"action": "store_true"}
        if self.many:
            return given | {"action": "append", "type": self.type, "metavar": "KEY=VALUE"}
        return given | {"type": self.type, "choices": self.choices, "metavar": None if self.choices else "X"}


def number(at_least: float = 0.0, whole: bool = False, at_most: float = math.inf) -> Callable[[str], float]:
    """A converter for finite numbers from `at_least` to `at_most`."""

    def convert(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a {'whole ' * whole}number") from None
        if not (whole or math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
        if value < at_least:
            raise argparse.ArgumentTypeError(f"{text} is less than {at_least:g}")
        if value > at_most:
            raise argparse.ArgumentTypeError(f"{text} is more than {at_most:,.10g}")
        return value

    return convert


def size(text: str) -> str:
    """`json`, or bytes as a number."""
    if text != "json":
        number(SMALLEST, whole=True)(text)
    return text


def span(text: str) -> float:
    """A time span in seconds."""
    try:
        return span_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pair(text: str) -> str:
    """A librdkafka property as KEY=VALUE."""
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    try:
        client_config.check_given(name, value)
    except client_config.ClientConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def group_prefix(text: str) -> str:
    """A prefix of group names, with the characters that Kafka's tools take in names."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", text):
        raise argparse.ArgumentTypeError(f"{text!r} has other characters than letters, digits, '.', '_' and '-'")
    return text


_COUNT = number(1, whole=True, at_most=INT_MAX)
_NATURAL = number(0, whole=True, at_most=INT_MAX)

OPTIONS: tuple[Option, ...] = (
    Option("--bootstrap-servers", "Brokers, host:port,…; by default those of the Ansible inventory", env=ENV),
    Option(
        client_config.FLAG,
        "A client.properties as Kafka's tools take it: how every client reaches a secured cluster; each process reads"
        " the file itself",
        in_ui=False,
        env=client_config.ENV,
    ),
    Option(
        "--client",
        "A librdkafka property of every client, such as socket.timeout.ms=3000; goes before those of --client-config",
        in_ui=False,
        type=pair,
        many=True,
    ),
    Option(
        "--rate",
        "Records/s due at the profile's highest point, all producers together",
        type=number(0.001, at_most=RATE_MAX),
    ),
    Option("--size", "json, or bytes a record", type=size),
    Option(
        "--entropy",
        "Share of a record of --size bytes, behind its 48 of header, that compression makes nothing less of, 0 to 1",
        type=number(0.0),
    ),
    Option("--keys", "How many different keys, instead of the profile's", type=number(1, whole=True, at_most=KEYS_MAX)),
    Option("--zipf", "Exponent of Zipf's law for the keys; without it they are uniform", type=number(0.0)),
    Option("--acks", "Who must have a record before it counts as acknowledged", "all", choices=("all", "1", "0")),
    Option("--no-idempotence", "Let retries write a record twice", False),
    Option("--compression", "Of record batches", "none", choices=("none", "gzip", "snappy", "lz4", "zstd")),
    Option("--linger-ms", "How long a batch waits for more records, ms", 5.0, number(0.0)),
    Option("--batch-bytes", "The largest batch", 1_000_000, _COUNT),
    Option(
        "--max-in-flight",
        "Requests under way to one broker, of one producer; above 1 librdkafka may write a record twice",
        1,
        _COUNT,
    ),
    Option("--transaction-records", "Commit a transaction every so many records; 0: no transactions", 0, _NATURAL),
    Option("--transaction-ms", "… or after so many ms", 500, _COUNT),
    Option("--abort-every", "Abort every n-th transaction on purpose; 0: none", 0, _NATURAL),
    Option("--group-protocol", "consumer is KIP-848", "classic", choices=("classic", "consumer")),
    Option(
        "--assignor",
        "Of the classic protocol",
        "cooperative-sticky",
        choices=("cooperative-sticky", "range", "roundrobin"),
    ),
    Option("--static-members", "Members keep their partitions over a restart (group.instance.id)", False),
    Option("--read-uncommitted", "Deliver records of open and aborted transactions", False),
    Option("--group-prefix", "Put before the name of every group", "", group_prefix),
    Option("--reset-offsets", "Overwrite offsets of the groups that somebody else committed", False),
    Option("--write-topics", "Topics to write into although they hold others' records: NAME,NAME", ""),
    Option("--keep-topics", "Do not remove the topics and groups of the profile that the run made", False),
    Option("--commit-ms", "How often readers commit, ms", 1_000, _COUNT),
    Option("--session-timeout-ms", "When a silent member of a classic group is taken for dead, ms", 10_000, _COUNT),
    Option("--share-release", "Share of a share group's first deliveries that are released, 0 to 1", 0.0, number(0.0)),
    Option("--share-reject", "Share of a share group's first deliveries that are rejected, 0 to 1", 0.0, number(0.0)),
    *(
        Option(f"--slo-{limit.name.replace('_', '-')}", f"Limit: {limit.what}", type=number(0.0))
        for limit in LIMITS.values()
    ),
    Option("--warmup", "What is due so long after the start counts in no limit of latency, rate or gaps", type=span),
    Option("--window", "How long the windows are of which the slowest is limited, whole seconds", type=span),
    Option("--min-records", "Fewer acknowledged records prove nothing", Requirements().min_records, _NATURAL),
    Option(
        "--max-late-ms",
        "A harness that is later than this at its p99 proves nothing, ms",
        Requirements().max_late_ms,
        number(0.0),
    ),
    Option("--drain-timeout", "How long readers may go on after the last record", 60.0, span),
    Option("--results-dir", "Where each run leaves its folder", str(default_folder()), in_ui=False),
    Option("--junit", "Write the verdict as JUnit XML to this file too, for a CI server", in_ui=False),
    Option("--metrics-port", "Answer Prometheus on this port, for as long as Locust runs", type=_COUNT, in_ui=False),
    Option("--quiet", "Only the verdict on the terminal", False, in_ui=False),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the harness's options to Locust's parser, whose complaints from now on end with exit status 3."""
    group = parser.add_argument_group("Kafka", "What is produced and read; rate, size and limits override the profile")
    for option in OPTIONS:
        action: Any = group.add_argument(option.flag, **option.arguments())
        # Locust's parser would set these, but its groups do not know them.
        action.include_in_web_ui = option.in_ui
        action.is_secret = action.is_required = action.is_multiple = False

    def refuse(message: str) -> NoReturn:
        parser.exit(REFUSED, f"locust: {message.splitlines()[0]}\n")

    parser.error = refuse  # type: ignore[method-assign]  # a parser has no other way to choose its exit status


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The harness's options out of all of Locust's, as values; the web UI hands back texts, which are converted."""
    return {option.dest: _plain(option, getattr(options, option.dest, option.default)) for option in OPTIONS}


def limits(values: Mapping[str, Any]) -> dict[str, float]:
    """The limits given as options, by the limit's name."""
    named = {name.removeprefix(LIMIT_PREFIX): value for name, value in values.items() if name.startswith(LIMIT_PREFIX)}
    return {name: value for name, value in named.items() if value is not None}


def _plain(option: Option, value: Any) -> Any:
    if isinstance(value, str):
        return option.type(value) if value else None
    return str(value) if isinstance(value, Path) else value
