"""The change of the authority, phase by phase: what is trusted, who signs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.authority_change import (
    ABANDON,
    FINISH,
    NO_CHANGE,
    REISSUE,
    TRUST_BOTH,
    Folder,
    Node,
    needs_renewal,
    next_step,
    phase,
    refusals,
    target,
)

OLD, NEW = "old", "new"
ALONE = Folder([OLD])
MADE = Folder([OLD], NEW)
BOTH = Folder([OLD, NEW], NEW)
REISSUED = Folder([NEW, OLD], NEW)
FINISHED = Folder([NEW], retired=True)
CHANGES = (NO_CHANGE, TRUST_BOTH, REISSUE, FINISH, ABANDON)


def refused(folder: Folder, change: str, nodes: Sequence[Node] = (), absent: Sequence[str] = ()) -> list[str]:
    return list(refusals(folder, change, nodes, absent))


def three(trusted: Sequence[str], signer: str, unfinished: bool = False) -> list[Node]:
    return [Node(f"kafka{number}", trusted, signer, unfinished) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("folder", "change", "trusted", "reached"),
    [
        (Folder([]), NO_CHANGE, [], NO_CHANGE),
        (ALONE, NO_CHANGE, [OLD], NO_CHANGE),
        (MADE, NO_CHANGE, [OLD], NO_CHANGE),
        (ALONE, TRUST_BOTH, [OLD], NO_CHANGE),  # until there is another one
        (MADE, TRUST_BOTH, [OLD, NEW], TRUST_BOTH),
        (BOTH, NO_CHANGE, [OLD, NEW], TRUST_BOTH),
        (BOTH, TRUST_BOTH, [OLD, NEW], TRUST_BOTH),
        (BOTH, REISSUE, [NEW, OLD], REISSUE),
        (REISSUED, NO_CHANGE, [NEW, OLD], REISSUE),
        (REISSUED, REISSUE, [NEW, OLD], REISSUE),
        (REISSUED, TRUST_BOTH, [OLD, NEW], TRUST_BOTH),
        (REISSUED, FINISH, [NEW], NO_CHANGE),
        (FINISHED, FINISH, [NEW], NO_CHANGE),
        (BOTH, ABANDON, [OLD], NO_CHANGE),
        (ALONE, ABANDON, [OLD], NO_CHANGE),
        (MADE, ABANDON, [OLD], NO_CHANGE),
    ],
)
def test_each_phase_says_who_is_trusted_and_who_signs(
    folder: Folder, change: str, trusted: list[str], reached: str
) -> None:
    assert refused(folder, change) == []
    assert target(folder, change) == trusted
    assert phase(Folder(trusted, folder.following)) == reached


FIRST = "Declare it first."


@pytest.mark.parametrize(
    ("folder", "change", "sentence"),
    [
        (ALONE, REISSUE, f"no change of the authority has begun; trust_both comes before reissue. {FIRST}"),
        (ALONE, FINISH, f"no change of the authority has begun; trust_both comes before finish. {FIRST}"),
        (FINISHED, REISSUE, f"no change of the authority has begun; trust_both comes before reissue. {FIRST}"),
        (BOTH, FINISH, f"the change of the authority is in phase trust_both; reissue comes before finish. {FIRST}"),
        (
            REISSUED,
            ABANDON,
            f"the change of the authority is in phase reissue; trust_both comes before abandon. {FIRST}",
        ),
        (
            Folder([NEW], NEW),
            TRUST_BOTH,
            "the run that finished the last change was interrupted. Run without it first.",
        ),
        *(
            (Folder([]), change, f"there is no authority to be changed yet; run without {change} first.")
            for change in CHANGES[1:]
        ),
    ],
)
def test_a_phase_that_would_be_skipped_is_refused(folder: Folder, change: str, sentence: str) -> None:
    assert refused(folder, change) == [f"tls_authority_change: {sentence}"]


def test_a_folder_without_an_authority_is_refused_where_nodes_trust_one() -> None:
    sentence = "tls_authority_dir: /srv/ca has no authority, though nodes trust one. Put the folder back."
    for change in CHANGES:
        assert refused(Folder([], path="/srv/ca"), change, [Node("kafka1"), *three([OLD], OLD)]) == [sentence]
    assert refused(Folder([]), NO_CHANGE, [Node("kafka1")]) == []


@pytest.mark.parametrize("folder", [Folder([OLD, NEW]), Folder([OLD, NEW], "third"), Folder([OLD, NEW, "third"], NEW)])
def test_a_folder_that_no_run_has_left_so_is_refused(folder: Folder) -> None:
    assert refused(folder, NO_CHANGE) == [
        "tls_authority_dir: ca.crt has several certificates, and next.crt is not one of two. Put the folder back as the"
        " last run left it."
    ]


@pytest.mark.parametrize("change", [NO_CHANGE, TRUST_BOTH])
def test_an_authority_that_nodes_do_not_know_is_refused(change: str) -> None:
    nodes = [Node("kafka1"), Node("kafka3", ["another"]), Node("kafka2", ["another"])]
    assert refused(ALONE, change, nodes) == [
        "tls_authority_dir: its authority is not trusted by kafka2, kafka3, so that nodes would refuse each other until"
        " the last has been restarted. Put the former authority's folder back; to replace an authority, set"
        " tls_authority_change (docs/certificates.md)."
    ]


def early(change: str, names: str, what: str) -> str:
    return (
        f"tls_authority_change: {change} is too early: {what} {names}. Run without it first, which finishes the"
        " phase before."
    )


NOT_TRUSTED = "the authority that would sign is not trusted by"
NO_LONGER_TRUSTED = "the authority would no longer be trusted that signed the certificate of"
NOT_RESTARTED = "a restart with the certificates that are there is due for"


@pytest.mark.parametrize(
    ("folder", "change", "last", "sentences"),
    [
        (BOTH, REISSUE, Node("kafka3", [OLD], OLD), [early(REISSUE, "kafka3", NOT_TRUSTED)]),
        (BOTH, REISSUE, Node("kafka3", [OLD, NEW], OLD, True), [early(REISSUE, "kafka3", NOT_RESTARTED)]),
        (
            BOTH,
            REISSUE,
            Node("kafka3", [OLD], OLD, True),
            [early(REISSUE, "kafka3", w) for w in (NOT_TRUSTED, NOT_RESTARTED)],
        ),
        (BOTH, REISSUE, Node("kafka3"), []),
        (REISSUED, FINISH, Node("kafka3", [OLD, NEW], OLD), [early(FINISH, "kafka3", NO_LONGER_TRUSTED)]),
        (REISSUED, FINISH, Node("kafka3", [OLD, NEW], NEW, True), [early(FINISH, "kafka3", NOT_RESTARTED)]),
        (REISSUED, FINISH, Node("kafka3", [OLD, NEW], ""), []),  # It gets another one in that run.
        (REISSUED, TRUST_BOTH, Node("kafka3", [OLD, NEW], NEW, True), [early(TRUST_BOTH, "kafka3", NOT_RESTARTED)]),
        (BOTH, ABANDON, Node("kafka3", [OLD, NEW], NEW), [early(ABANDON, "kafka3", NO_LONGER_TRUSTED)]),
        (BOTH, TRUST_BOTH, Node("kafka3", [OLD, NEW], OLD, True), []),
        (MADE, TRUST_BOTH, Node("kafka3", [OLD], OLD, True), []),
        (ALONE, TRUST_BOTH, Node("kafka3", [OLD], OLD, True), []),
    ],
)
def test_a_phase_begins_when_each_node_has_the_one_before(
    folder: Folder, change: str, last: Node, sentences: list[str]
) -> None:
    others = [Node(name, [OLD, NEW], NEW if folder is REISSUED else OLD) for name in ("kafka1", "kafka2")]
    assert refused(folder, change, [*others, last]) == sentences


def test_all_nodes_that_are_not_ready_are_named_in_one_sentence() -> None:
    assert refused(BOTH, REISSUE, three([OLD], OLD)) == [early(REISSUE, "kafka1, kafka2, kafka3", NOT_TRUSTED)]


@pytest.mark.parametrize(
    ("node", "what"),
    [(Node("kafka1", [OLD, NEW], OLD), NO_LONGER_TRUSTED), (Node("kafka1", [OLD, NEW], NEW, True), "")],
)
def test_a_folder_from_before_the_last_run_is_refused(node: Node, what: str) -> None:
    told = [f"tls_authority_dir: {what} kafka1. Put the folder back as the last run left it."] if what else []
    assert refused(FINISHED, NO_CHANGE, [node]) == told
    assert refused(BOTH, NO_CHANGE, [Node("kafka1", [NEW], NEW)]) == [
        f"tls_authority_dir: {NOT_TRUSTED} kafka1. Put the folder back as the last run left it."
    ]


@pytest.mark.parametrize(
    ("folder", "change"), [(ALONE, TRUST_BOTH), (BOTH, REISSUE), (REISSUED, FINISH), (BOTH, ABANDON)]
)
def test_a_part_of_the_cluster_is_not_brought_to_another_phase(folder: Folder, change: str) -> None:
    assert refused(folder, change, absent=["kafka3", "kafka2"]) == [
        f"tls_authority_change: {change} is for the whole cluster; this run leaves out kafka2, kafka3."
    ]
    assert refused(folder, NO_CHANGE, absent=["kafka3"]) == []
    assert refused(FINISHED, FINISH, absent=["kafka3"]) == []


def test_what_to_do_next_is_told() -> None:
    assert next_step(BOTH, NO_CHANGE) == (
        "The nodes trust both authorities; the former one signs. Give ca.crt of tls_authority_dir to all clients, then"
        " run with tls_authority_change=reissue. (abandon goes back.)"
    )
    assert next_step(REISSUED, REISSUE) == (
        "The nodes show certificates of the new authority and trust both. When every client trusts the new one and has"
        " new certificates, if it shows any, run with tls_authority_change=finish. (trust_both goes back.)"
    )
    alone = "One authority is trusted alone. The files of the other one are in retired/ of tls_authority_dir."
    assert (next_step(FINISHED, FINISH), next_step(ALONE, ABANDON)) == (alone, alone)
    assert [next_step(folder, NO_CHANGE) for folder in (Folder([]), ALONE, FINISHED)] == ["", "", ""]
    assert next_step(ALONE, TRUST_BOTH) == ""


@pytest.mark.parametrize(("left_days", "needed"), [(394.9, True), (395, False), (-1, True)])
def test_an_authority_is_renewed_before_what_it_signs_would_outlive_it(left_days: float, needed: bool) -> None:
    assert needs_renewal(ALONE, NO_CHANGE, left_days, 395) is needed


@pytest.mark.parametrize(
    ("folder", "change"), [(Folder([]), NO_CHANGE), (BOTH, NO_CHANGE), (REISSUED, REISSUE), (ALONE, TRUST_BOTH)]
)
def test_an_authority_that_is_being_replaced_is_not_renewed(folder: Folder, change: str) -> None:
    assert needs_renewal(folder, change, 1, 395) is False


def steps(way: Sequence[str]) -> Iterator[Sequence[str]]:
    """Each state of the folder on a way, as trusted authorities, without the runs that are refused."""
    folder = ALONE
    for change in way:
        if change == TRUST_BOTH and phase(folder) == NO_CHANGE:
            folder = Folder(folder.trusted, NEW, folder.retired)
        if refused(folder, change):
            continue
        after = target(folder, change)
        yield after
        gone = {*folder.trusted} - {*after}
        folder = Folder(after, folder.following if len(after) > 1 else "", folder.retired or bool(gone))
        if folder.trusted == [NEW]:
            return


def test_on_every_way_nodes_of_two_phases_in_a_row_trust_each_other() -> None:
    """While nodes are restarted one by one, in any order, those before and after trust whom the others show."""
    ends = set()
    for way in product(CHANGES[1:], repeat=5):
        before = ALONE.trusted
        for after in steps(way):
            assert before[0] in after
            assert after[0] in before
            before = after
        ends.add(tuple(before))
    assert ends == {(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)}
