"""Reads SCRAM credentials from a cluster and carries out a user plan, in as few requests as Kafka takes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .admin import refused
from .scram import SALT_BYTES, salted_password
from .user_plan import MECHANISMS, Credential, DeclaredCredential, UserPlan, iteration_counts, requests
from .user_record import in_threads

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka.protocol.admin import AlterUserScramCredentialsRequest

NAMES = {number: name for name, number in MECHANISMS.items()}


@dataclass
class Outcome:
    """What has been done so far: the iterations of each credential set, those removed, and what Kafka refused."""

    set: dict[Credential, int] = field(default_factory=dict)
    removed: list[Credential] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


def read_credentials(admin: Any) -> dict[Credential, int]:
    """The iterations of all credentials in the cluster."""
    return {
        Credential(user, NAMES[info["mechanism"]]): info["iterations"]
        for user, answer in admin.describe_user_scram_credentials().items()
        for info in answer["credential_infos"]
    }


def upsertions(wanted: Iterable[DeclaredCredential]) -> dict[Credential, tuple[int, bytes, bytes]]:
    """Iterations, salt and salted password of each, by its credential; what takes time here is PBKDF2."""

    def upsertion(each: DeclaredCredential) -> tuple[int, bytes, bytes]:
        iterations = secrets.choice(iteration_counts(each.iterations))
        salt = os.urandom(SALT_BYTES)
        return iterations, salt, salted_password(each.credential.mechanism, each.password, salt, iterations)

    wanted = list(wanted)
    return dict(zip((each.credential for each in wanted), in_threads(upsertion, wanted), strict=True))


def carry_out(admin: Any, plan: UserPlan, wanted: Sequence[DeclaredCredential], outcome: Outcome) -> None:
    """Do what the plan says and write each step into `outcome` as soon as Kafka has answered.

    A user of whom Kafka has refused one credential keeps the others.
    """
    new = upsertions(each for each in wanted if each.credential in plan.set)
    failed: set[str] = set()
    for request in requests(plan):
        pending = [each for each in request if each.name not in failed]
        errors = _alter(admin, [each for each in pending if each not in new], new, pending) if pending else {}
        failed |= errors.keys()
        outcome.refusals += errors.values()
        for each in pending:
            if each.name not in errors and each in new:
                outcome.set[each] = new[each][0]
            elif each.name not in errors:
                outcome.removed.append(each)


def _alter(
    admin: Any,
    deletions: Iterable[Credential],
    new: Mapping[Credential, tuple[int, bytes, bytes]],
    pending: Iterable[Credential],
) -> dict[str, str]:
    """Send one request; what Kafka refused, in sentences by user."""
    request = AlterUserScramCredentialsRequest(
        deletions=[(each.name, MECHANISMS[each.mechanism]) for each in deletions],
        upsertions=[(each.name, MECHANISMS[each.mechanism], *new[each]) for each in pending if each in new],
    )
    # The library's own method takes an error without a message for success, and asks any broker: in ZooKeeper mode only
    # the controller does it.
    answer = admin._manager.run(admin._send_request_to_controller, request)
    results = [{**result.to_dict(), "name": result.user} for result in answer.results]
    return {result["name"]: sentence for result in results for sentence in refused([result])}
