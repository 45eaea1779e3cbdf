#!/usr/bin/python
"""Waits until a ZooKeeper server may be stopped or is back; on a member, since nobody else may ask its port."""

from __future__ import annotations

import socket
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import (
    cluster as cluster,  # Named for mitogen, which does not see relative imports.
)
from ansible_collections.crucible.kafka.plugins.module_utils.address import split_host_port
from ansible_collections.crucible.kafka.plugins.module_utils.ensemble import may_remove, may_stop, recovered

DOCUMENTATION = r"""
module: zookeeper_gate
short_description: Wait until a ZooKeeper server may be stopped, or is back
description: In check mode it asks once and does not fail.
options:
  servers: {type: list, elements: str, required: true, description: 'The whole ensemble, host:port each.'}
  server: {type: str, required: true, description: The one that changes.}
  along: {type: list, elements: str, default: [], description: Those that are removed at the same time.}
  phase:
    description: Before or after its change, or before its removal.
    type: str
    required: true
    choices: [before, after, removal]
  timeout_s: {type: float, required: true, description: How long to wait.}
  answer_timeout_s: {type: float, default: 5.0, description: How long one server may take to answer.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Wait until the ensemble can do without this server
  crucible.kafka.zookeeper_gate:
    servers: ['zk1.example.com:2181', 'zk2.example.com:2181', 'zk3.example.com:2181']
    server: zk1.example.com:2181
    phase: before
    timeout_s: 60
"""

RETURN = r"""
mode: {type: str, returned: success, description: 'What the server is now: leader, follower, standalone or empty.'}
modes: {type: dict, returned: success, description: The same of every server.}
"""

POLL_INTERVAL_S = 0.5
FAILED = {"before": "may not be stopped", "after": "has not come back", "removal": "may not be removed"}


def mode(server: str, answer_timeout_s: float) -> str:
    """Return what a server says that it is by `srvr`, "" if it does not."""
    try:
        with socket.create_connection(split_host_port(server), timeout=answer_timeout_s) as connection:
            connection.sendall(b"srvr")
            answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode(errors="replace")
    except (OSError, UnicodeError):  # A name that no resolver can know, such as one with two dots in a row.
        return ""
    lines = dict(line.partition(": ")[::2] for line in answer.splitlines())
    return lines.get("Mode", "")


def judge(phase: str, modes: dict[str, str], server: str, along: list[str]) -> list[str]:
    """Return the reasons why the server may not go on with its change."""
    if phase == "removal":
        return may_remove(modes, sorted({server, *along}))
    return may_stop(modes, server) if phase == "before" else recovered(modes, server)


def refusal(servers: list[str], named: dict[str, list[str]]) -> str:
    """Return what is wrong with the addresses, "" if nothing is: a server beside the ensemble would count for none."""
    try:
        for address in servers:
            split_host_port(address)
    except ValueError as error:
        return f"servers: {error}."
    for option, addresses in named.items():
        for address in addresses:
            if address not in servers:
                return f"{option}: {address} is not one of servers ({cluster.listed(servers) or 'none'})."
    return ""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "servers": {"type": "list", "elements": "str", "required": True},
            "server": {"type": "str", "required": True},
            "along": {"type": "list", "elements": "str", "default": []},
            "phase": {"type": "str", "required": True, "choices": [*FAILED]},
            "timeout_s": {"type": "float", "required": True},
            "answer_timeout_s": {"type": "float", "default": 5.0},
        },
        supports_check_mode=True,
    )
    server, phase = module.params["server"], module.params["phase"]
    if wrong := refusal(module.params["servers"], {"server": [server], "along": module.params["along"]}):
        module.fail_json(msg=wrong)
    deadline = time.monotonic() + (0 if module.check_mode else module.params["timeout_s"])
    while True:
        modes = {name: mode(name, module.params["answer_timeout_s"]) for name in module.params["servers"]}
        reasons = judge(phase, modes, server, module.params["along"])
        if not reasons or time.monotonic() >= deadline:
            break
        time.sleep(POLL_INTERVAL_S)
    if reasons and not module.check_mode:
        module.fail_json(
            msg=f"ZooKeeper {server} {FAILED[phase]} after {module.params['timeout_s']:.0f} s: {'; '.join(reasons)}."
        )
    module.exit_json(changed=False, mode=modes[server], modes=modes, reasons=reasons)


if __name__ == "__main__":
    main()
