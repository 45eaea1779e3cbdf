"""librdkafka itself says whether it can be driven by arrays, and says it in one sentence if not."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka_load.engines.client_log import ClientListener
from kafka_load.librdkafka import BulkProducer, LibraryError, self_check
from kafka_load.librdkafka.library import INT, function
from kafka_load.librdkafka.memory import FEW, copies
from mock_cluster import MockCluster

check = self_check.check_layout.__wrapped__


def test_this_librdkafka_fits() -> None:
    check()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda sent, reported: reported["opaque"].sort(), r"partition: \[.*\] instead of \["),
        (lambda sent, reported: reported["len"].__iadd__(1), r"len: \["),
        (lambda sent, reported: reported["offset"].__iadd__(7), r"offset: \[7, 8\] instead of \[0, 1\]"),
    ],
)
def test_a_library_that_reports_something_else_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, change: object, sentence: str
) -> None:
    sent, reported = self_check._sent_and_reported()
    change(sent, reported)  # type: ignore[operator]  # pytest types a parameter as an object
    monkeypatch.setattr(self_check, "_sent_and_reported", lambda: (sent, reported))
    with pytest.raises(LibraryError, match=sentence) as refusal:
        check()
    assert "requirements.txt" in str(refusal.value)


@pytest.mark.parametrize("version", [0x01_09_02_FF, 0x03_00_00_FF])
def test_a_version_that_was_never_tried_is_refused(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    monkeypatch.setattr(self_check, "function", lambda *_: lambda: version)
    with pytest.raises(LibraryError, match=r"librdkafka \d\.\d\.\d is not one of the versions"):
        check()


def test_a_library_without_a_function_is_named_in_one_sentence() -> None:
    with pytest.raises(LibraryError, match="has no rd_kafka_version"):
        function("version", INT, extension=math.__file__)
    with pytest.raises(LibraryError, match="has no rd_kafka_version"):
        function("version", INT, extension="/nowhere/cimpl.so")


def test_addresses_beyond_what_a_process_usually_has_are_read_one_by_one() -> None:
    blocks = np.arange(64, dtype=np.uint8)
    addresses = np.array([blocks.ctypes.data + 8, blocks.ctypes.data] * FEW, np.uint64)
    form = np.dtype((np.void, 4))
    below = blocks.ctypes.data  # an end that lies before both
    assert copies(addresses, form, below).tolist() == copies(addresses, form).tolist()
    expected = [bytes([8, 9, 10, 11]), bytes([0, 1, 2, 3])] * FEW
    assert [bytes(piece) for piece in copies(addresses, form, below)] == expected
    assert ctypes.sizeof(ctypes.c_void_p) == addresses.itemsize


def test_a_topic_name_that_librdkafka_does_not_take_is_not_another_topics(cluster: MockCluster) -> None:
    with pytest.raises(KafkaException, match=r"takes no topic of the name 'xxx.*\(600 characters\)") as refusal:
        BulkProducer({"bootstrap.servers": cluster.bootstrap}, "x" * 600, ClientListener())
    assert refusal.value.args[0].code() == KafkaError._INVALID_ARG
