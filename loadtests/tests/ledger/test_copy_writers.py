"""A record that is in the log twice: at which offsets it can lie, and who wrote it, by the identities found there."""

from __future__ import annotations

import numpy as np
import pytest
from kafka_load.ledger.copies import Doubled, Identity, Writers, attribute, doubled

TOPIC = "orders"
NOBODY = Identity(-1, -1, -1)
TWICE = Doubled(TOPIC, 0, 7, 118, ((10, 10), (20, 20)))


@pytest.mark.parametrize(
    ("identities", "writers"),
    [
        ([Identity(9, 0, 5), Identity(9, 0, 5)], Writers(broker=1)),
        ([Identity(9, 0, 5), Identity(9, 1, 0)], Writers(client=1)),
        ([Identity(9, 0, 5), Identity(8, 0, 5)], Writers(client=1)),
        ([NOBODY, NOBODY], Writers(client=1)),
        ([Identity(9, 0, 5)], Writers(unknown=1)),
        ([], Writers(unknown=1)),
    ],
)
def test_a_copy_under_an_identity_that_is_there_already_is_the_brokers(
    identities: list[Identity], writers: Writers
) -> None:
    assert attribute([(TWICE, identities)]) == writers


def test_of_three_one_may_be_the_brokers_and_one_the_clients() -> None:
    thrice = Doubled(TOPIC, 0, 7, 118, ((10, 10), (20, 20), (30, 30)))
    assert attribute([(thrice, [Identity(9, 0, 5), Identity(9, 1, 0), Identity(9, 1, 0)])]) == Writers(1, 1, 0)


@pytest.mark.parametrize(
    ("identities", "writers"),
    [
        ([], Writers(unknown=2)),
        ([Identity(9, 0, 5)], Writers(unknown=2)),
        ([Identity(9, 0, 5), Identity(9, 0, 5)], Writers(broker=1, unknown=1)),
        ([Identity(9, 0, 5), Identity(9, 1, 0)], Writers(client=1, unknown=1)),
        ([Identity(9, 0, 5)] * 3, Writers(broker=2)),
        ([Identity(0, 0, 0)] * 3, Writers(broker=2)),
        ([NOBODY, Identity(9, 0, 5), Identity(9, 0, 5)], Writers(broker=1, client=1)),
        ([Identity(9, 0, 5)] * 4, Writers(broker=3)),
    ],
)
def test_what_of_three_copies_the_log_does_not_show_is_of_unknown_origin(
    identities: list[Identity], writers: Writers
) -> None:
    thrice = Doubled(TOPIC, 0, 7, 118, ((10, 10), (20, 20), (30, 30)))
    assert attribute([(thrice, identities)]) == writers


def test_the_copies_of_all_records_are_added_up() -> None:
    """And are none where no record is there twice."""
    by_broker, by_client = [Identity(9, 0, 5)] * 2, [Identity(9, 0, 5), Identity(9, 1, 0)]
    of_both = [(TWICE, by_broker), (TWICE, by_client), (TWICE, by_client), (TWICE, []), (TWICE, by_broker)]
    assert attribute(of_both) == Writers(2, 2, 1)
    assert attribute([]) == Writers(0, 0, 0)


def places(start: int, length: int, *rows: tuple[int, int, int, int, int]) -> list[Doubled]:
    return list(doubled(TOPIC, 3, 7, start, length, np.array(rows, np.int64).reshape(-1, 5)))


def test_each_record_of_a_stretch_has_its_place_in_each_run_that_shows_it() -> None:
    """Of the second run two records of other producers lie in between."""
    first, second, elsewhere = (100, 109, 0, 10, 1), (200, 206, 4, 5, 2), (300, 309, 30, 10, 3)
    assert places(4, 3, first, second, elsewhere) == [
        Doubled(TOPIC, 3, 7, 4, ((104, 104), (200, 202))),
        Doubled(TOPIC, 3, 7, 5, ((105, 105), (201, 203))),
        Doubled(TOPIC, 3, 7, 6, ((106, 106), (202, 204))),
    ]


def test_a_run_that_ends_before_a_record_or_begins_behind_it_does_not_show_it() -> None:
    before, after = (100, 104, 0, 5, 1), (200, 204, 5, 5, 2)
    assert [record.places for record in places(4, 2, before, after)] == [((104, 104),), ((200, 200),)]
    assert places(4, 0, before, after) == []
