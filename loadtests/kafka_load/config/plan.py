"""The plan of one run: profile and options brought together into what the engines take.

It is made once, by the process that conducts the run, and travels to the workers as plain data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kafka_load.clock import SECOND
from kafka_load.config import client_trial, schedule
from kafka_load.config import options as opts
from kafka_load.config.processing import Processing
from kafka_load.config.profile_types import Event, Mode, Presence, Profile, Rate, RecordShape
from kafka_load.config.profiles import parse
from kafka_load.config.rate_steps import step_rates, step_s, tolerance, too_short
from kafka_load.config.schedule import Schedule
from kafka_load.config.slo import DEFAULT_LIMITS, LIMITS, PROCESSING_LIMITS, TRANSFORM_LIMITS
from kafka_load.config.transform import Transform
from kafka_load.engines.settings import (
    ClientSettings,
    ProducerSettings,
    ReaderSettings,
    TransactionSettings,
)
from kafka_load.output.measurements import Requirements
from kafka_load.records import fresh_id, fresh_run
from kafka_load.records.keys import Popularity

MESSAGE_MAX_BYTES = 1_000_000  # librdkafka's default of message.max.bytes, which counts a whole batch
OVERHEAD_BYTES = 200  # key, and what a batch adds
HEADER_BYTES = 10  # the lengths of a header's name and value, five bytes each at most
TRANSACTIONAL_IDS = "kafka-load-"  # what all of them begin with, for an ACL


class PlanError(ValueError):
    """Options that contradict each other; the message is one sentence."""


@dataclass(frozen=True)
class Plan:
    """What one run does; `options` are the values of `options.OPTIONS`, `run` marks this run's records.

    `shared`: the run has several processes, each of which may die alone, so readers journal what they have read.
    `users`: how many users of each class were spawned when the run began; empty before.
    `secured`: librdkafka's properties from `--client-config`; each process reads them for itself, they do not travel.
    """

    run_id: str
    run: int
    bootstrap: str
    profile: Profile
    options: Mapping[str, Any]
    shared: bool = False
    users: Mapping[str, int] = field(default_factory=dict)
    secured: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.options["acks"] != "all" and not self.options["no_idempotence"]:
            raise PlanError(
                f"--acks {self.options['acks']} needs --no-idempotence: an idempotent producer waits for all"
            )
        if self.options["transaction_records"] and self.options["no_idempotence"]:
            raise PlanError("--transaction-records does not go with --no-idempotence: transactions are idempotent")
        if self.options["max_in_flight"] > 5 and not self.options["no_idempotence"]:
            raise PlanError("--max-in-flight is at most 5 for an idempotent producer; or use --no-idempotence")
        if (self.options["entropy"] or 0) > 1:
            raise PlanError("--entropy is a share of each record's bytes, from 0 to 1")
        for user, rate in self.profile.rate.items():
            if mistake := too_short(rate, self.profile.duration_s):
                raise PlanError(mistake)
            presence = self.presence(user)
            if tolerance(rate) and (presence.start_s or presence.away_s):
                raise PlanError(
                    f"{user} has a rate with a tolerance: its users are there all along, without start and stay"
                )
            if tolerance(rate) and self.options["abort_every"]:
                raise PlanError(
                    "a rate with a tolerance does not go with --abort-every: what is aborted stays a backlog"
                )
        largest = self._message_max_bytes
        for shape in (self.records(topic) for topic in ("", *self.profile.topics)):
            headers = sum(len(name.encode()) + len(value) + HEADER_BYTES for name, value in shape.headers)
            if shape.largest + headers + OVERHEAD_BYTES > largest:
                raise PlanError(
                    f"a record of {shape.largest} bytes is more than a client takes ({largest}): choose a smaller size,"
                    " or give --client message.max.bytes=… and let the topics take as much (max.message.bytes)"
                )
        if self.warmup_s >= self.profile.duration_s:
            raise PlanError(
                f"a warm-up of {self.warmup_s:g} s leaves nothing of a load of {self.profile.duration_s:g} s to judge:"
                " shorten it (--warmup), or let the load last longer (--run-time)"
            )
        if self.window_s < 1 or self.window_s != int(self.window_s):
            raise PlanError(f"a window (--window) is a whole number of seconds, at least 1, not {self.window_s:g}")
        if self._limits_windows and self.window_s > self.profile.duration_s - self.warmup_s:
            raise PlanError(
                f"a window of {self.window_s:g} s is longer than the load after the warm-up: shorten it (--window)"
            )
        if self.warmup_s and any(rate.shape == "steps" for rate in self.profile.rate.values()):
            raise PlanError("a warm-up does not go with the shape steps, each of which leaves its first quarter out")
        if (limit := self._held_to_no_step) and any(rate.shape == "steps" for rate in self.profile.rate.values()):
            per_step = ", ".join(name for name, one in LIMITS.items() if one.per_step)
            raise PlanError(
                f"{limit} does not go with the shape steps, whose last step is meant to be too much: leave it out;"
                f" each step is held to the limits {per_step} of the whole run"
            )
        if self.options["share_release"] + self.options["share_reject"] > 1:
            raise PlanError("--share-release and --share-reject are shares of one whole, together at most 1")

    @property
    def client(self) -> ClientSettings:
        """How every client reaches the cluster."""
        return ClientSettings(self.bootstrap, {**self.secured, **self.given})

    @property
    def _message_max_bytes(self) -> int:
        """How much a client takes in one request, bytes."""
        given = str(self.client.extra.get("message.max.bytes", MESSAGE_MAX_BYTES))
        try:
            return int(given, 0)
        except ValueError:
            raise PlanError(f"message.max.bytes must be a number of bytes, such as 2000000, not {given!r}") from None

    @property
    def given(self) -> dict[str, str]:
        """librdkafka's properties from the command line (`--client`)."""
        return dict(pair.split("=", 1) for pair in self.options["client"] or ())

    @property
    def warmup_s(self) -> float:
        """What is due so many seconds after the start counts in no limit of latency, rate or gaps."""
        given: float | None = self.options["warmup"]
        return self.profile.warmup_s if given is None else given

    @property
    def window_s(self) -> float:
        """How long the windows are of which the slowest is limited; whole seconds."""
        given: float | None = self.options["window"]
        return self.profile.window_s if given is None else given

    @property
    def _limits_windows(self) -> bool:
        given = [self.limits, *self.limits_of.values()]
        return any(name.startswith("p99_window_") for limits in given for name in limits)

    @property
    def _held_to_no_step(self) -> str:
        """The setting of the first limit that too high a load breaks and no step can be held to; empty if none."""
        profile, given = self.profile, opts.limits(self.options)
        whole = {f"--slo-{name}".replace("_", "-") if name in given else f"slo.{name}": name for name in self.limits}
        places = {"topics": profile.topic_limits, "groups": profile.group_limits}
        own = {
            f"slo.{place}.{of}.{name}": name
            for place, limits_of in places.items()
            for of, limits in limits_of.items()
            for name in limits
        }
        found = [setting for setting, name in whole.items() if LIMITS[name].overload]
        found += [setting for setting, name in own.items() if LIMITS[name].overload or LIMITS[name].per_step]
        return next(iter(found), "")

    @property
    def window_topics(self) -> frozenset[str]:
        """The topics whose own windows are limited: their latencies are told apart second by second."""
        return frozenset(
            topic for topic, limits in self.profile.topic_limits.items() if "p99_window_produce_ms" in limits
        )

    @property
    def run_dir(self) -> Path:
        """Where the run leaves its files."""
        return Path(self.options["results_dir"]) / self.run_id

    @property
    def junit(self) -> Path | None:
        """Where else the verdict goes, as JUnit XML."""
        return Path(self.options["junit"]) if self.options["junit"] else None

    def journal_dir(self, worker: str) -> Path:
        """Where a worker's readers keep what it could not tell any more if it died."""
        return self.run_dir / "journal" / worker

    @property
    def limits(self) -> dict[str, float]:
        """Defaults, overridden by the profile, overridden by options."""
        work = (PROCESSING_LIMITS if self.processing else {}) | (TRANSFORM_LIMITS if self.transforms else {})
        return {**DEFAULT_LIMITS, **work, **self.profile.limits, **opts.limits(self.options)}

    @property
    def processing(self) -> dict[str, Processing]:
        """What groups do with their records, by the group's name in this run; those that only read are left out."""
        groups = self.profile.groups.values()
        return {self.group(group.name): group.processing for group in groups if group.processing is not None}

    @property
    def transforms(self) -> dict[str, Transform]:
        """What groups make of their records, by the group's name in this run."""
        groups = self.profile.groups.values()
        return {self.group(group.name): group.transform for group in groups if group.transform is not None}

    @property
    def limits_of(self) -> dict[str, Mapping[str, float]]:
        """The limits of one topic or group each, by what they are of, such as `group billing`."""
        profile = self.profile
        return {f"topic {topic}": limits for topic, limits in profile.topic_limits.items()} | {
            f"group {self.group(group)}": limits for group, limits in profile.group_limits.items()
        }

    @property
    def requirements(self) -> Requirements:
        """What the run must have done to prove anything."""
        return Requirements(self.options["min_records"], self.options["max_late_ms"])

    def records(self, topic: str) -> RecordShape:
        """What the records of a topic are like: as the profile says, unless an option says otherwise."""
        shape, given = self.profile.records_of(topic), self.options
        if given["size"] is not None:
            size = None if given["size"] == "json" else int(given["size"])
            shape = replace(shape, size=size, sizes=(), payload_file="", largest_payload=0)
        if given["entropy"] is not None:
            shape = replace(shape, entropy=float(given["entropy"]))
        chosen = shape.popularity
        if given["keys"] is not None:
            chosen = Popularity(given["keys"], chosen.zipf)
        if given["zipf"] is not None:
            chosen = replace(chosen, zipf=given["zipf"])
        return replace(shape, popularity=chosen)

    @property
    def factor(self) -> float:
        """What `--rate` makes of the profile's rates."""
        highest = sum(rate.highest for rate in self.profile.rate.values())
        return self.options["rate"] / highest if self.options["rate"] and highest else 1.0

    def group(self, name: str) -> str:
        """The name that a group has in this run."""
        return f"{self.options['group_prefix'] or ''}{name}"

    @property
    def write_topics(self) -> tuple[str, ...]:
        """The topics that the run was told to write into, whoever wrote there before."""
        return tuple(filter(None, (self.options["write_topics"] or "").split(",")))

    def rate(self, user: str) -> Rate | None:
        """The rate of all users of one class together, if the profile gives one."""
        rate = self.profile.rate.get(user)
        return rate and rate.scaled(self.factor)

    def presence(self, user: str) -> Presence:
        """When users of one class are there: always, unless the profile says otherwise."""
        return self.profile.users.get(user, Presence(1))

    def schedule(self, user: str, own_rate: float, seed: int, from_ns: int) -> schedule.Schedule:
        """When the records of one producer are due, from `from_ns` after the start of the run on.

        Each user of a class has an equal share of its rate (see `share`). A class that the profile does not know has
        its `own_rate` a user.
        """
        whole = self.whole_schedule(user, own_rate, seed).scaled(self.share(user, self.users.get(user, 0)))
        return tail(whole, from_ns)

    def whole_schedule(self, user: str, own_rate: float, seed: int) -> Schedule:
        """When the records of a class's users together are due; of one user if the profile does not know the class."""
        rate = self.rate(user)
        if rate is None:
            return schedule.constant(own_rate, self.profile.duration_s)
        return to_schedule(rate, self.profile.duration_s, seed)

    @property
    def rate_is_total(self) -> bool:
        """The rate was given for all producers together, however many there are."""
        return bool(self.options["rate"])

    def share(self, user: str, spawned: int) -> float:
        """The share of its class's rate that one user has, if so many of the class were spawned when the run began.

        A profile's rate is that of the profile's users: twice the users are twice the load. A rate that was given
        (`--rate`) is that of all producers together, and those that there are share it.
        """
        if self.rate(user) is None:
            return 1.0
        return 1 / (spawned if self.rate_is_total and spawned else self.presence(user).count)

    def producer(self, topic: str, event: Event, producer: int) -> ProducerSettings:
        """Settings of one producer."""
        given, records = self.options, self.records(topic)
        transaction = TransactionSettings(
            f"{TRANSACTIONAL_IDS}{self.run_id}-{producer}",
            given["transaction_records"],
            given["transaction_ms"],
            given["abort_every"],
        )
        return ProducerSettings(
            topic,
            self.run,
            producer,
            format="binary" if records.largest else "json",
            event=event,
            **({} if records.size is None else {"size": records.size}),
            entropy=records.entropy,
            sizes=records.sizes,
            payload_file=records.payload_file,
            headers=records.headers,
            popularity=records.popularity,
            acks=given["acks"],
            idempotent=not given["no_idempotence"],
            linger_ms=given["linger_ms"],
            compression=given["compression"],
            batch_bytes=given["batch_bytes"],
            requests_in_flight=given["max_in_flight"],
            transaction=transaction if given["transaction_records"] else None,
        )

    def reader(self, group: str, topics: tuple[str, ...], mode: Mode, name: str, worker: str) -> ReaderSettings:
        """Settings of one reader; `name` stays the same when the same user joins again, `worker` is its process."""
        given = self.options
        return ReaderSettings(
            group,
            topics,
            self.run,
            mode=mode,
            protocol=given["group_protocol"],
            assignor=given["assignor"],
            instance_id=name if given["static_members"] and mode != "share" else None,
            read_committed=not given["read_uncommitted"],
            commit_ms=given["commit_ms"],
            session_timeout_ms=given["session_timeout_ms"],
            release=given["share_release"],
            reject=given["share_reject"],
            journal_dir=self.journal_dir(worker) if self.shared else None,
            processing=self.processing.get(group),
            transform=self.transforms.get(group),
            # The group's metadata fences, not this.
            transactional_id=f"{TRANSACTIONAL_IDS}{self.run_id}-{group}-{fresh_id():x}",
        )

    def to_wire(self) -> dict[str, Any]:
        """Plain data that `from_wire` makes a plan of."""
        return {
            "run_id": self.run_id,
            "run": self.run,
            "bootstrap": self.bootstrap,
            "profile": self.profile.to_wire(),
            "options": dict(self.options),
            "shared": self.shared,
            "users": dict(self.users),
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], secured: Mapping[str, str] = MappingProxyType({})) -> Plan:
        """The inverse of `to_wire`, with what this process has read of `--client-config`."""
        profile = parse(wire["profile"]["name"], wire["profile"]["raw"], "plan")
        return cls(**{**wire, "profile": profile, "secured": secured})


def to_schedule(rate: Rate, duration_s: float, seed: int) -> schedule.Schedule:
    """The arrivals of a profile's rate over `duration_s`."""
    args = rate.args
    if rate.shape == "ramp":
        return schedule.ramp(args["from"], args["to"], duration_s)
    if rate.shape == "spike":
        return head(schedule.spike(args["base"], args["peak"], args["at"], args["for"]), duration_s)
    if rate.shape == "steps":
        each_s = step_s(rate, duration_s)
        return head(schedule.steps([*((step, each_s) for step in step_rates(rate)), (0.0, math.inf)]), duration_s)
    whole = schedule.constant(args["rate"], duration_s)
    return whole.poisson(seed) if rate.shape == "poisson" else whole


def switched(whole: Schedule, rates: Sequence[tuple[float, float]], duration_s: float) -> Schedule:
    """A schedule in which other rates hold, each from so many seconds on, until `duration_s`."""
    begun = [(at_s, rate) for at_s, rate in rates if at_s < duration_s]
    if not begun:
        return whole
    first, ends = head(whole, begun[0][0]), [*(at_s for at_s, _ in begun[1:]), duration_s]
    levels = tuple(rate for _, rate in begun)
    return replace(
        first,
        times_ns=(*first.times_ns, *(end_s * SECOND for end_s in ends)),
        starts=(*first.starts, *levels),
        ends=(*first.ends, *levels),
    )


def head(whole: Schedule, duration_s: float) -> Schedule:
    """A schedule that ends after `duration_s`."""
    end_ns = duration_s * SECOND
    if end_ns >= whole.times_ns[-1]:
        return whole
    pieces = sum(begin < end_ns for begin in whole.times_ns[:-1])
    return replace(
        whole,
        times_ns=(*whole.times_ns[:pieces], end_ns),
        starts=whole.starts[:pieces],
        ends=(*whole.ends[: pieces - 1], whole.rate_at(int(end_ns) - 1)),
    )


def tail(whole: schedule.Schedule, from_ns: int) -> schedule.Schedule:
    """What is left of a schedule `from_ns` after its start, for a producer that joins late."""
    if from_ns <= 0:
        return whole
    if from_ns >= whole.times_ns[-1]:
        return schedule.constant(0.0)
    pieces = [
        (max(begin, from_ns), end, whole.rate_at(from_ns) if begin < from_ns else start, stop)
        for begin, end, start, stop in zip(whole.times_ns, whole.times_ns[1:], whole.starts, whole.ends, strict=False)
        if end > from_ns
    ]
    return replace(
        whole,
        times_ns=(0.0, *(end - from_ns for _, end, _, _ in pieces)),
        starts=tuple(start for _, _, start, _ in pieces),
        ends=tuple(stop for _, _, _, stop in pieces),
    )


def make_plan(
    values: Mapping[str, Any],
    profile: Profile,
    bootstrap: str,
    *,
    shared: bool,
    secured: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """A plan for a new run.

    Raises:
        PlanError: if options contradict each other, or librdkafka does not take them.
    """
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{profile.name}"
    plan = Plan(run_id, fresh_run(), bootstrap, profile, values, shared, secured=secured)
    if why := client_trial.refusal(plan):
        raise PlanError(why)
    return plan
