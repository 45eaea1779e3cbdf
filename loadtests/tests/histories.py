"""Histories for the tests of the ledger: what was written to a partition, and who read what of it."""

from __future__ import annotations

from hypothesis import strategies as st
from shop import Entry, Producers, Session


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[list[Session]], Producers]:
    """A log that two producers wrote with losses, duplicates, wrong order and strangers, and members that read it.

    A group member reads stretches of the log; a share-group member is handed any of its records.
    """
    mode = draw(st.sampled_from(["queue", "share"]))
    sent = {producer: draw(st.integers(0, 14)) for producer in (1, 2)}
    written = [(producer, sequence, "ours") for producer, count in sent.items() for sequence in range(count)]
    written = [record for record in written if draw(st.integers(0, 9))]  # some never reach the log
    if draw(st.booleans()):
        written = draw(st.permutations(written))
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["ours", "altered", "foreign", "other"]))
        at = draw(st.integers(0, len(written)))
        again = draw(st.sampled_from(written)) if written else (1, 0, kind)
        extra = draw(st.sampled_from([again[:2], (draw(st.integers(1, 3)), draw(st.integers(0, 20)))]))
        written.insert(at, (*extra, kind))
    offset, log = 0, []
    for producer, sequence, kind in written:
        offset += draw(st.sampled_from([1, 1, 1, 3]))  # gaps: transaction markers, compaction
        log.append(Entry(offset, producer, sequence, kind))
    cut = st.integers(0, len(log))
    session = st.tuples(cut, cut).map(lambda pair: log[min(pair) : max(pair)])
    if mode == "share" and log:
        session = st.sets(st.sampled_from(log)).map(lambda chosen: sorted(chosen, key=lambda entry: entry.offset))
    members = draw(st.lists(st.lists(session, min_size=1, max_size=3), min_size=1, max_size=3))
    fates = {producer: [draw(st.integers(0, 9)) for _ in range(count)] for producer, count in sent.items()}
    acknowledged = {p: {s for s, fate in enumerate(f) if fate > 2} for p, f in fates.items()}
    aborted = {p: {s for s, fate in enumerate(f) if fate == 0} for p, f in fates.items()}
    return mode, members, Producers(sent, acknowledged, aborted)
