"""The way of a running cluster from plaintext to a secured one, in phases of one rolling restart each.

Each phase is a declaration that any node of the phase before it and of the one after it can live with. The secured
listeners have names and ports of their own, which they keep: a listener's protocol cannot be changed while nodes
restart one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

CLIENT, SECURE, CONTROL = "CLIENT", "SECURE", "CONTROL"
AUTHORIZER = "authorizer.class.name"
ANONYMOUS = "User:ANONYMOUS"
PLAINTEXT_CLUSTER = "plaintext"


@dataclass(frozen=True)
class Phase:
    """What is declared in it.

    `former_clients` and `former_controllers`: the plaintext listeners are still there. `members_moved`: nodes talk over
    the secured ones. With `authorizer` ACLs hold, but for what has none if it is `permissive`; whoever comes
    over the former listener may do everything as long as it is there.
    """

    name: str
    former_controllers: bool = False
    former_clients: bool = True
    members_moved: bool = True
    authorizer: bool = False
    permissive: bool = False


PHASES = (
    Phase("listeners", former_controllers=True, members_moved=False),
    Phase("members", former_controllers=True),
    Phase("authorizer", authorizer=True, permissive=True),
    Phase("acls", authorizer=True),
    Phase("closed", former_clients=False, authorizer=True),
)


def named(name: str) -> Phase | None:
    """The phase of this name; None for none, and for one that the role's argument_specs refuse."""
    return next((phase for phase in PHASES if phase.name == name), None)


def sequence(authorizes: bool) -> list[str]:
    """The phases of a cluster in which each client has a name, or of one that only encrypts."""
    return [phase.name for phase in PHASES if authorizes or phase.name not in ("authorizer", "acls")]


def inter_broker_listener(phase: Phase) -> str:
    """By which listener brokers talk to each other."""
    return "INTERNAL" if phase.members_moved else CLIENT


def controller_listeners(phase: Phase) -> list[str]:
    """Where controllers listen, the first one to connect to."""
    if not phase.former_controllers:
        return [CONTROL]
    return [CONTROL, "CONTROLLER"] if phase.members_moved else ["CONTROLLER", CONTROL]


def admin_listener(phase: Phase) -> str:
    """By which listener the cluster is asked: users are made over the former one, and then log in."""
    return SECURE if phase.members_moved else CLIENT


def running_phase(properties: Mapping[str, str], authorizes: bool) -> str:
    """In which phase a node's process was started, PLAINTEXT_CLUSTER before the first."""
    names = properties.get("controller.listener.names", "").split(",")
    if CONTROL not in names:
        return PLAINTEXT_CLUSTER
    if len(names) > 1:
        return "members" if names[0] == CONTROL else "listeners"
    if not authorizes or AUTHORIZER not in properties or not _has_former_clients(properties):
        return "closed"
    return "authorizer" if properties.get("allow.everyone.if.no.acl.found", "").lower() == "true" else "acls"


def skipped(phase: str, authorizes: bool, running: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield why the nodes that run cannot come to this phase by one rolling restart, in sentences.

    Args:
        phase: The declared one, "" if none is.
        authorizes: Whether the way ends with an authorizer.
        running: The properties with which each node's process was started.
    """
    way = [PLAINTEXT_CLUSTER, *sequence(authorizes)]
    if phase == "":
        plaintext = [name for name, properties in running.items() if _is_plaintext(properties)]
        if plaintext:
            yield (
                f"kafka_security: {_listed(plaintext)} runs in plaintext. Declare kafka_security_phase"
                f" {', '.join(way[1:])} in this order, one run of site.yml for each (docs/security.md)."
            )
        return
    if phase not in way:
        yield f"kafka_security_phase: there is no phase {phase} on this way; it is {', '.join(way[1:])}."
        return
    if phase != "closed" and authorizes and (closed := _closed_without_authorizer(running)):
        yield (
            f"kafka_security_phase: {phase} would open the listener {CLIENT} again, which {_listed(closed)} no longer"
            " has, where kafka_security was tls. From there the way has one phase. Declare closed."
        )
        return
    nodes: dict[str, list[str]] = {}
    for name, properties in running.items():
        nodes.setdefault(running_phase(properties, authorizes), []).append(name)
    there, reached = way.index(phase), sorted(way.index(at) for at in nodes)
    if reached and (there - reached[0] > 1 or reached[-1] - there > 1):
        following = way[reached[0] + 1] if reached[0] < there else way[reached[-1] - 1]
        told = "; ".join(f"{_listed(names)}: {at}" for at, names in nodes.items())
        yield f"kafka_security_phase: {phase} is more than one phase from what runs ({told}). Declare {following} next."


def _closed_without_authorizer(running: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The nodes that came to the end of the way to tls."""
    return [
        name
        for name, properties in running.items()
        if running_phase(properties, authorizes=False) == "closed" and AUTHORIZER not in properties
    ]


def _has_former_clients(properties: Mapping[str, str]) -> bool:
    """Whether clients still come in plaintext; the map has all listeners of the cluster, a controller's, too."""
    mapped = properties.get("listener.security.protocol.map", "").split(",")
    return f"{CLIENT}:PLAINTEXT" in mapped or ANONYMOUS in properties.get("super.users", "").split(";")


def _is_plaintext(properties: Mapping[str, str]) -> bool:
    protocols = [each.split(":")[-1] for each in properties.get("listener.security.protocol.map", "").split(",")]
    return set(protocols) == {"PLAINTEXT"}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))
