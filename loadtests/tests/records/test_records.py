"""Records say who wrote them; whatever is altered, foreign or from another run is told apart."""

from __future__ import annotations

import json
from zlib import compress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.records import ALTERED, FOREIGN, INTACT, decode, encoder

RUN, PRODUCER = 0x1234_5678_9ABC_DEF0, 4_000_000_001
FORMATS = [("json", "order", 0), ("json", "click", 0), ("binary", "", 48), ("binary", "", 100), ("binary", "", 1024)]


def written(format_: str, event: str, size: int, count: int = 50, first: int = 7) -> list[bytes]:
    due = np.arange(count, dtype=np.int64) * 1000 + 1_700_000_000_000_000_000
    keys = np.array([b"c-%06d" % number for number in range(count)], object)
    return encoder(format_, event, size, RUN, PRODUCER)(
        np.full(count, 11, np.int16), np.arange(first, first + count), due, keys
    ).tolist()


@pytest.mark.parametrize(("format_", "event", "size"), FORMATS)
def test_what_is_written_is_read(format_: str, event: str, size: int) -> None:
    values = written(format_, event, size)
    stamps = decode(values)
    assert (stamps.state == INTACT).all()
    assert set(stamps.run.tolist()) == {RUN}
    assert set(stamps.producer.tolist()) == {PRODUCER}
    assert set(stamps.partition.tolist()) == {11}
    assert stamps.sequence.tolist() == list(range(7, 57))
    assert stamps.due_ns.tolist() == [1_700_000_000_000_000_000 + 1000 * i for i in range(50)]
    if format_ == "binary":
        assert {len(value) for value in values} == {size}


@given(st.sampled_from(FORMATS), st.integers(0, 10**6), st.integers(1, 255))
def test_one_changed_byte_is_found(kind: tuple[str, str, int], at: int, flip: int) -> None:
    [value] = written(*kind, count=1)
    changed = bytearray(value)
    changed[at % len(value)] ^= flip
    assert decode([bytes(changed)]).state[0] in (ALTERED, FOREIGN)
    assert decode([value, bytes(changed), value]).state.tolist()[::2] == [INTACT, INTACT]


@pytest.mark.parametrize(("entropy", "least", "most"), [(1.0, 0.9, 1.05), (0.5, 0.45, 0.6), (0.0, 0.0, 0.1)])
def test_a_batch_compresses_to_what_its_entropy_says(entropy: float, least: float, most: float) -> None:
    due, keys = np.arange(900, dtype=np.int64), np.array([b"c"] * 900, object)
    encode = encoder("binary", "", 1_000, RUN, PRODUCER, entropy)
    for first in (0, 900, 3_000, 5_000):  # also where the filling begins again
        batch = encode(np.full(900, 1, np.int16), np.arange(first, first + 900), due, keys).tolist()
        assert (decode(batch).state == INTACT).all()
        whole = b"".join(batch)
        assert least <= len(compress(whole, 6)) / len(whole) <= most


def test_an_order_is_readable_json() -> None:
    order = json.loads(written("json", "order", 0)[0])
    assert order["id"] == "O7"
    assert (order["item"], order["price"], order["customer"]) == ("Tablet", 399.00, "c-000000")
    assert (int(order["run"], 16), order["producer"], order["partition"], order["sequence"]) == (RUN, PRODUCER, 11, 7)


def test_a_batch_may_mix_formats_strangers_and_tombstones() -> None:
    values = [
        None, b"", b"hello", b'{"id": "O1"}', b"CRU1", b"x" * 100, *written("binary", "", 100, 2),
        *written("json", "order", 0, 2), *written("binary", "", 64, 1),
    ]  # fmt: skip
    stamps = decode(values)
    assert stamps.state.tolist() == [FOREIGN] * 4 + [ALTERED, FOREIGN] + [INTACT] * 5
    assert stamps.sequence.tolist()[6:] == [7, 8, 7, 8, 7]


@pytest.mark.parametrize("arguments", [("binary", "", 47), ("json", "cart", 0), ("xml", "order", 0)])
def test_impossible_records_are_refused(arguments: tuple[str, str, int]) -> None:
    with pytest.raises(ValueError, match=r"at least 48 bytes|unknown"):
        encoder(*arguments, RUN, PRODUCER)
