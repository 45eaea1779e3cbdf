#!/usr/bin/python
"""Make ufw's rules exactly the declared ones, beside those that others made; module_utils/firewall.py plans."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.command import output
from ansible_collections.crucible.kafka.plugins.module_utils.firewall import (
    Rule,
    Step,
    admits,
    apply,
    canonical,
    declare,
    difference,
    parse,
)
from ansible_collections.crucible.kafka.plugins.module_utils.ssh_session import ssh_connection

DOCUMENTATION = """
module: ufw_rules
short_description: Make ufw's rules exactly the declared ones
description:
  - Everything that is not declared is denied to come in, over IPv4 and IPv6.
  - A rule that this module made and that is no longer declared goes away.
  - Rules made by others stay and are named in a warning.
  - It refuses to lock out the SSH connection over which it came.
author: Crucible contributors
options:
  first:
    description: Rules that stand above all others when they are made.
    type: list
    elements: dict
    required: true
    suboptions: &rule
      comment: {description: What the rule is for., type: str, required: true}
      ports: {description: The ports., type: list, elements: int, required: true}
      from:
        description: Addresses, networks or host names, which are resolved on the host.
        type: list
        elements: str
        required: true
      proto: {description: The protocol., type: str, default: tcp, choices: [tcp, udp]}
  rules:
    description: The other rules.
    type: list
    elements: dict
    required: true
    suboptions: *rule
  keep_undeclared:
    description: Whether rules of this module that are no longer declared stay for now, while their ports are in use.
    type: bool
    default: false
  logging:
    description: What ufw writes to the kernel's log.
    type: str
    default: low
    choices: ['off', low, medium, high, full]
"""

EXAMPLES = r"""
- name: Admit clients to the brokers
  crucible.kafka.ufw_rules:
    first:
      - {comment: SSH, ports: [22], from: [192.0.2.0/24]}
    rules:
      - {comment: Kafka clients, ports: [9092], from: [198.51.100.0/24, shop.example.com]}
"""

RETURN = """
foreign:
  description: The rules made by others.
  type: list
  elements: str
  returned: always
kept:
  description: The rules that are no longer declared and stay for now.
  type: list
  elements: str
  returned: always
"""

RULE_OPTIONS = {
    "comment": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "int", "required": True},
    "from": {"type": "list", "elements": "str", "required": True},
    "proto": {"type": "str", "default": "tcp", "choices": ["tcp", "udp"]},
}
RULES = {"type": "list", "elements": "dict", "required": True, "options": RULE_OPTIONS}
OPTIONS = {
    "first": RULES,
    "rules": RULES,
    "keep_undeclared": {"type": "bool", "default": False},
    "logging": {"type": "str", "default": "low", "choices": ["off", "low", "medium", "high", "full"]},
}

DEFAULTS = Path("/etc/default/ufw")
SETTINGS = Path("/etc/ufw/ufw.conf")
RULES_FILES = [Path("/etc/ufw/user.rules"), Path("/etc/ufw/user6.rules")]
IPV6_ADDRESSES = Path("/proc/net/if_inet6")


def addresses(source: str) -> list[str]:
    """Return an address or network as it is, a host name as the addresses that this host knows for it.

    Raises ValueError for a name that it does not know.
    """
    try:
        return [canonical(source)]
    except ValueError:
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(source, None, proto=socket.IPPROTO_TCP)}
        except (OSError, UnicodeError) as error:  # The latter for a name that nobody can have: "a..example.com".
            raise ValueError(f"'{source}' is no address, and this host knows no such name ({error}).") from error
        # Debian gives a host's own name to 127.0.1.1; what comes over the loopback is admitted anyway.
        return sorted(address for address in found if not ip_address(address).is_loopback)


def declared(entries: list[dict[str, Any]]) -> list[Rule]:
    """Return the rules for entries of the module's options.

    Raises ValueError for a port that is none, and for a name that this host does not know.
    """
    for entry in entries:
        for port in entry["ports"]:
            if not 0 < port < 1 << 16:
                raise ValueError(f"'{entry['comment']}': {port} is no port; give numbers from 1 to 65535.")
    return [
        rule
        for entry in entries
        for rule in declare(
            entry["comment"],
            entry["ports"],
            [address for source in entry["from"] for address in addresses(source)],
            entry["proto"],
        )
    ]


def setting(path: Path, name: str) -> str:
    """Return the value of `name` in one of ufw's shell-like files, in lower case."""
    found = re.search(rf'^{name}="?([^"\n]*)', path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].lower() if found else ""


class Ufw:
    """The firewall of this host, read once."""

    def __init__(self, module: AnsibleModule) -> None:
        module.run_command_environ_update = {"LC_ALL": "C"}
        self._module = module
        policy = setting(DEFAULTS, "DEFAULT_INPUT_POLICY")
        self.state = {
            "ipv6": setting(DEFAULTS, "IPV6"),
            "incoming": {"drop": "deny"}.get(policy, policy),
            "logging": setting(SETTINGS, "LOGLEVEL"),
            "now": "active" if "Status: active" in self.run("ufw", "status") else "inactive",
            "at boot": setting(SETTINGS, "ENABLED"),
            "unit": "enabled" if not module.run_command(["systemctl", "is-enabled", "ufw"])[0] else "disabled",
        }
        self.rules = [rule for path in RULES_FILES for rule in parse(path.read_text(encoding="utf-8"))]

    def run(self, *command: str) -> str:
        """Run a command that may not fail, and return what it prints."""
        return output(self._module, command)

    def change(self, wanted: dict[str, str], steps: tuple[Step, ...]) -> None:
        """Change the rules first and close the door last."""
        differing = {name for name, value in wanted.items() if self.state[name] != value}
        if "ipv6" in differing:  # For which ufw has no command.
            lines = DEFAULTS.read_text(encoding="utf-8").splitlines()
            others = [line for line in lines if not line.startswith("IPV6=")]
            DEFAULTS.write_text("\n".join([*others, f"IPV6={wanted['ipv6']}", ""]), encoding="utf-8")
            self.run("ufw", "reload")
        for step in steps:
            self.run("ufw", *step.argv)
        if "incoming" in differing:
            self.run("ufw", "default", wanted["incoming"], "incoming")
        if "logging" in differing:
            self.run("ufw", "logging", wanted["logging"])
        if differing & {"now", "at boot"}:
            self.run("ufw", "--force", "enable")
        if "unit" in differing:
            self.run("systemctl", "enable", "ufw")


def shown(state: dict[str, str], rules: list[Rule]) -> str:
    """Return a firewall as text for a diff."""
    return "".join(f"{line}\n" for line in [*(f"{name}: {value}" for name, value in state.items()), *map(str, rules)])


def main() -> None:
    """Plan and judge the whole change before the first rule changes."""
    module = AnsibleModule(OPTIONS, supports_check_mode=True)
    ipv6 = IPV6_ADDRESSES.exists()
    wanted = {
        "ipv6": "yes" if ipv6 else "no",
        "incoming": "deny",
        "logging": module.params["logging"],
        "now": "active",
        "at boot": "yes",
        "unit": "enabled",
    }
    try:
        # Where check mode has not installed ufw, there is nothing yet, and the plan is judged all the same.
        ufw = None if module.check_mode and not DEFAULTS.exists() else Ufw(module)
    except OSError as error:
        module.fail_json(
            msg=f"The firewall was left alone: {error.filename} cannot be read ({error.strerror}); is ufw installed?"
        )
    present = ufw.rules if ufw else []
    try:
        first, rest = (
            [rule for rule in declared(module.params[name]) if ipv6 or not rule.v6] for name in ("first", "rules")
        )
        plan = difference(present, first, rest, keep=module.params["keep_undeclared"])
    except ValueError as error:  # A ConflictError is one, too.
        module.fail_json(msg=f"The firewall was left alone: {error}")
    after = apply(present, plan.steps)
    session = ssh_connection()
    if session and not admits(after, *session):
        module.fail_json(
            msg=f"The firewall was left alone, since it would lock out this SSH session from {session[0]} to port "
            f"{session[2]}: no network in firewall_admin_cidrs contains it, or somebody else's rule denies it."
        )
    if ufw and not module.check_mode:
        ufw.change(wanted, plan.steps)
    foreign = [str(rule) for rule in plan.foreign]
    if foreign:
        module.warn(f"Rules that Crucible did not make stay in this firewall: {'; '.join(foreign)}.")
    diff = {"before": shown(ufw.state, present) if ufw else "", "after": shown(wanted, after)}
    kept = [str(rule) for rule in plan.kept]
    module.exit_json(changed=diff["before"] != diff["after"], foreign=foreign, kept=kept, diff=diff)


if __name__ == "__main__":
    main()
