"""The last day of a certificate is read from its bytes, as the library that made the certificate says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from self_signed import certificate

from ansible_collections.crucible.kafka.plugins.module_utils.certificate import (
    authority_id,
    expires,
    first_certificate,
)

# Before 2050 the time is written with two digits of the year.
LAST_DAYS = st.datetimes(datetime(1971, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))


@given(last=LAST_DAYS, names=st.sampled_from([1, 30, 5000]))
def test_the_end_of_its_validity_is_read_from_any_certificate(last: datetime, names: int) -> None:
    assert expires(certificate(last, names)) == last.replace(microsecond=0)


DER = certificate(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "other", [b"", b"\x30", DER[:-1], DER[:40], DER + b"\x00", b"<html>", b"\x30\x00", b"\x30\x02\x30\x00"]
)
def test_other_bytes_are_no_certificate(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"what it shows is no X\.509 certificate"):
        expires(other)
    with pytest.raises(ValueError, match=r"what it shows is no X\.509 certificate"):
        authority_id(other)


@given(cut=st.integers(0, len(DER) - 1))
def test_a_certificate_that_is_cut_off_anywhere_is_none(cut: int) -> None:
    with pytest.raises(ValueError, match="no X"):
        expires(DER[:cut])


def test_an_authority_is_told_by_its_name_and_key_whatever_its_dates() -> None:
    identity, later = authority_id(DER), datetime(2031, 1, 1, tzinfo=UTC)
    assert identity == authority_id(certificate(later, 5000))
    others = {authority_id(certificate(later, common_name="kafka2")), authority_id(certificate(later, number=1))}
    assert len({identity, *others}) == 3
    assert {len(each) for each in (identity, *others)} == {64}


def length(data: bytes, size: int = 3) -> bytes:
    return len(data).to_bytes(size) + data


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + length(body)


def records(data: bytes, size: int) -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"\x16\x03\x03" + length(part, 2) for part in parts)


HELLO, DONE = message(2, b"server hello"), message(14, b"")
SHOWN = message(11, length(length(DER) + length(b"of the authority")))
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


@pytest.mark.parametrize("size", [50, 1 << 14], ids=["in many records", "in one record"])
def test_the_first_certificate_of_a_handshake_is_the_servers(size: int) -> None:
    assert first_certificate(records(HELLO + SHOWN + DONE, size) + ALERT) == DER


@pytest.mark.parametrize(
    "received",
    [
        b"",
        ALERT,
        b"HTTP/1.1 400 Bad Request",
        records(HELLO, 50) + ALERT,
        records(HELLO + SHOWN[:-1], 1 << 14),
        records(HELLO + message(11, length(b"")), 1 << 14),
    ],
)
def test_a_handshake_without_a_certificate_shows_none(received: bytes) -> None:
    assert first_certificate(received) is None
