"""Reads and writes the record of the SCRAM users that were set, where passwords and digests are both at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.crucible.kafka.plugins.module_utils import user_plan, user_record
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import Credential

Users = Sequence[Mapping[str, Any]]


def kafka_recorded_users(record: str, users: Users, protocol: str = "PLAINTEXT") -> list[dict[str, Any]]:
    """Return the credentials among `users` that have their declared password by the record, as kafka_users takes them.

    By the `protocol` of Kafka with which they would be set now it is known whether to set those anew that were sent
    unencrypted.
    Nothing is known of users with a mistake, which kafka_users refuses.
    """
    if user_plan.problems(users):
        return []
    try:
        known = user_record.verified(record, user_plan.declared(users))
        exposed = user_record.exposed(record) if protocol in user_record.ENCRYPTED else set()
    except user_record.RecordError as error:
        raise AnsibleFilterError(
            f"kafka_access_users_record: {error}. Remove the file; then all declared users are set anew."
        ) from None
    return [
        {**credential._asdict(), "iterations": iterations, "exposed": credential in exposed}
        for credential, iterations in known.items()
    ]


def kafka_users_record(
    record: str,
    users: Users,
    done: Iterable[Mapping[str, Any]],
    removed: Iterable[Mapping[str, Any]],
    protocol: str = "PLAINTEXT",
) -> str:
    """Return the record after a run in which kafka_users has answered that it has set `done` and removed `removed`.

    It was connected by this `protocol` of Kafka.
    """
    return user_record.updated(
        record,
        user_plan.declared(users),
        {Credential(each["name"], each["mechanism"]): each["iterations"] for each in done},
        [Credential(each["name"], each["mechanism"]) for each in removed],
        protocol in user_record.ENCRYPTED,
    )


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {"kafka_recorded_users": kafka_recorded_users, "kafka_users_record": kafka_users_record}
