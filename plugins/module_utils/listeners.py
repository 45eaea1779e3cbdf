"""On which listeners a node listens: as its running process was started, or as the inventory declares it.

Both are brought into one form here, so that the plan for a change (`listener_plan`) compares like with like.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .address import bare, host_port, split_host_port

BROKER, CONTROLLER = "broker", "controller"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True)
class Listener:
    """One listener of one node.

    `port` is what the process listens on and the firewall opens; `host` and `advertised_port` are what others are told.
    `bind` is the address that it listens on, "" for all of them.
    """

    name: str
    port: int
    protocol: str
    host: str
    advertised_port: int
    bind: str = ""

    @property
    def address(self) -> str:
        """Where others reach it, as `host:port`."""
        return host_port(self.host, self.advertised_port)


@dataclass(frozen=True)
class NodeListeners:
    """The listeners of one node, and which of them it uses for what.

    `listeners` are those on which it listens. `controllers` are Kafka's `controller.listener.names`: by the first one
    the node connects to controllers, on all of them a controller listens. `protocols` has those of other nodes, too.
    """

    node: str
    roles: Collection[str]
    listeners: Mapping[str, Listener]
    inter_broker: str
    controllers: Sequence[str] = ()
    protocols: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_broker(self) -> bool:
        """Whether the node is a broker, maybe besides being a controller."""
        return BROKER in self.roles

    @property
    def is_controller(self) -> bool:
        """Whether the node is a controller, maybe besides being a broker."""
        return CONTROLLER in self.roles

    @property
    def broker_listeners(self) -> list[Listener]:
        """The listeners on which brokers and clients are served."""
        return [each for name, each in self.listeners.items() if name not in self.controllers]


def entry_listener(entry: Mapping[str, Any], host: str) -> Listener:
    """Return an entry of `kafka_listeners` for the node whose `kafka_advertised_host` is `host`."""
    return Listener(
        name=str(entry["name"]),
        port=int(entry["port"]),
        protocol=str(entry["security_protocol"]),
        host=bare(str(entry.get("advertised_host") or host)),
        advertised_port=int(entry.get("advertised_port") or entry["port"]),
        bind=bare(str(entry.get("bind") or "")),
    )


def declared_node(
    node: str,
    roles: Collection[str],
    host: str,
    entries: Iterable[Mapping[str, Any]],
    inter_broker: str,
    controllers: Sequence[str],
) -> NodeListeners:
    """Return a node as the inventory declares it; `controllers` is empty in ZooKeeper mode."""
    every = [entry_listener(entry, host) for entry in entries]
    own = [each for each in every if (CONTROLLER if each.name in controllers else BROKER) in roles]
    protocols = {each.name: each.protocol for each in every}
    return NodeListeners(
        node, tuple(roles), {each.name: each for each in own}, inter_broker, tuple(controllers), protocols
    )


def running_node(node: str, host: str, properties: Mapping[str, str]) -> NodeListeners:
    """Return a node as its process was started; `host` stands for an address that the properties leave out."""
    protocols = {name: name for name in PROTOCOLS} | dict(
        entry.rpartition(":")[::2] for entry in _items(properties.get("listener.security.protocol.map", ""))
    )
    bound, advertised = (_endpoints(properties.get(key, "")) for key in ("listeners", "advertised.listeners"))
    listeners = {}
    for name, (bind, port) in bound.items():
        told, told_port = advertised.get(name, ("", port))
        listeners[name] = Listener(name, port, protocols.get(name, name), told or bind or bare(host), told_port, bind)
    inter_broker = properties.get(
        "inter.broker.listener.name", properties.get("security.inter.broker.protocol", PROTOCOLS[0])
    )
    roles = tuple(_items(properties.get("process.roles", BROKER)))
    controllers = tuple(_items(properties.get("controller.listener.names", "")))
    return NodeListeners(node, roles, listeners, inter_broker, controllers, protocols)


def listeners_property(listeners: Iterable[Listener]) -> str:
    """Return Kafka's `listeners`: where a node listens."""
    return ",".join(f"{each.name}://{host_port(each.bind, each.port)}" for each in listeners)


def advertised_property(listeners: Iterable[Listener]) -> str:
    """Return Kafka's `advertised.listeners`: where others are told to find it."""
    return ",".join(f"{each.name}://{each.address}" for each in listeners)


def _endpoints(text: str) -> dict[str, tuple[str, int]]:
    endpoints = {}
    for item in _items(text):
        name, _, address = item.partition("://")
        endpoints[name.strip().upper()] = split_host_port(address)
    return endpoints


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
