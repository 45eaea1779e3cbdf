"""The difference between the ufw rules that a host has and those that it should have.

It is a pure module because a mistake here locks administrators out of their hosts: what a run would do is known,
simulated and judged (`admits`) before the first rule changes. Rules are compared in the spelling of the
`### tuple ###` lines of /etc/ufw/user.rules and user6.rules, since `ufw show added` shows an IPv4 rule and its IPv6
twin as one.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

OWNER = "crucible: "
"""How the comment of a rule begins that this project made, and may therefore delete."""

TUPLE = "### tuple ### "
MOST_PORTS = 15
"""ufw refuses a rule with more ports."""
ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


class ConflictError(ValueError):
    """A rule made by somebody else says the opposite of a declared one, and ufw would overwrite it."""


@dataclass(frozen=True)
class Rule:
    """One rule, each field spelt as ufw spells it in its rules files (see ufw's backend_iptables.py)."""

    action: str
    protocol: str
    port: str  # "9092,9093", "6000:6007" or "any"
    destination: str
    source_port: str
    source: str
    where: str  # The direction: "in", "out", "in_eth0", before it the application profiles, if any.
    comment: str = ""

    @property
    def match(self) -> tuple[str, ...]:
        """What tells two rules apart for ufw: a second rule with the same match replaces the first."""
        return (self.protocol, self.port, self.destination, self.source_port, self.source, self.where, str(self.routed))

    @property
    def routed(self) -> bool:
        """Whether the rule is about packets passing through the host."""
        return self.action.startswith("route:")

    @property
    def v6(self) -> bool:
        """Whether the rule belongs to IPv6."""
        return ":" in self.source + self.destination

    @property
    def ours(self) -> bool:
        """Whether this project made the rule: its mark, on a rule of the only shape that `declare` makes."""
        shape = (self.action, self.destination, self.source_port, self.where)
        return self.comment.startswith(OWNER) and shape == ("allow", ANYWHERE[6 if self.v6 else 4], "any", "in")

    def __str__(self) -> str:
        text = f"{self.action} {self.protocol} {self.source} -> {self.destination} port {self.port} {self.where}"
        return text + (f"  # {self.comment}" if self.comment else "")


@dataclass(frozen=True)
class Step:
    """One ufw command: `prepend`, `append` (which also updates a comment in place) or `delete` a rule of ours."""

    verb: str
    rule: Rule

    @property
    def argv(self) -> list[str]:
        """The arguments for the ufw command."""
        rule = self.rule
        verb = [] if self.verb == "append" else [self.verb]
        what = ["allow", "proto", rule.protocol, "from", rule.source, "to", "any", "port", rule.port]
        return [*verb, *what, "comment", rule.comment]


@dataclass(frozen=True)
class Plan:
    """What to do, in this order, the rules made by others, which stay, and those of ours that stay for now."""

    steps: tuple[Step, ...]
    foreign: tuple[Rule, ...]
    kept: tuple[Rule, ...] = ()


def canonical(network: str) -> str:
    """Return an address or network as ufw spells it; raise ValueError when it is neither."""
    net = ip_network(network, strict=False)
    family = socket.AF_INET if net.version == 4 else socket.AF_INET6
    address = socket.inet_ntop(family, net.network_address.packed)
    return address if net.prefixlen == net.max_prefixlen else f"{address}/{net.prefixlen}"


def declare(comment: str, ports: Iterable[int], sources: Iterable[str], protocol: str = "tcp") -> list[Rule]:
    """Return the rules that admit `sources` (addresses or networks) to `ports`, none without ports.

    There is one rule a source; more, if there are more ports than ufw takes in a rule.
    """
    numbers = [str(number) for number in sorted(set(ports))]
    parts = [",".join(numbers[at : at + MOST_PORTS]) for at in range(0, len(numbers), MOST_PORTS)]
    return [
        Rule("allow", protocol, port, ANYWHERE[6 if ":" in source else 4], "any", source, "in", OWNER + comment)
        for source in dict.fromkeys(map(canonical, sources))
        for port in parts
    ]


def parse(rules_file: str) -> list[Rule]:
    """Return the rules in the text of user.rules or user6.rules, in their order."""
    rules = []
    for line in rules_file.splitlines():
        if line.startswith(TUPLE):
            spec, _, comment = line.removeprefix(TUPLE).partition(" comment=")
            action, protocol, port, destination, source_port, source, *where = spec.split()
            text = bytes.fromhex(comment.strip()).decode(errors="backslashreplace")
            rules.append(Rule(action, protocol, port, destination, source_port, source, " ".join(where) or "in", text))
    return rules


def difference(present: Sequence[Rule], first: Sequence[Rule], rest: Sequence[Rule], keep: bool = False) -> Plan:
    """Return the steps after which a host has exactly the declared rules beside those made by others.

    With `keep`, rules that are no longer declared stay: what listens on their ports has not moved yet.

    `first` goes above everything else, `rest` below what others made: a `deny` of theirs keeps its force there.
    Rules are added before others are deleted, so that a changed network never leaves a moment without either.
    A declared rule that somebody else has made already is left as it is.

    Raises ConflictError when somebody else's rule has the match of a declared one and another action.
    """
    there = {rule.match: rule for rule in present}
    declared: dict[tuple[str, ...], Rule] = {}
    for rule in [*first, *rest]:
        declared.setdefault(rule.match, rule)
    missing, renamed = [], []
    for match, rule in declared.items():
        other = there.get(match)
        if other is None:
            missing.append(rule)
        elif not other.action.startswith("allow"):
            raise ConflictError(f"The rule '{other}', which Crucible did not make, contradicts the declared '{rule}'.")
        elif other.ours and other.comment != rule.comment:
            renamed.append(rule)
    above = {rule.match for rule in first}
    steps = [Step("prepend", rule) for rule in reversed(missing) if rule.match in above]
    steps += [Step("append", rule) for rule in missing if rule.match not in above]
    steps += [Step("append", rule) for rule in renamed]
    former = [rule for rule in present if rule.ours and rule.match not in declared]
    steps += [Step("delete", rule) for rule in former if not keep]
    foreign = tuple(rule for rule in present if not rule.ours)
    return Plan(tuple(steps), foreign, tuple(former) if keep else ())


def apply(present: Sequence[Rule], steps: Iterable[Step]) -> list[Rule]:
    """Return the rules after `steps`, as ufw carries them out: IPv4's first, then IPv6's."""
    families = {v6: [rule for rule in present if rule.v6 == v6] for v6 in (False, True)}
    for step in steps:
        rules = families[step.rule.v6]
        at = next((i for i, rule in enumerate(rules) if rule.match == step.rule.match), None)
        if step.verb == "delete":
            rules.remove(step.rule)
        elif at is not None:
            rules[at] = step.rule
        else:
            rules.insert(0 if step.verb == "prepend" else len(rules), step.rule)
    return families[False] + families[True]


def admits(rules: Iterable[Rule], client: str, server: str, port: int) -> bool:
    """Return whether a default-deny firewall with these rules lets `client` open a TCP connection to `server`:`port`.

    In doubt the answer is no: a rule bound to an interface may deny, but is not counted on to allow.
    """
    for rule in rules:
        direction = rule.where.split()[-1]
        if rule.routed or not direction.startswith("in") or rule.protocol not in ("any", "tcp"):
            continue
        if rule.source_port != "any" or not _covers(rule.port, port):
            continue
        if _contains(rule.source, client) and _contains(rule.destination, server):
            allows = rule.action.startswith(("allow", "limit"))
            if direction == "in" or not allows:
                return allows
    return False


def _covers(ports: str, port: int) -> bool:
    if ports == "any":
        return True
    ends = [part.partition(":") for part in ports.split(",")]
    return any(int(low) <= port <= int(high or low) for low, _, high in ends)


def _contains(network: str, address: str) -> bool:
    net, host = ip_network(network, strict=False), ip_address(address)
    return net.version == host.version and host in net
