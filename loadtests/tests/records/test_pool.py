"""Records of many sizes and of a user's own content are read back as they were written."""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from kafka_load.records import ALTERED, INTACT, decode, encoder, pool

RUN, PRODUCER = 77, 5
SIZES = ((48, 1.0), (49, 1.0), (100, 6.0), (5_001, 2.0))


def written(count: int = 1_000, entropy: float = 1.0, **chosen: object) -> list[bytes]:
    encode = encoder("binary", "", 0, RUN, PRODUCER, entropy, **chosen)  # type: ignore[arg-type]  # one of two names
    keys = np.full(count, b"k", object)
    return encode(np.full(count, 3, np.int16), np.arange(count), np.full(count, 9), keys).tolist()


def test_what_is_written_in_many_sizes_is_read_and_each_size_has_its_share() -> None:
    values = written(20_000, sizes=SIZES)
    stamps = decode(values)
    assert set(stamps.state.tolist()) == {INTACT}
    assert stamps.sequence.tolist() == list(range(20_000))
    assert set(stamps.producer.tolist()) == {PRODUCER}
    assert set(stamps.partition.tolist()) == {3}
    shares = {size: number / 20_000 for size, number in Counter(map(len, values)).items()}
    assert shares == pytest.approx({size: share / 10 for size, share in SIZES}, abs=0.02)
    encode = encoder("binary", "", 0, RUN, PRODUCER, 1.0, SIZES)
    assert encode.mean_size == pytest.approx(sum(map(len, values)) / 20_000, rel=0.1)


@pytest.mark.parametrize("place", [0, 8, 30, 47, 48, -1])
def test_a_changed_byte_is_found_wherever_it_is(place: int) -> None:
    values = written(20, sizes=((301, 1.0), (999, 1.0)))
    changed = [value[:place] + bytes([value[place] ^ 4]) + value[place:][1:] for value in values]
    states = decode(changed).state.tolist()
    assert INTACT not in states
    assert place == 0 or set(states) == {ALTERED}


@pytest.mark.parametrize(("entropy", "least", "most"), [(1.0, 0.9, 1.05), (0.0, 0.0, 0.2)])
def test_a_batch_of_many_sizes_compresses_to_what_its_entropy_says(entropy: float, least: float, most: float) -> None:
    batch = b"".join(written(900, entropy, sizes=((500, 1.0), (1_000, 1.0))))
    assert least <= len(zlib.compress(batch)) / len(batch) <= most


def test_the_lines_of_a_file_are_the_payloads_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    lines = [b'{"order": %d, "text": "%s"}' % (number, b"x" * number) for number in range(7)]
    path.write_bytes(b"\r\n".join(lines) + b"\n\n")
    values = written(70, payload_file=str(path))
    assert set(decode(values).state.tolist()) == {INTACT}
    found = [value[pool.HEADER :] for value in values]
    begin = lines.index(found[0])
    assert found == [lines[(begin + number) % 7] for number in range(70)]


def test_a_file_without_lines_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n\n")
    with pytest.raises(pool.LinesError, match="has no line that is not empty"):
        pool.lines(str(tmp_path / "empty"))
    with pytest.raises(pool.LinesError, match="cannot be read: No such file"):
        pool.lines(str(tmp_path / "none"))
