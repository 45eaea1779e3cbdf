"""What has to be done so that the ACLs of a cluster are what is declared. Pure: no Kafka, no file, no clock.

A declared entry grants or denies several operations; Kafka keeps one ACL for each of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

# Kafka's numbers, from org.apache.kafka.common.resource.ResourceType, PatternType, acl.AclOperation, AclPermissionType.
RESOURCE_TYPES = {"topic": 2, "group": 3, "cluster": 4, "transactional_id": 5, "delegation_token": 6, "user": 7}
PATTERN_TYPES = {"literal": 3, "prefixed": 4}
PERMISSIONS = {"deny": 2, "allow": 3}
OPERATIONS = {
    "all": 2,
    "read": 3,
    "write": 4,
    "create": 5,
    "delete": 6,
    "alter": 7,
    "describe": 8,
    "cluster_action": 9,
    "describe_configs": 10,
    "alter_configs": 11,
    "idempotent_write": 12,
    "create_tokens": 13,
    "describe_tokens": 14,
    "two_phase_commit": 15,
}
# Kafka takes any operation for any type and never asks for those that are not here (acl.AclEntry.supportedOperations).
OPERATIONS_OF = {
    "topic": ("read", "write", "create", "describe", "delete", "alter", "describe_configs", "alter_configs"),
    "group": ("read", "describe", "delete", "describe_configs", "alter_configs"),
    "cluster": (
        "create",
        "cluster_action",
        "describe_configs",
        "alter_configs",
        "idempotent_write",
        "alter",
        "describe",
    ),
    "transactional_id": ("describe", "write", "two_phase_commit"),
    "delegation_token": ("describe",),
    "user": ("create_tokens", "describe_tokens"),
}
CLUSTER_NAME = "kafka-cluster"
PRINCIPAL = re.compile(r"[A-Za-z]+:.+", re.DOTALL)
DETAILS = ("resource_type", "name", "pattern_type", "operations", "permission", "host")
KEYS = frozenset({"principal", *DETAILS, "state"})
# A KRaft controller refuses more than 10,000 records in one operation.
ACLS_PER_REQUEST = 2000


class Acl(NamedTuple):
    """One ACL as Kafka keeps it, with the words of a declaration."""

    principal: str
    resource_type: str
    name: str
    pattern_type: str
    operation: str
    permission: str
    host: str

    def __str__(self) -> str:
        prefix = "prefix " if self.pattern_type == "prefixed" else ""
        host = "" if self.host == "*" else f" from {self.host}"
        what = f"{self.operation} {self.resource_type} {prefix}{self.name}"
        return f"{self.principal}: {self.permission} {what}{host}"


@dataclass(frozen=True)
class AclPlan:
    """ACLs to create and to delete; `undeclared` are principals whose ACLs stay as they are."""

    create: Sequence[Acl] = ()
    delete: Sequence[Acl] = ()
    undeclared: Sequence[str] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.create or self.delete)


def batches(acls: Sequence[Acl]) -> Iterator[Sequence[Acl]]:
    """The ACLs in as few requests as Kafka takes."""
    for start in range(0, len(acls), ACLS_PER_REQUEST):
        yield acls[start : start + ACLS_PER_REQUEST]


def problems(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with entries of `kafka_acls`, in sentences."""
    entries = list(entries)
    found = [
        f"entry {number} ({entry.get('principal')}): {sentence}"
        for number, entry in enumerate(entries, 1)
        for sentence in _problems(entry)
    ]
    if found:
        return found
    absent = {entry["principal"] for entry in entries if _absent(entry)}
    both = sorted(absent & {entry["principal"] for entry in entries if not _absent(entry)})
    found = [f"{principal}: an entry says state: absent, and another declares ACLs" for principal in both]
    times = Counter(acl for entry in entries for acl in _acls(entry))
    return found + [f"{acl}: declared {count} times" for acl, count in times.items() if count > 1]


def _problems(entry: Mapping[str, Any]) -> Iterator[str]:
    principal = entry.get("principal")
    if not isinstance(principal, str) or not PRINCIPAL.fullmatch(principal):
        yield "principal is written User:NAME"
    elif principal.lower().startswith("user:") and not principal.startswith("User:"):
        yield "Kafka compares case: write the principal User:NAME"
    if unknown := sorted(map(str, entry.keys() - KEYS)):
        yield f"there is no key {', '.join(unknown)}"
    if entry.get("state") not in (None, "present", "absent"):
        yield f"state is {entry['state']}; it is present or absent"
    elif _absent(entry):
        if given := [key for key in DETAILS if entry.get(key) is not None]:
            yield f"state: absent removes all ACLs of the principal, so {', '.join(given)} cannot be given"
    else:
        yield from _resource_problems(entry)
        yield from _host_problems(_value(entry, "host", "*"))


def _resource_problems(entry: Mapping[str, Any]) -> Iterator[str]:
    kind = _value(entry, "resource_type", None)
    pattern = _value(entry, "pattern_type", "literal")
    permission = _value(entry, "permission", "allow")
    if pattern not in PATTERN_TYPES:
        yield f"pattern_type is {pattern}; it is {' or '.join(PATTERN_TYPES)}"
    if permission not in PERMISSIONS:
        yield f"permission is {permission}; it is allow or deny"
    if kind not in RESOURCE_TYPES:
        yield f"resource_type is {kind}; it is one of {', '.join(RESOURCE_TYPES)}"
        return
    name = entry.get("name")
    if kind == "cluster":
        if name not in (None, CLUSTER_NAME) or pattern != "literal":
            yield f"a cluster has no other name than {CLUSTER_NAME}, which may be left out, and no prefix"
    elif not isinstance(name, str) or not name:
        yield f"name is {name!r}; it is the name of a {kind}, as text, or * for all"
    elif name == "*" and pattern == "prefixed":
        yield "name * with pattern_type prefixed is for names that begin with an asterisk; for all, write literal"
    operations = entry.get("operations")
    if not isinstance(operations, list | tuple) or not operations:
        yield "operations is a list with at least one; state: absent removes all ACLs of the principal"
        return
    for each in operations:
        if _word(each) not in ("all", *OPERATIONS_OF[kind]):
            yield f"{each} is no operation on a {kind}, which has all, {', '.join(OPERATIONS_OF[kind])}"


def _host_problems(host: Any) -> Iterator[str]:
    try:
        _host(host)
    except ValueError:
        yield f"host is {host}; Kafka compares addresses, so it is one address or *"


def _host(host: Any) -> str:
    """The host in Java's spelling, with which Kafka compares it: an IPv6 address has all its groups.

    Raises:
        ValueError: It is no address.
    """
    if host == "*":
        return "*"
    address = ip_address(str(host))
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":"))
    return str(address)


def declared(entries: Iterable[Mapping[str, Any]]) -> dict[str, set[Acl]]:
    """The ACLs by principal that entries without `problems` declare; those of an absent one are none."""
    found: dict[str, set[Acl]] = {}
    for entry in entries:
        found.setdefault(entry["principal"], set()).update(_acls(entry))
    return found


def plan(current: Iterable[Acl], wanted: Mapping[str, set[Acl]]) -> AclPlan:
    """The steps from the cluster's ACLs to the declared ones: a declared principal has exactly those."""
    current = set(current)
    all_wanted = {acl for acls in wanted.values() for acl in acls}
    return AclPlan(
        create=sorted(all_wanted - current),
        delete=sorted(acl for acl in current - all_wanted if acl.principal in wanted),
        undeclared=sorted({acl.principal for acl in current} - wanted.keys()),
    )


def _acls(entry: Mapping[str, Any]) -> list[Acl]:
    if _absent(entry):
        return []
    kind = _word(entry["resource_type"])
    return [
        Acl(
            principal=entry["principal"],
            resource_type=kind,
            name=CLUSTER_NAME if kind == "cluster" else entry["name"],
            pattern_type=_value(entry, "pattern_type", "literal"),
            operation=_word(each),
            permission=_value(entry, "permission", "allow"),
            host=_host(_value(entry, "host", "*")),
        )
        for each in entry["operations"]
    ]


def _value(entry: Mapping[str, Any], key: str, default: str | None) -> Any:
    given = entry.get(key)
    if given is None:
        return default
    return _word(given) if key != "host" else given


def _word(text: Any) -> str:
    """Kafka's words in the spelling of this file: AlterConfigs, ALTER_CONFIGS and alter-configs are the same."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(text)).replace("-", "_").lower()


def _absent(entry: Mapping[str, Any]) -> bool:
    return entry.get("state") == "absent"
