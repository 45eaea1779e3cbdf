#!/usr/bin/python
"""Ansible module: feature levels of a cluster, raised by name once all nodes support them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Those that nothing here uses are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import releases as releases
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    endpoint,
    fail_on_admin_error,
    line_diff,
)
from ansible_collections.crucible.kafka.plugins.module_utils.feature_admin import supported_by, update_features
from ansible_collections.crucible.kafka.plugins.module_utils.feature_plan import Cluster, ghosts, plan, problems
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_features
short_description: Finalize the feature levels of a Kafka cluster
description:
  - Raises features such as C(metadata.version) by their names, once all nodes run one release and support the levels.
  - Kafka validates the levels first. A controller that was removed and that Kafka still counts is named.
  - "C(kraft.version) is left alone unless O(features) names it."
  - Levels are never lowered.
  - In check mode Kafka validates the levels, and nothing is changed.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  features:
    description: Levels by the features' names. Without any, each feature goes as high as all nodes support.
    type: dict
    default: {}
  releases:
    description: The release of the process on each host, by the host's name, empty where none runs.
    type: dict
    required: true
author: [Crucible]
"""

EXAMPLES = r"""
- name: Raise the feature levels
  crucible.kafka.kafka_features:
    bootstrap_servers: [192.0.2.11:9092]
    releases: {kafka1: 4.4.0, kafka2: 4.4.0, kafka3: 4.4.0}
  delegate_to: localhost
"""

RETURN = r"""
raised: {description: 'The levels before and after, by feature.', type: dict, returned: success}
lines: {description: The plan to be printed., type: list, elements: str, returned: success}
"""


def main() -> None:
    """Plan, let Kafka validate it, and carry it out."""
    module = admin_module(
        features={"type": "dict", "default": {}},
        releases={"type": "dict", "required": True},
    )
    declared: Mapping[str, Any] = module.params["features"]
    with fail_on_admin_error(module):
        state = survey(endpoint(module))
        found = Cluster(
            state.features,
            supported_by(answer_endpoint(module), state),
            tuple(broker.node_id for broker in state.brokers),
            module.params["releases"],
        )
        if sentences := list(problems(found, declared)):
            raise AdminError(" ".join(["Nothing was changed.", *sentences]))
        todo = plan(found, declared)
        if todo.raised:
            with endpoint(module).connect() as admin:
                refusals = update_features(admin, todo.levels, validate_only=True)
                if not refusals and not module.check_mode:
                    refusals = update_features(admin, todo.levels, validate_only=False)
            if refusals:
                told = " ".join(refusals)
                voters = [voter.node_id for voter in state.quorum.voters] if state.quorum else []
                raise AdminError(f"Kafka refuses this, and nothing was changed: {told}. {ghosts(told, voters)}".strip())
    before = (f"{name} {levels[0]}" for name, levels in todo.raised.items())
    after = (f"{name} {levels[1]}" for name, levels in todo.raised.items())
    module.exit_json(
        changed=bool(todo.raised),
        raised={name: list(levels) for name, levels in todo.raised.items()},
        lines=todo.lines,
        diff=line_diff(before, after),
    )


if __name__ == "__main__":
    main()
