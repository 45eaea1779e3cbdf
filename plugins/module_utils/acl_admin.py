"""Reads ACLs from a cluster and carries out an ACL plan, in as few requests as Kafka takes.

kafka-python's own calls fail at an operation that is newer than the library, and drop Kafka's sentence of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .acl_plan import OPERATIONS, PATTERN_TYPES, PERMISSIONS, RESOURCE_TYPES, Acl, AclPlan, batches
from .admin import AdminError, refused

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

ANY = 1
SECURITY_DISABLED = 54
NO_AUTHORIZER = (
    "kafka_acls: the brokers have no authorizer, so nothing would be enforced; set authorizer.class.name in "
    "kafka_config (org.apache.kafka.metadata.authorizer.StandardAuthorizer, with ZooKeeper "
    "kafka.security.authorizer.AclAuthorizer), with super.users for the nodes"
)


def read_acls(admin: Any) -> set[Acl]:
    """All ACLs of the cluster.

    Raises:
        AdminError: Kafka does not tell them, or has no authorizer.
    """
    request = DescribeAclsRequest(
        min_version=max(DescribeAclsRequest.valid_versions),  # With those of the resource type user.
        resource_type_filter=ANY,
        resource_name_filter=None,
        pattern_type_filter=ANY,
        principal_filter=None,
        host_filter=None,
        operation=ANY,
        permission_type=ANY,
    )
    answer = admin._manager.run(admin._manager.send, request)
    if answer.error_code == SECURITY_DISABLED:
        raise AdminError(NO_AUTHORIZER)
    if sentences := refused([{**answer.to_dict(), "name": "kafka_acls"}]):
        raise AdminError(f"Kafka did not tell the ACLs: {sentences[0]}")
    return {
        Acl(
            principal=acl.principal,
            resource_type=_name(RESOURCE_TYPES, resource.resource_type),
            name=resource.resource_name,
            pattern_type=_name(PATTERN_TYPES, resource.pattern_type),
            operation=_name(OPERATIONS, acl.operation),
            permission=_name(PERMISSIONS, acl.permission_type),
            host=acl.host,
        )
        for resource in answer.resources
        for acl in resource.acls
    }


def carry_out(admin: Any, plan: AclPlan) -> list[str]:
    """Do what the plan says; what Kafka refuses, in sentences. All others are done.

    ACLs are created before others are deleted, and a principal of whom Kafka has refused one keeps those it had.
    """
    refusals: list[str] = []
    failed: set[str] = set()
    for batch in batches(plan.create):
        request = CreateAclsRequest(creations=[_fields(acl) for acl in batch])
        refusals += _told(batch, admin._manager.run(admin._send_request_to_controller, request).results, failed)
    for batch in batches([acl for acl in plan.delete if acl.principal not in failed]):
        request = DeleteAclsRequest(filters=[_fields(acl) for acl in batch])
        answer = admin._manager.run(admin._send_request_to_controller, request)
        results = [
            next((match for match in result.matching_acls if match.error_code), result)
            for result in answer.filter_results
        ]
        refusals += _told(batch, results, failed)
    return refusals


def _told(batch: Sequence[Acl], results: Sequence[Any], failed: set[str]) -> list[str]:
    """Kafka's refusals in sentences, in the order of the ACLs that were sent; adds the principals to `failed`."""
    pairs = list(zip(batch, results, strict=True))
    failed.update(acl.principal for acl, result in pairs if result.error_code)
    return refused(
        {"name": acl, "error_code": result.error_code, "error_message": result.error_message} for acl, result in pairs
    )


def _fields(acl: Acl) -> tuple[Any, ...]:
    """An ACL in the order in which the protocol has it, to create it and to find it."""
    return (
        _number(RESOURCE_TYPES, acl.resource_type),
        acl.name,
        _number(PATTERN_TYPES, acl.pattern_type),
        acl.principal,
        acl.host,
        _number(OPERATIONS, acl.operation),
        _number(PERMISSIONS, acl.permission),
    )


def _name(numbers: Mapping[str, int], number: int) -> str:
    """The word for Kafka's number, or the number where Kafka is newer than the words."""
    return next((name for name, each in numbers.items() if each == number), str(number))


def _number(numbers: Mapping[str, int], name: str) -> int:
    return numbers[name] if name in numbers else int(name)
