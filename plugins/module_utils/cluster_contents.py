"""What a cluster holds that a change of its mode must not change: topics, settings, quotas, committed offsets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cluster import listed


@dataclass(frozen=True)
class Contents:
    """The contents at one moment.

    `replicas` are those of each partition by its name; `configs` the settings that were set for topics and brokers, by
    what they belong to; `quotas` the limits by entity; `offsets` what each group has committed, by partition.
    """

    replicas: Mapping[str, list[int]] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quotas: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    offsets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def counts(self) -> str:
        """How much of it there is, in words."""
        committed = sum(len(each) for each in self.offsets.values())
        settings = sum(len(each) for each in self.configs.values())
        return (
            f"{len(self.replicas)} partitions, {settings} settings, {len(self.quotas)} quotas,"
            f" {committed} committed offsets of {len(self.offsets)} groups"
        )


def differences(before: Contents, after: Contents) -> Iterator[str]:
    """Yield what was there before and is not as it was, in sentences; what has been added meanwhile is none of it."""
    yield from _changed("the replicas of", before.replicas, after.replicas)
    yield from _changed("the settings of", before.configs, after.configs)
    yield from _changed("the quotas of", before.quotas, after.quotas)
    for group, committed in before.offsets.items():
        now = after.offsets.get(group, {})
        if back := [name for name, offset in committed.items() if now.get(name, -1) < offset]:
            yield f"the committed offsets of {group} have gone back for {listed(back)}"


def refusal(before: Contents, after: Contents) -> str:
    """Return what a migration has changed, or users meanwhile, in sentences that say how to go on; "" for nothing."""
    told = "; ".join(differences(before, after))
    return told and (
        f"The cluster does not hold what it held before this phase was begun: {told}. Where users have changed this"
        " themselves, accept what the cluster holds now with -e migration_accept_changes=yes."
    )


def _changed(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if gone := [name for name in before if name not in after]:
        yield f"{what} {listed(gone)} are gone"
    for name, value in before.items():
        if name in after and after[name] != value:
            yield f"{what} {name} were {value} and are {after[name]}"
