"""What a run has set and recorded, the next one finds, and a record that is none is a sentence."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.crucible.kafka.plugins.filter.user_record import kafka_recorded_users, kafka_users_record

USERS = [{"name": "shop", "password": "a-planted-secret"}, {"name": "gone", "state": "absent"}]
DONE = [{"name": "shop", "mechanism": "SCRAM-SHA-512", "iterations": 4100}]
RECORD = kafka_users_record("", USERS, DONE, [])


def test_what_was_recorded_is_found_as_the_module_takes_it() -> None:
    assert kafka_recorded_users(RECORD, USERS) == [{**DONE[0], "exposed": False}]
    assert kafka_recorded_users(RECORD, [{"name": "shop", "password": "another"}]) == []
    assert kafka_recorded_users("", USERS) == []


@pytest.mark.parametrize(
    ("then", "now", "exposed"),
    [
        ("PLAINTEXT", "SASL_SSL", True),
        ("SASL_PLAINTEXT", "SSL", True),
        ("PLAINTEXT", "SASL_PLAINTEXT", False),  # It would be sent unencrypted again.
        ("SASL_SSL", "SASL_SSL", False),
        ("SSL", "PLAINTEXT", False),
    ],
)
def test_what_was_sent_unencrypted_is_exposed_once_it_can_be_sent_otherwise(then: str, now: str, exposed: bool) -> None:
    record = kafka_users_record("", USERS, DONE, [], then)
    assert [each["exposed"] for each in kafka_recorded_users(record, USERS, now)] == [exposed]


def test_what_was_removed_is_no_longer_in_the_record() -> None:
    removed = [{"name": "shop", "mechanism": "SCRAM-SHA-512"}]
    assert kafka_recorded_users(kafka_users_record(RECORD, USERS, [], removed), USERS) == []


def test_users_with_a_mistake_are_left_to_the_module_that_refuses_them() -> None:
    assert kafka_recorded_users(RECORD, [*USERS, {"name": "empty", "password": ""}]) == []


def test_a_file_that_is_no_record_is_not_written_over() -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        kafka_recorded_users("a-planted-secret", USERS)
    assert str(refused.value) == (
        "kafka_access_users_record: it is no record of users that were set. Remove the file; then all declared users "
        "are set anew."
    )
