"""Who may do what on a cluster, as its running processes and its ACLs say: what is not well, and what is worth knowing.

Pure: no Kafka, no file, no clock. A cluster without an authorizer on which nobody logs in is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .acl_plan import Acl
from .cluster import listed
from .listeners import Listener, running_node

AUTHORIZER = "authorizer.class.name"
SUPER_USERS = "super.users"
ALLOW_EVERYONE = "allow.everyone.if.no.acl.found"
CLIENT_AUTH, MECHANISMS = "ssl.client.auth", "sasl.enabled.mechanisms"
PRINCIPAL_BUILDER, MAPPING_RULES = "principal.builder.class", "ssl.principal.mapping.rules"
LISTENER_KEYS = (CLIENT_AUTH, MECHANISMS, PRINCIPAL_BUILDER, MAPPING_RULES)
# By these the rest is understood, and none of them is a secret.
NODE_KEYS = (
    *(AUTHORIZER, SUPER_USERS, ALLOW_EVERYONE),
    *("process.roles", "listeners", "listener.security.protocol.map", "controller.listener.names"),
)
# Those that keep their ACLs in Kafka or ZooKeeper, where Kafka tells them.
KAFKAS_AUTHORIZERS = (
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "kafka.security.authorizer.AclAuthorizer",
)
ANONYMOUS, EVERYBODY = "User:ANONYMOUS", "User:*"
SCRAM = "SCRAM-"
TOLD = 10


@dataclass(frozen=True)
class Entrance:
    """A listener of one node, and how it learns who comes through it.

    `client_auth` is Kafka's `ssl.client.auth` ("" where it is not set or does not count), `mechanisms` are SASL's.
    `mapped`: certificates give other principals than their distinguished names. `own_principals`: a class of the
    user's own makes the principals.
    """

    listener: Listener
    is_controllers: bool
    client_auth: str
    mechanisms: Sequence[str]
    mapped: bool
    own_principals: bool

    @property
    def authenticates(self) -> bool:
        """Whether nobody comes through without a login or a certificate."""
        return bool(self.mechanisms) or self.client_auth == "required"

    @property
    def offers_scram(self) -> bool:
        """Whether SCRAM users log in here."""
        return any(each.startswith(SCRAM) for each in self.mechanisms)

    def may_make(self, principal: str) -> bool:
        """Whether somebody who is no SCRAM user may come through as this principal, as far as it can be known."""
        if self.own_principals or any(not each.startswith(SCRAM) for each in self.mechanisms):
            return True
        if self.client_auth in ("required", "requested") and (self.mapped or "=" in principal):
            return True
        return principal == ANONYMOUS and not self.authenticates


@dataclass(frozen=True)
class NodeAccess:
    """What a node's process was started with; `authorizer` is the class, "" for none."""

    node: str
    is_broker: bool
    authorizer: str
    super_users: Sequence[str]
    allow_everyone: bool
    entrances: Sequence[Entrance]


@dataclass(frozen=True)
class Access:
    """The access to a cluster by its nodes; `unread` are hosts of which nothing is known.

    All listeners are for clients but those of the controllers and `member_listeners`, which only members reach.
    `open_listeners` are meant to ask for no login.
    """

    nodes: Sequence[NodeAccess] = ()
    unread: Sequence[str] = ()
    member_listeners: Collection[str] = ()
    open_listeners: Collection[str] = ()

    @property
    def entrances(self) -> list[Entrance]:
        """Those of all nodes."""
        return [each for node in self.nodes for each in node.entrances]

    @property
    def with_authorizer(self) -> list[NodeAccess]:
        """The nodes that have one."""
        return [node for node in self.nodes if node.authorizer]

    @property
    def is_secured(self) -> bool:
        """Whether anything is declared at all: an authorizer, or a listener at which one logs in."""
        return bool(self.with_authorizer) or any(each.authenticates for each in self.entrances)

    @property
    def tells_acls(self) -> bool:
        """Whether each broker can be asked for the ACLs."""
        brokers = [node.authorizer for node in self.nodes if node.is_broker]
        return bool(brokers) and all(each in KAFKAS_AUTHORIZERS for each in brokers)

    @property
    def has_scram(self) -> bool:
        """Whether clients log in as SCRAM users, under their own names."""
        scram = [each for each in self.entrances if each.offers_scram and self.for_clients(each)]
        return bool(scram) and not any(each.own_principals for each in scram)

    def for_clients(self, entrance: Entrance) -> bool:
        """Whether clients reach a listener."""
        return not entrance.is_controllers and entrance.listener.name not in self.member_listeners


def access_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """The properties of a node that say who may do what; none of them is a secret."""

    def tells(key: str) -> bool:
        return key in NODE_KEYS or any(key == each or key.endswith(f".{each}") for each in LISTENER_KEYS)

    return {key: value for key, value in properties.items() if tells(key)}


def node_access(node: str, properties: Mapping[str, str]) -> NodeAccess:
    """Return what the `access_properties` of a running process say."""
    running = running_node(node, node, properties)
    return NodeAccess(
        node,
        running.is_broker,
        properties.get(AUTHORIZER, "").strip(),
        _items(properties.get(SUPER_USERS, ""), ";"),
        properties.get(ALLOW_EVERYONE, "").strip().lower() == "true",
        [_entrance(each, each.name in running.controllers, properties) for each in running.listeners.values()],
    )


def access_problems(access: Access) -> Iterator[str]:
    """What is not well with the access to a cluster, in sentences."""
    having = access.with_authorizer
    if lacking := [node for node in access.nodes if having and not node.authorizer]:
        yield (
            f"No authorizer runs on {_named(lacking)}, while one runs on {_named(having)}: what is decided without one "
            f"is permitted to everybody. Set {AUTHORIZER} for all nodes."
        )


def declared_problems(access: Access, security: str, authorizes: bool, encrypts: bool) -> Iterator[str]:
    """Where the nodes run more open than kafka_security has it, in sentences.

    Args:
        access: How the nodes were started.
        security: What kafka_security is.
        authorizes: Whether there is to be an authorizer, by it and its phase.
        encrypts: Whether no listener is to be in plaintext, by both.
    """
    if authorizes and access.nodes and not access.with_authorizer:
        yield (
            f"kafka_security is {security}, and no node that runs has an authorizer, so that whoever is let in may do"
            " everything. Run site.yml (docs/security.md)."
        )
    plaintext = {
        node.node: [each.listener.name for each in node.entrances if each.listener.protocol == "PLAINTEXT"]
        for node in access.nodes
    }
    names = sorted({name for those in plaintext.values() for name in those} - {*access.open_listeners})
    if encrypts and names:
        nodes = listed(node for node, those in plaintext.items() if {*those} & {*names})
        yield (
            f"kafka_security is {security}, and {listed(names)} of {nodes} {'is' if len(names) == 1 else 'are'}"
            " PLAINTEXT. Run site.yml (docs/security.md), or name in kafka_security_open_listeners what is meant to be."
        )


def open_access(access: Access) -> Iterator[str]:
    """Where everybody may do something, in sentences: meant for a while, where a running cluster becomes secured."""
    having = access.with_authorizer
    if everyone := [node for node in having if node.allow_everyone]:
        yield (
            f"The authorizer of {_named(everyone)} permits everything to everybody on whatever has no ACL: "
            f"{ALLOW_EVERYONE} is true."
        )
    if anonymous := [node for node in having if ANONYMOUS in node.super_users]:
        yield (
            f"{SUPER_USERS} of {_named(anonymous)} has {ANONYMOUS}, so whoever comes without a login may do everything."
        )
    if access.is_secured:
        yield from _open_listeners(access)


def access_lines(access: Access, acls: Collection[Acl] | None, users: Collection[str]) -> Iterator[str]:
    """Lines of the page: who decides, and what is worth a look, which may well be meant.

    Args:
        access: How the nodes were started.
        acls: All ACLs of the cluster; None if they are not known.
        users: Names of the SCRAM users.
    """
    if not access.is_secured:
        return
    having = access.with_authorizer
    if having:
        classes = listed(sorted({node.authorizer.rpartition(".")[2] for node in having}))
        yield f"Access: {len(having)} of {len(access.nodes)} nodes have an authorizer ({classes})"
        yield f"  Super users: {listed(_super_users(access), TOLD) or 'none'}"
    else:
        yield "Access: no node has an authorizer, so whoever is let in may do everything"
    if access.unread:
        yield f"  Not known of {listed(access.unread)}"
    yield from _line("Without a login, as kafka_security_open_listeners says", _meant_open(access))
    if acls is not None:
        yield f"  ACLs: {len(acls)} of {len({acl.principal for acl in acls})} principals"
        yield from _line("For everybody, or everything on all names of a kind", sorted(map(str, filter(_wide, acls))))
        if access.has_scram:
            yield from _line("SCRAM users without an ACL of their own", _users_without_acls(access, acls, users))
            nobodys = _principals_without_user(access, acls, users)
            yield from _line("ACLs for principals as which nobody can log in", nobodys)


def _entrance(listener: Listener, is_controllers: bool, properties: Mapping[str, str]) -> Entrance:
    def setting(key: str) -> str:
        own = f"listener.name.{listener.name.lower()}.{key}"
        return properties.get(own, properties.get(key, "")).strip()

    sasl = listener.protocol.startswith("SASL_")
    return Entrance(
        listener,
        is_controllers,
        setting(CLIENT_AUTH).lower() if listener.protocol == "SSL" else "",
        _items(setting(MECHANISMS) or "GSSAPI", ",") if sasl else [],
        setting(MAPPING_RULES) not in ("", "DEFAULT"),
        bool(setting(PRINCIPAL_BUILDER)),
    )


def _open_listeners(access: Access) -> Iterator[str]:
    """Sentences about listeners by which one comes without a login; one for all nodes that have it alike."""
    nodes: dict[tuple[bool, str, str], list[NodeAccess]] = {}
    for node in access.nodes:
        for each in node.entrances:
            if not each.authenticates and each.listener.name not in access.open_listeners:
                how = f"SSL without {CLIENT_AUTH}=required" if each.listener.protocol == "SSL" else "PLAINTEXT"
                nodes.setdefault((access.for_clients(each), each.listener.name, how), []).append(node)
    asking = sorted({each.listener.name for each in access.entrances if each.authenticates})
    others = f"one is asked for at {listed(asking)}" if asking else "there is an authorizer"
    for (for_clients, name, how), those in nodes.items():
        at = f"need no login at the listener {name} of {_named(those)} ({how}), while {others}"
        yield f"Clients {at}." if for_clients else f"Nodes {at}: nothing but a firewall keeps others out."


def _meant_open(access: Access) -> list[str]:
    without_login = {each.listener.name for each in access.entrances if not each.authenticates}
    return sorted(without_login & {*access.open_listeners})


def _users_without_acls(access: Access, acls: Iterable[Acl], users: Iterable[str]) -> list[str]:
    named = {*(acl.principal for acl in acls), *_super_users(access)}
    return sorted(user for user in users if f"User:{user}" not in named)


def _principals_without_user(access: Access, acls: Iterable[Acl], users: Iterable[str]) -> list[str]:
    """The principals of ACLs as which nobody can come: there may be others than SCRAM users, whom Kafka cannot tell."""
    if access.unread:
        return []
    known = {EVERYBODY, *_super_users(access), *(f"User:{user}" for user in users)}
    return sorted(
        principal
        for principal in {acl.principal for acl in acls} - known
        if not any(each.may_make(principal) for each in access.entrances)
    )


def _wide(acl: Acl) -> bool:
    """Whether an ACL permits something to everybody, or everything on all resources of a kind."""
    everything = (acl.name, acl.pattern_type, acl.operation) == ("*", "literal", "all")
    return acl.permission == "allow" and (acl.principal == EVERYBODY or everything)


def _super_users(access: Access) -> list[str]:
    return sorted({user for node in access.with_authorizer for user in node.super_users})


def _line(what: str, which: Sequence[str]) -> Iterator[str]:
    if which:
        yield f"  {what}: {listed(which, TOLD)}"


def _named(nodes: Iterable[NodeAccess]) -> str:
    return listed(node.node for node in nodes)


def _items(text: str, separator: str) -> list[str]:
    return [item.strip() for item in text.split(separator) if item.strip()]
