"""Which groups and topics a run may touch, decided from what the cluster says."""

from __future__ import annotations

import pytest
from kafka_load.config.profile_types import Mode
from kafka_load.ownership import (
    CLIENT_ID,
    GroupState,
    Sample,
    group_refusals,
    is_own_offset,
    offset_metadata,
    topic_refusals,
)

OWN, ORDERS = offset_metadata(77), ("orders", 0)


def group(
    mode: Mode = "queue", members: tuple[str, ...] | None = (), exists: bool = True, **offsets: str | None
) -> GroupState:
    return GroupState("warehouse", mode, members, {(topic, 0): said for topic, said in offsets.items()}, exists)


def why(state: GroupState, reset: bool = False) -> str:
    return "; ".join(map(str, group_refusals([state], reset)))


@pytest.mark.parametrize(
    "state",
    [
        group(exists=False),
        group(orders=OWN),
        group(orders=OWN, clicks=offset_metadata(5)),
        group(members=None, orders=OWN),
        group("share", None, exists=False),
        group("share", None, exists=True, orders=OWN),
    ],
    ids=["new", "own", "of an earlier run", "members unknown", "new share group", "own share group"],
)
def test_a_group_without_traces_of_others_is_used(state: GroupState) -> None:
    assert why(state) == ""


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (group(orders=OWN, payments=""), "group warehouse has offsets in payments that this harness did not commit"),
        (group(orders=None), "group warehouse has offsets in orders that this harness did not commit"),
        (group("share", None), "share group warehouse exists and was not made by this harness"),
        (group("share", None, orders="other"), "share group warehouse exists and was not made by this harness"),
    ],
)
def test_a_group_that_others_used_is_refused_unless_its_offsets_may_be_reset(state: GroupState, says: str) -> None:
    assert says in why(state)
    assert "--group-prefix" in why(state)
    assert "--reset-offsets" in why(state)
    assert why(state, reset=True) == ""


def test_a_group_with_live_members_is_refused_whatever_its_user_allows() -> None:
    state = group(members=("app", "app"), orders=OWN)
    for reset in (False, True):
        assert why(state, reset) == (
            "group warehouse has 2 live members (client.id app): stop it or give the run's groups other names with"
            " --group-prefix."
        )


def test_members_of_a_killed_run_are_waited_for_but_not_those_of_an_application() -> None:
    assert group(members=(CLIENT_ID, CLIENT_ID)).leaving
    assert not group(members=(CLIENT_ID, "app")).leaving
    assert not group(members=()).leaving


def test_an_offset_is_known_by_its_metadata() -> None:
    assert is_own_offset(offset_metadata(1))
    assert not any(map(is_own_offset, ("", None, "other")))


def test_a_topic_is_written_into_if_it_is_empty_or_begins_and_ends_with_own_records() -> None:
    samples = [Sample("orders", 0, 5, own=True), Sample("orders", 0, 9, own=True)]
    assert topic_refusals(["orders", "clicks"], {ORDERS: 10, ("orders", 1): 0, ("clicks", 0): 0}, samples) == []


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (
            [Sample("orders", 0, 5, own=True), Sample("orders", 0, 9, own=False)],
            "topic orders holds records that this harness did not write (orders-0 at offset 9)",
        ),
        ([], "topic orders was written to before, and no record is left that tells by whom"),
    ],
)
def test_a_topic_that_others_wrote_into_is_refused(samples: list[Sample], says: str) -> None:
    (refusal,) = topic_refusals(["orders"], {ORDERS: 10}, samples)
    assert str(refusal).startswith(says)
    assert "--write-topics orders" in str(refusal)
