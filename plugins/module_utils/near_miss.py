"""Tells a misspelt variable from a stranger's: only what is nearly a name of ours is taken for a typo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

# How many letters may be wrong: in a short name two make another word (kafka_java, kafka_jaas).
LONG_NAME = 13
MOST = 2
# Names that public Kafka roles have for something else: the user of the operating system.
OF_OTHERS = frozenset({"kafka_user"})


def near_miss(names: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is a known one but for a letter or two, with the known one that is nearest.

    Capitals and underscores do not count as letters: `kafka_heapMB` is `kafka_heap_mb`.
    """
    ours = {ours: (plain := _plain(ours), Counter(plain)) for ours in sorted(known)}
    for name in sorted(set(names) - OF_OTHERS):
        plain, letters = _plain(name), Counter(_plain(name))
        candidates = [
            (distance(plain, other), close)
            for close, (other, other_letters) in ours.items()
            if abs(len(plain) - len(other)) <= _allowed(other)
            # Each wrong letter is at most one too many and one too few.
            and max((letters - other_letters).total(), (other_letters - letters).total()) <= _allowed(other)
        ]
        found = min((found for found in candidates if found[0] <= _allowed(_plain(found[1]))), default=None)
        if found:
            yield name, found[1]


def distance(one: str, other: str) -> int:
    """Return how many letters to change, add, drop or swap with their neighbour (optimal string alignment)."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _allowed(plain: str) -> int:
    return MOST if len(plain) >= LONG_NAME else 1
