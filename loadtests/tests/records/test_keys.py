"""A key lands where every other client would put it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2
from kafka_load.records.keys import KeyStream, Popularity, key_table, partition_of

# From the Java client's own test of Utils.murmur2, with the sign bit cleared as its partitioner does.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", JAVA)
def test_murmur2_agrees_with_the_java_client(key: bytes) -> None:
    positive = JAVA[key] & 0x7FFFFFFF
    assert [partition_of(key, n) for n in (1, 3, 12, 1000)] == [positive % n for n in (1, 3, 12, 1000)]


def test_keys_of_a_file_go_to_the_broker_as_they_are_and_into_json_escaped(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text('plain\nsaid "so"\nZoë\n')
    table = key_table(Popularity.of_file(str(path)), 3)
    assert table.packed.tolist() == [b"plain", b'said "so"', "Zoë".encode()]
    assert [json.loads(b'"%b"' % name) for name in table.names] == ["plain", 'said "so"', "Zoë"]


@given(st.binary(min_size=1, max_size=64), st.integers(1, 5000))
def test_murmur2_agrees_with_kafka_python(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (kafka_python_murmur2(key) & 0x7FFFFFFF) % partitions


def test_keys_are_uniform_or_follow_zipf() -> None:
    uniform = np.bincount(KeyStream(Popularity(100), 3, seed=1).draw(200_000), minlength=100)
    zipf = np.bincount(KeyStream(Popularity(100, zipf=1.0), 3, seed=1).draw(200_000), minlength=100)
    assert uniform.max() < 1.2 * uniform.min()
    assert zipf[0] == pytest.approx(2 * zipf[1], rel=0.1)
    assert zipf[0] == pytest.approx(10 * zipf[9], rel=0.2)


def test_the_same_seed_draws_the_same_keys() -> None:
    one, two = (KeyStream(Popularity(1000), 12, seed=5) for _ in range(2))
    assert one.draw(1000).tolist() == np.concatenate([two.draw(1), two.draw(999)]).tolist()
    assert one.partitions[7] == partition_of(one.names[7], 12)


def test_all_producers_of_a_process_share_one_table_of_keys() -> None:
    one, two = (KeyStream(Popularity(1000, zipf=1.0), 12, seed=seed) for seed in (1, 2))
    assert one.packed is two.packed
    assert one.partitions is two.partitions
