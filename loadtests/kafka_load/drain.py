"""The drain: how far each group has still to read once the producers have flushed.

A group is drained when it has passed the end of each log that was written to in the run. It is not drained when it had
no member at all, and it is not known to be drained where the end of a log could not be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .ledger import Drain, ReaderSnapshot, TopicPartition, undrained
from .readiness import Group


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


def drains(
    groups: Sequence[Group], readers: Collection[ReaderSnapshot], ends: LogEnds, *, cut_short: bool = False
) -> dict[str, Drain]:
    """How far each of the groups has still to read."""
    found = {}
    for group in groups:
        own = {tp: end for tp, end in ends.known.items() if tp[0] in group.topics}
        left = undrained(readers, group.name, own)
        unread: dict[TopicPartition, int | None] = {tp: min(n, ends.written.get(tp, n)) for tp, n in left.items()}
        unread |= {tp: None for tp, end in ends.ends.items() if end is None and tp[0] in group.topics}
        joined = any(reader.group == group.name for reader in readers)
        found[group.name] = Drain(unread, joined, cut_short and bool(unread))
    return found


def worth_waiting_for(drain: Drain) -> bool:
    """Whether more time may help: a group without a member reads nothing, and an unknown end stays unknown."""
    return drain.joined and drain.offsets > 0
