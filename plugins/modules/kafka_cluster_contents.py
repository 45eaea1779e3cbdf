#!/usr/bin/python
"""Tells what a cluster holds, and whether all of it is there that was there before."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.admin import describe_configs
from ansible_collections.crucible.kafka.plugins.module_utils.cluster_contents import Contents, refusal
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint, fail_on_admin_error
from ansible_collections.crucible.kafka.plugins.module_utils.quota_admin import read_quotas

DOCUMENTATION = r"""
module: kafka_cluster_contents
short_description: Tell what a cluster holds, and compare it with what it held before
description:
  - Reads the replicas of each partition, the settings of topics and brokers, quotas, and the offsets that groups have
    committed. Changes nothing.
  - With O(before) it fails where something of it is gone or changed, or where an offset has gone back.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  before: {type: dict, description: The contents that an earlier task has returned.}
author: Crucible
"""

EXAMPLES = r"""
- name: Read what the cluster holds
  crucible.kafka.kafka_cluster_contents:
    bootstrap_servers: [192.0.2.11:9092]
  register: before
  delegate_to: localhost
"""

RETURN = r"""
contents: {type: dict, returned: always, description: 'By kind: replicas, configs, quotas, offsets.'}
counts: {type: str, returned: always, description: How much of it there is.}
"""


def read(admin: Any) -> Contents:
    """Read all of it from a connected client."""
    topics = [topic for topic in admin.describe_topics(None) if topic["error_code"] == 0]
    brokers = [str(broker["broker_id"]) for broker in admin.describe_cluster()["brokers"]]
    configs = {
        f"{kind} {name}": {key: str(told["value"]) for key, told in each.items()}
        for kind, names in (("topic", [topic["name"] for topic in topics]), ("broker", brokers))
        for name, each in describe_configs(admin, kind, names, modified_only=True).items()
    }
    groups = sorted({group["group_id"] for group in admin.list_groups()})
    return Contents(
        replicas={
            f"{topic['name']}-{partition['partition_index']}": list(partition["replica_nodes"])
            for topic in topics
            for partition in topic["partitions"]
        },
        configs=configs,
        quotas={str(each): dict(limits) for each, limits in read_quotas(admin).items()},
        offsets={
            group: {f"{place.topic}-{place.partition}": told.offset for place, told in committed.items()}
            for name in groups
            for group, committed in admin.list_group_offsets({name: None}).items()
        },
    )


def main() -> None:
    """Read, and compare."""
    module = admin_module(before={"type": "dict"})
    with fail_on_admin_error(module), endpoint(module).connect() as admin:
        contents = read(admin)
    told = {"contents": asdict(contents), "counts": contents.counts}
    before = Contents(**module.params["before"] or {})
    if changed := refusal(before, contents):
        module.fail_json(msg=changed, **told)
    module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
