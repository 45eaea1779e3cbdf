"""Prints how long one pass over many client quotas or ACLs takes: ask, plan, send.

Four passes: all are new; nothing has changed; all change; all go. Run it on a cluster where such may be set (the
brokers have an authorizer), from the project's root: python -m benchmarks.access --bootstrap-servers 10.97.3.11:9092
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import acl_admin, acl_plan, quota_admin, quota_plan
from ansible_collections.crucible.kafka.plugins.module_utils.admin import Endpoint

LIMIT_S = 5.0
Entries = list[dict[str, Any]]


def quotas_pass(endpoint: Endpoint, entries: Entries) -> tuple[int, list[str]]:
    """Do once what kafka_quotas does; how many entities have changed, and what Kafka refused."""
    with endpoint.connect() as admin:
        plan = quota_plan.plan(quota_admin.read_quotas(admin), quota_plan.declared(entries))
        return len(plan.alter), quota_admin.carry_out(admin, plan, validate_only=False)


def quotas(count: int) -> dict[str, Entries]:
    """What is declared in each pass."""
    users = [f"bench-{number}" for number in range(count)]
    first: Entries = [{"user": user, "producer_byte_rate": 1024, "consumer_byte_rate": 1024} for user in users]
    return {
        "all are new": first,
        "nothing has changed": first,
        "all change": [{"user": user, "producer_byte_rate": 2048} for user in users],
        "all go": [{"user": user, "state": "absent"} for user in users],
    }


def acls_pass(endpoint: Endpoint, entries: Entries) -> tuple[int, list[str]]:
    """Do once what kafka_acls does; how many ACLs have changed, and what Kafka refused."""
    with endpoint.connect() as admin:
        plan = acl_plan.plan(acl_admin.read_acls(admin), acl_plan.declared(entries))
        return len(plan.create) + len(plan.delete), acl_admin.carry_out(admin, plan)


def acls(count: int) -> dict[str, Entries]:
    """What is declared in each pass: one ACL for each principal."""
    principals = [f"User:bench-{number}" for number in range(count)]

    def all_may(operation: str) -> Entries:
        acl = {"resource_type": "topic", "name": "bench", "operations": [operation]}
        return [{"principal": principal, **acl} for principal in principals]

    return {
        "all are new": all_may("read"),
        "nothing has changed": all_may("read"),
        "all change": all_may("write"),
        "all go": [{"principal": principal, "state": "absent"} for principal in principals],
    }


def measure(
    what: str,
    one_pass: Callable[[Endpoint, Entries], tuple[int, list[str]]],
    endpoint: Endpoint,
    passes: dict[str, Entries],
) -> None:
    """Time the passes and print a line for each."""
    for title, entries in passes.items():
        start = time.monotonic()
        changed, refusals = one_pass(endpoint, entries)
        took = time.monotonic() - start
        if refusals:
            raise SystemExit("\n".join(refusals))
        print(f"{what:8} {title:22} {took:6.2f} s   {changed:5} changed")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    endpoint = Endpoint(options.bootstrap_servers.split(","), {}, 30.0)
    print(f"{options.count} of each, a pass is to take {LIMIT_S:.0f} s or less\n")
    measure("quotas", quotas_pass, endpoint, quotas(options.count))
    measure("ACLs", acls_pass, endpoint, acls(options.count))


if __name__ == "__main__":
    main()
