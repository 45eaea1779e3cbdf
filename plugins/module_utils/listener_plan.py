"""Which changes of listeners one rolling restart of a running cluster can make.

Until it has ended, some nodes run as before and some as declared, in any mixture if it is interrupted. The change is
safe if any two such nodes can talk to each other, and if one listener serves the gates on all of them. Otherwise it is
refused before anything is touched, with the declarations that lead there, each of which is one safe rolling restart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .listeners import Listener, NodeListeners

SASL, TLS = "SASL_", "SSL"


@dataclass(frozen=True)
class Refusal:
    """Why a declaration cannot be reached in one roll, and the variable that declares it."""

    variable: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.sentence}"


@dataclass(frozen=True)
class AdminEndpoint:
    """How the admin modules reach the cluster, now and while it is changed to what is declared.

    Attributes:
        listener: The listener's name.
        bootstrap_servers: Where brokers listen now, then where they are going to.
        client: What must be laid over `kafka_admin_client`.
        problem: Why `kafka_admin_client` cannot talk to what runs, "" if it can.
    """

    listener: str
    bootstrap_servers: tuple[str, ...]
    client: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Quorum:
    """What the cluster says of its controllers: whether their listeners can change, and those of each voter."""

    dynamic: bool
    voters: Mapping[int, Collection[str]]


@dataclass(frozen=True)
class State:
    """The variables of one declaration: name -> (port, protocol), and which listener serves what."""

    listeners: Mapping[str, tuple[int, str]]
    inter_broker: str
    controllers: tuple[str, ...]
    admin: str

    def variables(self) -> dict[str, str]:
        """The declaration as an operator writes it."""
        entries = ", ".join(f"{name} {port} {protocol}" for name, (port, protocol) in self.listeners.items())
        controllers = {"kafka_controller_listener": f"[{', '.join(self.controllers)}]"} if self.controllers else {}
        return {
            "kafka_listeners": f"[{entries}]",
            "kafka_inter_broker_listener": self.inter_broker,
            **controllers,
            "kafka_admin_listener": self.admin,
        }


def changes(running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners]) -> list[str]:
    """The changes of listeners that running nodes have to be restarted for: `CLIENT moves … (kafka1, kafka2)`."""
    found: dict[str, list[str]] = {}
    for now in running:
        for change in _changes_of(now, declared[now.node]) if now.node in declared else []:
            found.setdefault(change, []).append(now.node)
    return [f"{change} ({', '.join(nodes)})" for change, nodes in found.items()]


def _changes_of(now: NodeListeners, then: NodeListeners) -> Iterator[str]:
    for name in now.listeners.keys() | then.listeners.keys():
        old, new = now.listeners.get(name), then.listeners.get(name)
        if old is None and new is not None:
            yield f"{name} is added on port {new.port}"
        elif new is None and old is not None:
            yield f"{name} is removed from port {old.port}"
        elif old is not None and new is not None:
            if old.port != new.port:
                yield f"{name} moves from port {old.port} to {new.port}"
            if old.protocol != new.protocol:
                yield f"{name} changes from {old.protocol} to {new.protocol}"
    if now.is_broker and now.inter_broker != then.inter_broker:
        yield f"brokers talk over {then.inter_broker} instead of {now.inter_broker}"
    if now.controllers and tuple(now.controllers) != tuple(then.controllers):
        yield f"controllers listen on {', '.join(then.controllers)} instead of {', '.join(now.controllers)}"


def admin_endpoint(
    running: Sequence[NodeListeners],
    declared: Mapping[str, NodeListeners],
    preferred: Sequence[str],
    client_protocol: str,
    client_options: Collection[str],
) -> AdminEndpoint:
    """Choose the listener by which the cluster is asked.

    Args:
        running: The nodes that run; none before the first start.
        declared: Every node by its name.
        preferred: `kafka_admin_listener`, and then the others in the order in which this machine may reach them.
        client_protocol: The security protocol in `kafka_admin_client`.
        client_options: The names of its options.
    """
    brokers = [node for node in running if node.is_broker]
    common = _common_names(brokers or [node for node in declared.values() if node.is_broker])
    every = [name for name in dict.fromkeys([*preferred, *sorted(common)]) if name in common]
    staying = [name for name in every if _stays(name, brokers, declared)]
    problems = []
    for name in [*staying, *(name for name in every if name not in staying)]:
        protocols = {node.listeners[name].protocol for node in brokers} or {_protocol(name, declared)}
        laid_over = _client_for(protocols, client_protocol, client_options)
        if laid_over is not None:
            servers = _addresses(name, brokers) + (_addresses(name, declared.values()) if name in staying else [])
            return AdminEndpoint(name, tuple(dict.fromkeys(servers)), laid_over)
        runs = "run" if brokers else "are declared"
        problems.append(f"brokers {runs} {name} as {' and '.join(sorted(protocols))}")
    first = every[0] if every else preferred[0]
    sentence = (
        "it cannot talk to a listener that all running brokers have "
        f"({'; '.join(problems) or 'they have none in common'}); "
        "set security_protocol in it to that of the running listener, with the sasl_… and ssl_… options that go with it"
    )
    return AdminEndpoint(first, tuple(_addresses(first, brokers) or _addresses(first, declared.values())), {}, sentence)


def _common_names(brokers: Sequence[NodeListeners]) -> set[str]:
    """The listeners that all of these brokers serve brokers and clients on."""
    names = [{each.name for each in node.broker_listeners} for node in brokers]
    return set.intersection(*names) if names else set()


def _stays(name: str, brokers: Sequence[NodeListeners], declared: Mapping[str, NodeListeners]) -> bool:
    """Whether a listener is there throughout the roll, with one protocol."""
    then = [node.listeners.get(name) for node in declared.values() if node.is_broker]
    protocols = {each.protocol for each in then if each} | {node.listeners[name].protocol for node in brokers}
    return all(then) and len(protocols) == 1


def _protocol(name: str, declared: Mapping[str, NodeListeners]) -> str:
    return next((node.protocols[name] for node in declared.values() if name in node.protocols), "")


def _addresses(name: str, nodes: Collection[NodeListeners]) -> list[str]:
    return [node.listeners[name].address for node in nodes if node.is_broker and name in node.listeners]


def _client_for(protocols: Collection[str], client_protocol: str, options: Collection[str]) -> dict[str, str] | None:
    """What to lay over the client's options so that they speak the one protocol; None where something is missing."""
    if len(protocols) != 1:
        return None
    (protocol,) = protocols
    if protocol == client_protocol:
        return {}
    has_tls = client_protocol.endswith(TLS) or any(option.startswith("ssl_") for option in options)
    lacks_tls = protocol.endswith(TLS) and not has_tls
    lacks_sasl = protocol.startswith(SASL) and "sasl_mechanism" not in options
    return None if lacks_tls or lacks_sasl else {"security_protocol": protocol}


def refusals(
    running: Sequence[NodeListeners],
    declared: Mapping[str, NodeListeners],
    admin: AdminEndpoint,
    quorum: Quorum | None = None,
) -> list[Refusal]:
    """Why the running nodes cannot be brought to what is declared by restarting them one at a time.

    `quorum` is what the cluster says of its controllers, None where it does not answer or has none.
    """
    present = [node for node in running if node.node in declared]
    if not changes(present, declared):
        return []
    found = [
        *_protocol_in_place(present, declared),
        *_port_taken(present, declared),
        *_inter_broker(present, declared),
        *_controllers(present, declared, quorum),
    ]
    brokers = [node for node in present if node.is_broker]
    if (
        brokers
        and not found
        and not _stays(admin.listener, [node for node in brokers if admin.listener in node.listeners], declared)
    ):
        sentence = f"{admin.listener}, by which the running brokers are asked, would go away broker by broker"
        found.append(Refusal("kafka_admin_listener", f"{sentence}; keep one listener through the change"))
    return list(dict.fromkeys(found))


def _protocol_in_place(running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners]) -> Iterator[Refusal]:
    for now in running:
        for name, listener in now.listeners.items():
            new = declared[now.node].listeners.get(name)
            if new is not None and new.protocol != listener.protocol:
                sentence = (
                    f"{name} runs as {listener.protocol} and is declared as {new.protocol}; "
                    f"while nodes restart one by one, whoever uses {name} could talk to only some of them"
                )
                yield Refusal("kafka_listeners", sentence)


def _port_taken(running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners]) -> Iterator[Refusal]:
    for now in running:
        names = {listener.port: name for name, listener in now.listeners.items()}
        for name, listener in declared[now.node].listeners.items():
            if names.get(listener.port, name) != name:
                sentence = f"{name} is to have port {listener.port}, on which {names[listener.port]} runs"
                yield Refusal("kafka_listeners", f"{sentence}; give it a port on which no other listener runs")


def _inter_broker(running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners]) -> Iterator[Refusal]:
    brokers = [node for node in running if node.is_broker]
    staying = [declared[node.node] for node in brokers if declared[node.node].is_broker]
    for name in dict.fromkeys(then.inter_broker for then in staying):
        if any(name not in now.listeners for now in brokers):
            sentence = f"running brokers do not have {name} yet, so that none could reach them over it"
            yield Refusal("kafka_inter_broker_listener", sentence)
    for name in dict.fromkeys(now.inter_broker for now in brokers):
        if any(name not in then.listeners for then in staying):
            sentence = f"running brokers talk over {name}, which they would lose one by one"
            yield Refusal("kafka_listeners", sentence)


def _controllers(
    running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners], quorum: Quorum | None
) -> Iterator[Refusal]:
    """A node connects to controllers by the first of its names, where it was told that they listen."""
    controllers = [node for node in running if node.is_controller]
    for now in (node for node in running if node.controllers):
        for then in (declared[node.node] for node in controllers if declared[node.node].is_controller):
            used, going_to_use = now.controllers[0], (then.controllers or now.controllers)[0]
            if used not in then.listeners:
                sentence = (
                    f"running nodes reach the controllers over {used}, which the controllers would lose one by one"
                )
                yield Refusal("kafka_controller_listener", sentence)
            for name, before in (
                (name, _controller_listener(name, controllers, then.node)) for name in (used, going_to_use)
            ):
                if before is None:
                    sentence = (
                        f"running controllers do not listen on {name} yet, so that no node could reach them over it"
                    )
                    yield Refusal("kafka_controller_listener", sentence)
                elif name in then.listeners and then.listeners[name].port != before.port:
                    sentence = (
                        f"{name}, by which nodes reach the controllers, runs on port {before.port} and is declared on "
                        f"{then.listeners[name].port}; controllers move by a second listener"
                    )
                    yield Refusal("kafka_listeners", sentence)
    if quorum is not None and any(
        tuple(node.controllers) != tuple(declared[node.node].controllers) for node in running
    ):
        yield from _quorum_refusals(quorum, next(iter(declared.values())).controllers)


def _controller_listener(name: str, controllers: Sequence[NodeListeners], node: str) -> Listener | None:
    return next((each.listeners.get(name) for each in controllers if each.node == node), None)


def _quorum_refusals(quorum: Quorum, names: Sequence[str]) -> Iterator[Refusal]:
    if not quorum.dynamic:
        sentence = "the quorum is static (kraft.version 0), so that voters cannot tell where else they listen"
        yield Refusal("kafka_controller_listener", f"{sentence}; finalize kraft.version 1 first")
    missing = [str(node_id) for node_id, known in quorum.voters.items() if known and names and names[0] not in known]
    if missing:
        sentence = f"the quorum does not know {names[0]} of controller {', '.join(missing)} yet; run again once it does"
        yield Refusal("kafka_controller_listener", sentence)


def sequence(
    running: Sequence[NodeListeners], declared: Mapping[str, NodeListeners], admin: str, now_admin: str
) -> list[State]:
    """The declarations that lead from what runs to what is declared, each one safe roll; the last one is reached then.

    A listener that changes under its name comes beside itself under a new name, which it keeps.

    Args:
        running: The nodes that run.
        declared: Every node.
        admin: The declared `kafka_admin_listener`.
        now_admin: The listener by which the cluster is asked now.
    """
    old, controllers = _listeners_of(running), _names(running)
    new, renamed = _renamed(old, _listeners_of(declared.values()), controllers)
    end = next(iter(declared.values()))
    final = State(
        listeners=new,
        inter_broker=renamed.get(end.inter_broker, end.inter_broker),
        controllers=tuple(renamed.get(name, name) for name in end.controllers),
        admin=renamed.get(admin, admin),
    )
    brokers = [node for node in running if node.is_broker]
    both = old | new
    beside = State(
        listeners=both,
        inter_broker=_first_known([final.inter_broker, *(node.inter_broker for node in brokers)], brokers),
        controllers=tuple(dict.fromkeys([*_serving(running, final.controllers), *final.controllers])),
        admin=now_admin,
    )
    used = State(both, final.inter_broker, tuple(dict.fromkeys([*final.controllers, *beside.controllers])), final.admin)
    steps: list[State] = []
    for state in (beside, used, final):
        reached = state == steps[-1] if steps else _runs_as(state, running)
        if not reached:
            steps.append(state)
    return steps


def _runs_as(state: State, running: Sequence[NodeListeners]) -> bool:
    """Whether every node runs as the state declares it, so that no roll is needed for it."""
    return all(
        {name: (each.port, each.protocol) for name, each in node.listeners.items()}
        == {
            name: at
            for name, at in state.listeners.items()
            if (node.is_controller if name in state.controllers else node.is_broker)
        }
        and (not node.is_broker or node.inter_broker == state.inter_broker)
        and (not node.controllers or tuple(node.controllers) == state.controllers)
        for node in running
    )


def _serving(running: Sequence[NodeListeners], declared: Sequence[str]) -> list[str]:
    """The controllers' listeners that run, first the one that every node may use."""
    controllers = [node for node in running if node.is_controller]
    names = _names(running)
    first = _first_known([*declared[:1], *(node.controllers[0] for node in running if node.controllers)], controllers)
    return [first, *(name for name in names if name != first)] if first else list(names)


def _names(running: Sequence[NodeListeners]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for node in running for name in node.controllers))


def _first_known(names: Sequence[str], nodes: Sequence[NodeListeners]) -> str:
    """The first name that every node listens on."""
    return next((name for name in names if all(name in node.listeners for node in nodes)), names[-1] if names else "")


def _listeners_of(nodes: Collection[NodeListeners]) -> dict[str, tuple[int, str]]:
    return {name: (each.port, each.protocol) for node in nodes for name, each in node.listeners.items()}


def _renamed(
    old: Mapping[str, tuple[int, str]], new: Mapping[str, tuple[int, str]], controllers: Collection[str]
) -> tuple[dict[str, tuple[int, str]], dict[str, str]]:
    """The declared listeners, those under a new name and on a free port that cannot change in place."""
    listeners, renamed = {}, {}
    for name, (port, protocol) in new.items():
        before = old.get(name, (port, protocol))
        moves = before[0] != port and name in controllers
        if before[1] == protocol and not moves and all(other == name or at[0] != port for other, at in old.items()):
            listeners[name] = (port, protocol)
            continue
        taken = {at[0] for at in [*old.values(), *listeners.values()]}
        taken |= {at[0] for other, at in new.items() if other != name}
        free = next(number for number in [port, *range(port + 100, 65536), *range(1024, 65536)] if number not in taken)
        fresh = name if name not in old else f"{name}_{protocol if before[1] != protocol else free}"
        listeners[fresh] = (free, protocol)
        renamed[name] = fresh if fresh != name else name
    return listeners, renamed
