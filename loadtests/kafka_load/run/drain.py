"""The drain: how far each group has still to read once the producers have flushed.

A group is drained when it has passed the end of each log that was written to in the run. It is not drained when it had
no member at all, and it is not known to be drained where the end of a log could not be read.

A share group passes over no offsets: it is drained when it was given each acknowledged record. A record that it was not
given is lost once it has settled: a member that died, or handed a record back, keeps it no longer than the group's
`share.record.lock.duration.ms`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field

from kafka_load.ledger import (
    Drain,
    LedgerSnapshot,
    TopicPartition,
    accounts_of,
    not_given,
    undrained,
)
from kafka_load.run.readiness import Group

LOCK_S, MARGIN_S = 30.0, 5.0
"""Kafka's default of how long a member of a share group may keep a record, and what a broker takes to see its end."""


@dataclass(frozen=True)
class LogEnds:
    """The logs' ends after the last acknowledgement, of the partitions that were written to; None: not readable.

    `written` is how many offsets were added to each; `why` says why some ends could not be read.
    """

    ends: Mapping[TopicPartition, int | None] = field(default_factory=dict)
    written: Mapping[TopicPartition, int] = field(default_factory=dict)
    why: str = ""

    @classmethod
    def since(cls, begin: Mapping[TopicPartition, int], now: Mapping[TopicPartition, int], why: str = "") -> LogEnds:
        """What was written to since the logs ended at `begin`. A log that was lost is shorter than before."""
        changed: dict[TopicPartition, int | None] = {tp: end for tp, end in now.items() if end != begin.get(tp, 0)}
        unreadable = dict.fromkeys(begin.keys() - now.keys())
        written = {tp: end - begin.get(tp, 0) for tp, end in now.items() if end > begin.get(tp, 0)}
        return cls(changed | unreadable, written, why)

    @property
    def unreadable(self) -> str:
        """The partitions whose end could not be read, in words."""
        names = [f"{topic}-{number}" for (topic, number), end in sorted(self.ends.items()) if end is None]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

    @property
    def known(self) -> dict[TopicPartition, int]:
        """Those that could be read."""
        return {tp: end for tp, end in self.ends.items() if end is not None}


class Silence:
    """For how long each group has been given nothing."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def seconds(self, group: str, given: int, now_s: float) -> float:
        """How long it is that the group had been given less than `given` records, at `now_s`."""
        before = self._since.get(group)
        if before is None or before[0] != given:
            before = self._since[group] = (given, now_s)
        return now_s - before[1]


def drains(
    groups: Sequence[Group],
    snapshots: Collection[LedgerSnapshot],
    ends: LogEnds,
    *,
    cut_short: bool = False,
    settled: Container[str] = (),
) -> dict[str, Drain]:
    """How far each of the groups has still to read; `settled` are share groups, see `Drain`."""
    readers = [reader for snapshot in snapshots for reader in snapshot.readers]
    accounts = accounts_of(producer for snapshot in snapshots for producer in snapshot.producers)
    found = {}
    for group in groups:
        done = group.mode == "share" and group.name in settled
        unread: dict[TopicPartition, int | None]
        if group.mode == "share":
            # What is left of a log may be transaction markers, of which nobody tells its members; and a record that
            # one of them handed back lies before what others were given.
            left = not_given(readers, group.name, accounts)
            unread = {tp: n.last if done else n.records for tp, n in left.items() if n.last or not done}
        else:
            own = {tp: end for tp, end in ends.known.items() if tp[0] in group.topics}
            passed = undrained(readers, group.name, own)
            unread = {tp: min(n, ends.written.get(tp, n)) for tp, n in passed.items()}
        unread |= {tp: None for tp, end in ends.ends.items() if end is None and tp[0] in group.topics}
        joined = any(reader.group == group.name for reader in readers)
        found[group.name] = Drain(unread, joined, cut_short and bool(unread), done)
    return found


def worth_waiting_for(drain: Drain) -> bool:
    """Whether more time may help: a group without a member reads nothing, and an unknown end stays unknown."""
    return drain.joined and drain.offsets > 0 and not drain.settled


def settled_groups(
    groups: Sequence[Group],
    snapshots: Collection[LedgerSnapshot],
    silence: Silence,
    locks_s: Mapping[str, float],
    now_s: float,
) -> set[str]:
    """The share groups that were given nothing for longer than their members may keep a record: `locks_s` by name."""
    found = set()
    for group in groups:
        if group.mode == "share":
            members = [r for snapshot in snapshots for r in snapshot.readers if r.group == group.name]
            given = sum(log.delivered for member in members for log in member.streams.values())
            if silence.seconds(group.name, given, now_s) > locks_s.get(group.name, LOCK_S) + MARGIN_S:
                found.add(group.name)
    return found
