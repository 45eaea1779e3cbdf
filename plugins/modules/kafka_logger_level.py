#!/usr/bin/python
"""Ansible module: let each broker log more, or less, for a while."""

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
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_logger_level
short_description: Let each broker log more, or less, for a while
description:
  - Sets the level of one of the brokers' loggers (KIP-412), waits, and sets back what was there. No broker is
    restarted. After a restart a broker has the level of its file, so that what a run leaves that is killed goes then.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  logger: {description: The logger., type: str, required: true}
  level:
    description: Its level meanwhile.
    type: str
    choices: [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]
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
seconds: {description: How long it was since the first broker was asked to., type: float, returned: success}
brokers: {description: The ids of the brokers., type: list, elements: int, returned: success}
"""


KIND = "broker_logger"


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
        level={"type": "str", "required": True, "choices": ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]},
        seconds={"type": "float", "required": True},
    )
    logger, wanted, seconds = (module.params[key] for key in ("logger", "level", "seconds"))
    began = time.monotonic()
    with fail_on_admin_error(module):
        brokers = [broker for broker in survey(endpoint(module)).brokers if not broker.fenced]
        if not module.check_mode:
            with ExitStack() as former:
                for broker in brokers:
                    each = answer_endpoint(module)
                    former.callback(set_level, each, broker, logger, level(each, broker, logger))
                    set_level(each, broker, logger, wanted)
                time.sleep(seconds)
    module.exit_json(changed=False, seconds=time.monotonic() - began, brokers=[broker.node_id for broker in brokers])


if __name__ == "__main__":
    main()
