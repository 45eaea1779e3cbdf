#!/usr/bin/python
"""Ansible module: let each broker log more for a while."""

from __future__ import annotations

import time
from contextlib import ExitStack

from ansible_collections.crucible.kafka.plugins.module_utils import health as health  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils.admin import (
    AdminError,
    Endpoint,
    alter_configs,
    describe_configs,
)
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey, unresponsive_brokers

DOCUMENTATION = r"""
module: kafka_logger_level
short_description: Let each broker log more for a while
description:
  - Lowers the threshold of one of the brokers' loggers (KIP-412), waits, and sets back what was there. A broker that
    logs as much already is left alone. No broker is restarted. After a restart a broker has the level of its file, so
    that what a run leaves that is killed goes then.
  - Kafka takes no C(OFF). A broker that had it in its file has C(FATAL) afterwards, until it is restarted.
  - A broker that does not answer is left out.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  logger: {description: The logger., type: str, required: true}
  level:
    description: Its level meanwhile.
    type: str
    choices: [FATAL, ERROR, WARN, INFO, DEBUG, TRACE]
    required: true
  seconds: {description: For how long., type: float, required: true}
author: Crucible
"""

EXAMPLES = r"""
- name: Let the brokers log requests that Kafka 4 no longer serves
  crucible.kafka.kafka_logger_level:
    bootstrap_servers: [192.0.2.11:9092]
    logger: kafka.request.logger
    level: INFO
    seconds: 10
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
brokers: {description: The ids of the brokers that logged so., type: list, elements: int, returned: success}
"""


KIND = "broker_logger"
LEVELS = ("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")
"""Those that Kafka takes, in the order of what is logged: `org.apache.kafka.common.config.LogLevelConfig`."""


def level(at: Endpoint, broker: Broker, logger: str) -> str:
    """Return a logger's level at a broker.

    Raises:
        AdminError: It does not tell.
    """
    node = str(broker.node_id)
    with at.at(broker).connect() as admin:
        told = describe_configs(admin, KIND, [node], [logger])
    try:
        found: str = told[node][logger]["value"]
    except KeyError:
        raise AdminError(f"Broker {node} has no logger {logger}.") from None
    return found


def set_level(at: Endpoint, broker: Broker, logger: str, wanted: str) -> None:
    """Set it.

    Raises:
        AdminError: The broker refuses it, or does not answer.
    """
    with at.at(broker).connect() as admin:
        if why := alter_configs(admin, KIND, {str(broker.node_id): {logger: wanted}}, False, broker.node_id):
            raise AdminError(f"{logger} could not be set to {wanted}: {'; '.join(why)}")


def main() -> None:
    """Set, wait, and set back."""
    module = admin_module(
        logger={"type": "str", "required": True},
        level={"type": "str", "required": True, "choices": list(LEVELS)},
        seconds={"type": "float", "required": True},
    )
    logger, wanted = module.params["logger"], module.params["level"]
    each = answer_endpoint(module)
    with fail_on_admin_error(module):
        state = survey(endpoint(module))
        away = {node.node_id for node in state.brokers if node.fenced} | set(unresponsive_brokers(each, state))
        brokers = [broker for broker in state.brokers if broker.node_id not in away]
        if not module.check_mode:
            with ExitStack() as former:
                for broker in brokers:
                    now = level(each, broker, logger)
                    if now in LEVELS and LEVELS.index(now) >= LEVELS.index(wanted):
                        continue
                    former.callback(set_level, each, broker, logger, now if now in LEVELS else LEVELS[0])
                    set_level(each, broker, logger, wanted)
                time.sleep(module.params["seconds"])
    module.exit_json(changed=False, brokers=[broker.node_id for broker in brokers])


if __name__ == "__main__":
    main()
