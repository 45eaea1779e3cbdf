"""The record tells whether a declared password is the one that was set, and shows nobody what it is."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import Credential, DeclaredCredential
from ansible_collections.crucible.kafka.plugins.module_utils.user_record import (
    RecordError,
    exposed,
    parse,
    updated,
    verified,
)

SHOP = Credential("shop", "SCRAM-SHA-512")
OTHER = Credential("shop", "SCRAM-SHA-256")
SECRET = "a-planted-secret"  # noqa: S105 # What the tests look for.
WANTED = [DeclaredCredential(SHOP, SECRET), DeclaredCredential(OTHER, "another")]
RECORD = updated("", WANTED, {SHOP: 4100, OTHER: 4200}, [])


def test_a_recorded_password_verifies_and_any_other_does_not() -> None:
    assert verified(RECORD, WANTED) == {SHOP: 4100, OTHER: 4200}
    assert verified(RECORD, [DeclaredCredential(SHOP, "another")]) == {}
    assert verified(RECORD, [DeclaredCredential(SHOP, SECRET), DeclaredCredential(OTHER, SECRET)]) == {SHOP: 4100}
    assert verified("", WANTED) == {}
    assert verified(RECORD, [DeclaredCredential(SHOP, SECRET, present=False)]) == {}


def test_only_what_was_done_changes_in_the_record() -> None:
    changed = [DeclaredCredential(SHOP, "changed"), WANTED[1]]
    after = updated(RECORD, changed, {SHOP: 4300}, [])
    assert parse(after)[OTHER] == parse(RECORD)[OTHER]
    assert verified(after, changed) == {SHOP: 4300, OTHER: 4200}
    assert parse(updated(after, changed, {}, [SHOP])).keys() == {OTHER}
    assert updated(RECORD, WANTED, {}, [Credential("gone", "SCRAM-SHA-512")]) == RECORD


def test_what_was_sent_unencrypted_is_known_until_it_is_sent_encrypted() -> None:
    """Who has read the salted password from the network can log in by it."""
    assert exposed(RECORD) == {SHOP, OTHER}
    after = updated(RECORD, WANTED, {SHOP: 4300}, [], encrypted=True)
    assert exposed(after) == {OTHER}
    assert verified(after, WANTED) == {SHOP: 4300, OTHER: 4200}
    assert exposed("") == set()


def test_of_a_record_of_an_earlier_release_nothing_is_known_to_have_been_encrypted() -> None:
    document = json.loads(updated("", WANTED, {SHOP: 4100, OTHER: 4200}, [], encrypted=True))
    for entry in document["credentials"]:
        del entry["encrypted"]
    assert verified(json.dumps(document), WANTED) == {SHOP: 4100, OTHER: 4200}
    assert exposed(json.dumps(document)) == {SHOP, OTHER}


def test_a_record_shows_no_password_and_not_who_has_the_same_one() -> None:
    same = updated("", [DeclaredCredential(SHOP, SECRET), DeclaredCredential(OTHER, SECRET)], {SHOP: 1, OTHER: 1}, [])
    assert SECRET not in same
    first, second = parse(same).values()
    assert first.salt != second.salt
    assert first.digest != second.digest


def test_a_digest_is_as_slow_as_what_kafka_keeps() -> None:
    """PBKDF2-HMAC-SHA-256 of 4096 rounds, computed without our code."""
    entry = parse(RECORD)[SHOP]
    known = hashlib.pbkdf2_hmac("sha256", SECRET.encode(), base64.b64decode(entry.salt), 4096)
    assert base64.b64decode(entry.digest) == known
    assert len(base64.b64decode(entry.salt)) == 16


@pytest.mark.parametrize(
    "text",
    [
        "secret: yes",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "credentials": [{"name": "shop"}]}',
        RECORD.replace('"salt": "', '"salt": "!'),
        RECORD[:-20],
    ],
)
def test_another_file_is_no_record_and_is_not_quoted(text: str) -> None:
    with pytest.raises(RecordError) as refused:
        parse(text)
    assert str(refused.value) == "it is no record of users that were set"
    assert refused.value.__cause__ is None


def test_a_record_of_a_later_format_is_not_guessed_at() -> None:
    with pytest.raises(RecordError, match="its format is 2, this release knows 1"):
        parse(json.dumps({"format": 2}))
