"""What happened to the topics of a run while it was on: deleted and made again, compacted, cut off, given partitions.

Each of these makes honest records look lost, out of order or written twice, or leaves logs that nobody wrote into. So
it is named, and what it makes unknowable is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

TopicPartition = tuple[str, int]
Kind = Literal["recreated", "deleted", "compacted", "partitions_added", "truncated"]


@dataclass(frozen=True)
class TopicState:
    """A topic as the cluster describes it; what it does not tell is None."""

    partitions: int
    topic_id: str | None = None
    cleanup_policy: str | None = None


@dataclass(frozen=True)
class TopicChange:
    """Something that happened to a topic, first seen at `at_s` of the run."""

    kind: Kind
    topic: str
    at_s: float
    what: str

    @property
    def sentence(self) -> str:
        """What it means for the verdict."""
        return f"topic {self.topic} {self.what}{_MEANS[self.kind]}"


_MEANS: dict[Kind, str] = {
    "recreated": ": its records were deleted with it, so the run proves nothing about them",
    "deleted": ": its records were deleted with it, so the run proves nothing about them",
    "compacted": ": a record may be removed once there is a later one of its key, so what a group was not given is not"
    " called lost",
    "partitions_added": ": the run's producers write into the partitions that were there when they began, so the run"
    " proves nothing about the others",
    "truncated": ": records that were in the log are not there any more",
}
INCONCLUSIVE: frozenset[Kind] = frozenset({"recreated", "deleted", "partitions_added"})
"""What keeps a run from proving anything. A compacted topic does only where a record is missing; a log that was cut off
shows in what was lost and what diverged."""


def unwatched(error: str | None, *, described_last: bool) -> list[str]:
    """Why a change of a topic may not have been seen, in sentences; empty if all were.

    Args:
        error: What ended the watch before its time.
        described_last: Whether the cluster described the topics once more after the run.
    """
    if error:
        return [f"the cluster was not watched until the end ({error}), so a change of a topic may not have been seen"]
    if not described_last:
        return ["the cluster did not describe the topics after the run, so a change of one may not have been seen"]
    return []


def untold(states: Mapping[str, TopicState | None]) -> list[str]:
    """Which topics may be compacted without being known to be, in a sentence; empty if there are none."""
    unknown = sorted(topic for topic, state in states.items() if state is not None and state.cleanup_policy is None)
    if not unknown:
        return []
    return [
        f"the cluster does not tell this user the cleanup.policy of {', '.join(unknown)} (it lacks an ACL for"
        " DescribeConfigs): what a compaction removes there is called lost"
    ]


@dataclass(frozen=True)
class Truncation:
    """A log that ended at `before` ended at the lower offset `after` when it was looked at, at `at_ns`."""

    before: int
    after: int
    at_ns: int


@dataclass
class TopicHistory:
    """Collects what is seen of the topics, and what has changed since the first look."""

    changes: list[TopicChange] = field(default_factory=list)
    truncations: dict[TopicPartition, Truncation] = field(default_factory=dict)
    _states: dict[str, TopicState] = field(default_factory=dict)
    _ends: dict[TopicPartition, int] = field(default_factory=dict)

    def look(
        self,
        states: Mapping[str, TopicState | None],
        ends: Mapping[TopicPartition, int],
        at_s: float,
        at_ns: int,
    ) -> list[TopicChange]:
        """Take what the cluster says now (None: there is no such topic); returns what is new.

        The topics and their logs are asked for at different times: the log of a topic that was made again may be seen
        before the new topic is. So what was taken for a truncation of a topic that is found to be deleted is dropped.
        """
        fresh = [change for topic, now in states.items() for change in self._look_at(topic, now, at_s)]
        gone = {change.topic for change in [*self.changes, *fresh] if change.kind in ("recreated", "deleted")}
        self.changes = [one for one in self.changes if one.kind != "truncated" or one.topic not in gone]
        self.truncations = {tp: cut for tp, cut in self.truncations.items() if tp[0] not in gone}
        for tp, end in ends.items():
            before = self._ends.get(tp, 0)
            self._ends[tp] = end
            if end < before and tp[0] not in gone and tp not in self.truncations:
                self.truncations[tp] = Truncation(before, end, at_ns)
                what = f"partition {tp[1]} was cut off at {at_s:.1f} s: its log ended at {before} and then at {end}"
                fresh.append(TopicChange("truncated", tp[0], at_s, what))
        self.changes += fresh
        return fresh

    def of(self, *kinds: Kind) -> frozenset[str]:
        """The topics to which one of these happened."""
        return frozenset(change.topic for change in self.changes if change.kind in kinds)

    def _look_at(self, topic: str, now: TopicState | None, at_s: float) -> list[TopicChange]:
        before = self._states.get(topic)
        if now is None:
            if before is None or topic in self.of("deleted"):
                return []
            return [TopicChange("deleted", topic, at_s, f"was deleted at {at_s:.1f} s")]
        if before is None:
            self._states[topic] = now
            return self._compacted(topic, now, at_s, first=True)
        if before.topic_id == now.topic_id is not None:  # a broker that did not know the topic yet said it was gone
            self.changes = [one for one in self.changes if (one.kind, one.topic) != ("deleted", topic)]
        if before.topic_id and now.topic_id and now.topic_id != before.topic_id:
            what = f"was deleted and made again at {at_s:.1f} s (id {before.topic_id}, then {now.topic_id})"
            self._states[topic] = now
            return [TopicChange("recreated", topic, at_s, what)]
        fresh = self._compacted(topic, now, at_s, first=False)
        if now.partitions > before.partitions:
            what = f"went from {before.partitions} to {now.partitions} partitions at {at_s:.1f} s"
            fresh.append(TopicChange("partitions_added", topic, at_s, what))
        # A broker that is behind tells fewer partitions; no topic ever loses one.
        most = max(now.partitions, before.partitions)
        self._states[topic] = replace(now, partitions=most, topic_id=now.topic_id or before.topic_id)
        return fresh

    def _compacted(self, topic: str, now: TopicState, at_s: float, *, first: bool) -> list[TopicChange]:
        if "compact" not in (now.cleanup_policy or "") or topic in self.of("compacted"):
            return []
        since = "" if first else f" since {at_s:.1f} s"
        return [TopicChange("compacted", topic, at_s, f"is compacted{since} (cleanup.policy={now.cleanup_policy})")]
