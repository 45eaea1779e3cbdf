"""Holds a run against its plan: what was asked for, and what of it did not happen.

`Asked` is made of the plan and of the users that Locust was told to spawn, `Done` of what the processes counted. A user
who ends the run early asks for the time until then; a user who spawns other users than the profile asks for those. Each
check is one function that yields the shortfalls it finds; all are pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from kafka_load.clock import SECOND
from kafka_load.config.plan import Plan, switched
from kafka_load.config.profile_types import Presence
from kafka_load.config.rate_steps import step_rate
from kafka_load.config.schedule import Schedule
from kafka_load.output.shortfall import Shortfall
from kafka_load.records.keys import Popularity, key_table

EndedBy = Literal["duration", "saturation", "user", ""]
"""Who ended the load: its time, the search for the highest rate, the user, or nobody knows."""

RECORDS_SHARE = 0.99
"""Share of the planned records that must have been due; see `Asked.exact` for what is less exact."""
INEXACT_SHARE = 0.8
HOLE_S, HOLE_SHARE = 10, 0.75
"""A hole in the load: so many seconds, in each of which less than this share of what was planned was due."""
SIGMAS = 4.0
LIKELY = 20.0
"""A partition that is expected to get so many records gets at least one (but for a chance of e**-20)."""
MANY_KEYS = 100_000
MEMBER_FAULTS = frozenset({"kill_consumer", "pause_consumer"})
"""Marks that say that somebody took members away on purpose."""


@dataclass(frozen=True)
class Producing:
    """A class of users that produce; `own_rate` is records/s of one of them where the profile gives no rate."""

    topic: str
    own_rate: float


@dataclass(frozen=True)
class Asked:
    """What the command line, the profile and the web UI asked for.

    `producers` and `readers` (by the group's name) are the classes of users; `users` says since when (s) how many of
    each class were asked for, first at 0. `partitions` is how many each topic had. `positions` are the rates that the
    search for the sustainable rate asked for, each from so many seconds on (see `rate_steps.step_rate`). `read` are the
    topics that some of the groups read.
    """

    plan: Plan
    producers: Mapping[str, Producing]
    readers: Mapping[str, str]
    users: Sequence[tuple[float, Mapping[str, int]]]
    partitions: Mapping[str, int] = field(default_factory=dict)
    positions: Sequence[tuple[float, float | None]] = ()
    read: Collection[str] = ()

    @property
    def latest(self) -> Mapping[str, int]:
        """How many users of each class were asked for at the end."""
        return self.users[-1][1] if self.users else {}

    @property
    def exact(self) -> bool:
        """The number of planned records is known to the record: nobody comes, goes or is added during the run."""
        return len(self.users) <= 1 and not any(
            self.plan.presence(user).start_s or self.plan.presence(user).away_s for user in self.producers
        )

    @property
    def random(self) -> bool:
        """Arrivals are random, so that their number is too."""
        return any(rate.shape == "poisson" for rate in self.plan.profile.rate.values())

    def records(self, until_s: float, topic: str | None = None) -> float:
        """Records planned until so many seconds after the start (of one topic)."""
        return sum(self._records(user, until_s) for user, made in self.producers.items() if topic in (None, made.topic))

    def least(self, until_s: float, topic: str | None = None) -> float:
        """Records (of one topic) that are due at least if all goes by the plan: rounding and chance taken off."""
        expected = self.records(until_s, topic)
        rounding = sum(self.latest.get(user, 0) for user, made in self.producers.items() if topic in (None, made.topic))
        return max(0.0, expected - rounding - (SIGMAS * math.sqrt(expected) if self.random else 0.0))

    def highest(self, user: str, until_s: float) -> tuple[float, float]:
        """The highest rate (records/s) of a class: as planned, and as far as a run of so many seconds comes."""
        rate = self.plan.rate(user)
        if rate is None:
            return 0.0, 0.0
        whole, until_ns = self._schedule(user), until_s * SECOND
        reached = [
            max(start, start + (stop - start) * min(1.0, (until_ns - begin) / (end - begin)))
            for (begin, end), start, stop in zip(pairwise(whole.times_ns), whole.starts, whole.ends, strict=True)
            if begin < until_ns and end > begin
        ]
        return rate.highest, max(reached, default=0.0)

    def _schedule(self, user: str) -> Schedule:
        whole, rate = self.plan.whole_schedule(user, self.producers[user].own_rate, 0), self.plan.rate(user)
        if rate is None or rate.shape != "steps":
            return whole
        rates = [(at_s, step_rate(rate, position)) for at_s, position in self.positions]
        return switched(whole, rates, self.plan.profile.duration_s)

    def _records(self, user: str, until_s: float) -> float:
        whole = self._schedule(user)
        changes = [*self.users, (until_s, {})]
        total = 0.0
        for (begin, counts), (end, _) in pairwise(changes):
            factor = self.plan.share(user, self.users[0][1].get(user, 0)) * counts.get(user, 0)
            if self.plan.rate_is_total and not self.users[0][1].get(user, 0):
                factor = 1.0  # the rate was asked for, whoever is to produce it
            for start, stop in present(self.plan.presence(user), begin, min(end, until_s)):
                total += factor * (whole.expected(stop * SECOND) - whole.expected(start * SECOND))
        return total


@dataclass(frozen=True)
class Done:
    """What happened: the load lasted `load_s`; counts of records, and of engines by their class of users.

    `due_by_topic` is what of `due` was each topic's; empty if nobody counted it. `hole_s` is the longest time in which
    too little was due, and `hole_records` what was missing in it. `sent` and
    `acknowledged` are by partition (topic and number). `gone` are topics that somebody deleted.
    """

    load_s: float
    ended_by: EndedBy
    due: int = 0
    due_by_topic: Mapping[str, int] = field(default_factory=dict)
    started: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    present: Mapping[str, int] = field(default_factory=dict)
    hole_s: int = 0
    hole_records: float = 0.0
    sent: Mapping[tuple[str, int], int] = field(default_factory=dict)
    acknowledged: Mapping[tuple[str, int], int] = field(default_factory=dict)
    faults: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def not_acknowledged(self, topic: str) -> int:
        """How many records that were sent to a topic got no acknowledgement."""
        return sum(self.sent[where] - self.acknowledged.get(where, 0) for where in self.sent if where[0] == topic)


def shortfalls(asked: Asked, done: Done) -> list[Shortfall]:
    """All that was planned and did not happen."""
    if not asked.users:  # the run never began
        return list(_duration(asked, done))
    return [found for check in CHECKS for found in check(asked, done)]


def present(presence: Presence, begin_s: float, end_s: float) -> Iterator[tuple[float, float]]:
    """When a user with this presence is there between two times, as (from, to) in seconds."""
    start = presence.start_s
    while start < end_s:
        stop = start + presence.stay_s if presence.away_s else math.inf
        if max(start, begin_s) < min(stop, end_s):
            yield max(start, begin_s), min(stop, end_s)
        start = stop + presence.away_s


class HoleFinder:
    """Looks for the longest time in which too little was due, second by second; keeps no second."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.longest_s, self.records = 0, 0.0
        self._open_s, self._open_records = 0, 0.0
        self._before = 0.0

    def add(self, second: int, due: int) -> None:
        """Take the next second of the load."""
        until = self.asked.records(min(second + 1, self.asked.plan.profile.duration_s))
        planned, self._before = until - self._before, until
        if due < HOLE_SHARE * planned:
            self._open_s += 1
            self._open_records += planned - due
            if self._open_s > self.longest_s:
                self.longest_s, self.records = self._open_s, self._open_records
        else:
            self._open_s, self._open_records = 0, 0.0


def likely_partitions(popularity: Popularity, partitions: int, records: float) -> list[int]:
    """The partitions of a topic that so many records with these keys reach for certain, as far as chance allows."""
    if popularity.keys > MANY_KEYS and not popularity.file:
        return list(range(partitions)) if records / partitions >= LIKELY else []
    owner = key_table(popularity, partitions).partitions
    share = np.bincount(owner, popularity.weights(), minlength=partitions)
    return [int(number) for number in np.flatnonzero(share * records >= LIKELY)]


def _duration(asked: Asked, done: Done) -> Iterator[Shortfall]:
    planned = asked.plan.profile.duration_s
    if done.load_s < planned and not done.ended_by:
        sentence = f"the load ended after {done.load_s:.1f} s of {planned:g} s, and the user did not end it"
        yield Shortfall("duration_s", planned, round(done.load_s, 3), sentence)


def _records(asked: Asked, done: Done) -> Iterator[Shortfall]:
    until_s, share = min(done.load_s, asked.plan.profile.duration_s), RECORDS_SHARE if asked.exact else INEXACT_SHARE
    least = asked.least(until_s)
    if done.due < least * share:
        sentence = f"only {done.due:,} of {least:,.0f} planned records were due: the load was not what was asked for"
        yield Shortfall("records", round(least), done.due, sentence)
        return
    # What is missing of a topic with a low rate is too little to be seen in the sum.
    for topic in sorted({made.topic for made in asked.producers.values()} if done.due_by_topic else ()):
        least, due = asked.least(until_s, topic), done.due_by_topic.get(topic, 0)
        if due < least * share:
            sentence = f"only {due:,} of {least:,.0f} planned records of {topic} were due"
            yield Shortfall(f"records.{topic}", round(least), due, sentence)


def _rate_over_time(asked: Asked, done: Done) -> Iterator[Shortfall]:
    missing = asked.records(min(done.load_s, asked.plan.profile.duration_s)) - done.due
    if done.hole_s >= HOLE_S and asked.exact and done.hole_records >= LIKELY and missing >= done.hole_records / 2:
        sentence = f"for {done.hole_s} s on end less than {HOLE_SHARE:.0%} of the planned records were due"
        yield Shortfall("longest_hole_s", 0, done.hole_s, sentence)


def _highest_rate(asked: Asked, done: Done) -> Iterator[Shortfall]:
    if done.ended_by == "saturation" or asked.positions:
        return
    for user in asked.producers:
        planned, reached = asked.highest(user, min(done.load_s, asked.plan.profile.duration_s))
        if reached < RECORDS_SHARE * planned:
            sentence = (
                f"{user} was to reach {planned:,.0f} records/s and in {done.load_s:.0f} s came to {reached:,.0f} only:"
                " the run was too short for the profile"
            )
            yield Shortfall(f"highest_rate.{user}", planned, round(reached, 1), sentence)


def _users(asked: Asked, done: Done) -> Iterator[Shortfall]:
    total = sum(asked.latest.values())
    for user in (*asked.producers, *asked.readers):
        planned, presence = asked.latest.get(user, 0), asked.plan.presence(user)
        started, there = done.started.get(user, 0), done.present.get(user, 0)
        if not planned:
            sentence = f"none of the {total} users was one of {user}: give --users at least the profile's number"
            yield Shortfall(f"users.{user}", 1, 0, sentence)
        elif presence.start_s >= done.load_s:
            sentence = f"{user} was to come after {presence.start_s:g} s, and the load lasted {done.load_s:.1f} s"
            yield Shortfall(f"users.{user}", planned, 0, sentence)
        elif started < planned:
            sentence = f"{planned} users of {user} were asked for, and {started} ever began"
            yield Shortfall(f"users.{user}", planned, started, sentence)
        elif not presence.away_s and there < planned and not (user in asked.readers and done.faults & MEMBER_FAULTS):
            sentence = f"{planned} users of {user} were asked for, and {there} were there at the end"
            yield Shortfall(f"users.{user}", planned, there, sentence)


def _coming_and_going(asked: Asked, done: Done) -> Iterator[Shortfall]:
    for user in (*asked.producers, *asked.readers):
        presence = asked.plan.presence(user)
        if presence.away_s and asked.latest.get(user, 0) and not done.left.get(user, 0):
            sentence = f"{user} was to leave after {presence.stay_s:g} s and come back, and never left"
            yield Shortfall(f"left.{user}", asked.latest[user], 0, sentence)


def _readers(asked: Asked, done: Done) -> Iterator[Shortfall]:
    if not asked.readers:  # The verdict says that of the whole run.
        return
    for topic in sorted({made.topic for made in asked.producers.values()}.difference(asked.read)):
        if sum(sent for where, sent in done.sent.items() if where[0] == topic):
            sentence = f"no group reads {topic}, so nothing shows that its acknowledged records are there"
            yield Shortfall(f"readers.{topic}", 1, 0, sentence)


def _partitions(asked: Asked, done: Done) -> Iterator[Shortfall]:
    for topic, partitions in asked.partitions.items():
        popularity = asked.plan.records(topic).popularity
        records = asked.records(min(done.load_s, asked.plan.profile.duration_s), topic)
        for number in likely_partitions(popularity, partitions, records) if records else ():
            sent = done.sent.get((topic, number), 0)
            if not done.acknowledged.get((topic, number), 0):
                sentence = f"nothing was acknowledged in {topic}-{number}, to which {sent:,} records were sent"
                certain = sent >= LIKELY and topic not in done.gone
                outcome: Literal["fail", "inconclusive"] = "fail" if certain else "inconclusive"
                yield Shortfall(f"partition.{topic}-{number}", 1, 0, sentence, outcome)


CHECKS: tuple[Callable[[Asked, Done], Iterator[Shortfall]], ...] = (
    *(_duration, _records, _rate_over_time, _highest_rate, _users, _coming_and_going, _readers, _partitions),
)
