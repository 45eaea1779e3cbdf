"""What kafka_security stands for: the listeners, the properties and the login of the administrator, as data.

The nodes know each other by the certificates of their members' listeners in every secured cluster, so there is no
password that has to be changed on all of them at once. The values differ in how clients come.

A cluster that runs in plaintext becomes a secured one by the phases of security_phase.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .security_phase import ANONYMOUS, AUTHORIZER, CONTROL, SECURE, Phase
from .security_phase import named as phase_named
from .user_plan import DEFAULT_MECHANISM, password_problems

KEYSTORE, TRUSTSTORE = "/etc/kafka/tls/keystore.pem", "/etc/kafka/tls/truststore.pem"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
USER_NAME = re.compile(r"[A-Za-z0-9._-]+")
# By these Kafka makes another principal of a certificate than its subject, for all listeners or for one.
PRINCIPAL_KEYS = re.compile(r"(listener\.name\.[^.]+\.)?(ssl\.principal\.mapping\.rules|principal\.builder\.class)")
AUTHORIZERS = {
    "kraft": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "zookeeper": "kafka.security.authorizer.AclAuthorizer",
}


@dataclass(frozen=True)
class Security:
    """How clients come: the protocol of their listeners, whether they show a certificate, whether each has a name."""

    client_protocol: str
    client_certificates: bool = False
    authorizes: bool = False

    @property
    def encrypts(self) -> bool:
        """Whether anything is secured at all."""
        return self.client_protocol != "PLAINTEXT"

    @property
    def has_passwords(self) -> bool:
        """Whether clients log in by a password."""
        return self.client_protocol.startswith("SASL_")


PLAINTEXT = Security("PLAINTEXT")
SECURITIES = {
    "plaintext": PLAINTEXT,
    "tls": Security("SSL"),
    "mtls": Security("SSL", client_certificates=True, authorizes=True),
    "scram": Security("SASL_SSL", authorizes=True),
}


def named(name: str) -> Security:
    """The one of this name. The role's argument_specs refuse others; until they have, they are like plaintext."""
    return SECURITIES.get(name, PLAINTEXT)


def listeners(security: Security, phase: Phase | None = None) -> list[dict[str, Any]]:
    """The entries of `kafka_listeners`, unless the inventory has its own."""
    if phase is not None:
        former = [_entry("CLIENT", 9092, "PLAINTEXT", "clients")] if phase.former_clients else []
        former += [_entry("CONTROLLER", 9093, "PLAINTEXT", "members")] if phase.former_controllers else []
        own = [_entry(SECURE, 9192, security.client_protocol, "clients"), _entry("INTERNAL", 9094, "SSL", "members")]
        return [*former, *own, _entry(CONTROL, 9193, "SSL", "members")]
    members = "SSL" if security.encrypts else "PLAINTEXT"
    internal = [_entry("INTERNAL", 9094, members, "members")] if security.encrypts else []
    clients = _entry("CLIENT", 9092, security.client_protocol, "clients")
    return [clients, *internal, _entry("CONTROLLER", 9093, members, "members")]


def _entry(name: str, port: int, protocol: str, reachable_by: str) -> dict[str, Any]:
    return {"name": name, "port": port, "security_protocol": protocol, "reachable_by": reachable_by}


def properties(
    security: Security,
    mode: str,
    entries: Sequence[Mapping[str, Any]],
    member_listeners: Sequence[str],
    nodes: Sequence[str],
    administrator: str,
    phase: Phase | None = None,
) -> dict[str, Any]:
    """The broker properties for the listeners that there are, under any names.

    Args:
        security: How clients come.
        mode: kraft or zookeeper.
        entries: Those of `kafka_listeners`.
        member_listeners: The names of those by which nodes talk to each other.
        nodes: The hosts' names in the inventory, which their certificates have.
        administrator: The user's name for which no ACL is needed.
        phase: On the way there.
    """
    if not security.encrypts:
        return {}
    found: dict[str, Any] = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": KEYSTORE,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": TRUSTSTORE,
    }
    for entry in entries:
        prefix = f"listener.name.{entry['name'].lower()}"
        for_members = entry["name"] in member_listeners or entry["reachable_by"] == "members"
        if entry["security_protocol"] == "SSL" and (for_members or security.client_certificates):
            found[f"{prefix}.ssl.client.auth"] = "required"
        if entry["security_protocol"].startswith("SASL_") and security.has_passwords:
            found[f"{prefix}.sasl.enabled.mechanisms"] = DEFAULT_MECHANISM
            found[f"{prefix}.{DEFAULT_MECHANISM.lower()}.sasl.jaas.config"] = SCRAM_LOGIN
    if security.authorizes and (phase is None or phase.authorizer):
        first = f"User:{administrator}" if security.has_passwords else _by_certificate(administrator)
        found[AUTHORIZER] = AUTHORIZERS[mode]
        anonymous = [ANONYMOUS] if phase is not None and phase.former_clients else []
        found["super.users"] = ";".join([first, *map(_by_certificate, nodes), *anonymous])
        if phase is not None and phase.permissive:
            found["allow.everyone.if.no.acl.found"] = True
    return found


def _by_certificate(name: str) -> str:
    return f"User:CN={name}"


def client(security: Security, authority_dir: str, user: str, password: str) -> dict[str, str]:
    """How a user's client reaches the cluster, as options of kafka-python; files are where the role tls puts them."""
    if not security.encrypts:
        return {}
    options = {"security_protocol": security.client_protocol, "ssl_cafile": f"{authority_dir}/ca.crt"}
    if security.client_certificates:
        keystore = f"{authority_dir}/clients/{user}.pem"
        options |= {"ssl_certfile": keystore, "ssl_keyfile": keystore}
    if security.has_passwords:
        options |= {"sasl_mechanism": DEFAULT_MECHANISM, "sasl_plain_username": user, "sasl_plain_password": password}
    return options


def client_properties(options: Mapping[str, str], servers: Sequence[str]) -> dict[str, str]:
    """The same `client` as Kafka's own tools, the load harness and most Java applications are told it."""
    found = {"bootstrap.servers": ",".join(servers), "security.protocol": options.get("security_protocol", "PLAINTEXT")}
    for option, key in (("ssl_cafile", "ssl.truststore"), ("ssl_certfile", "ssl.keystore")):
        if option in options:
            found |= {f"{key}.type": "PEM", f"{key}.location": options[option]}
    if "sasl_mechanism" in options:
        login = {"username": options["sasl_plain_username"], "password": options["sasl_plain_password"]}
        quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in login.items()}
        found["sasl.mechanism"] = options["sasl_mechanism"]
        words = [SCRAM_LOGIN.removesuffix(";"), *(f'{key}="{value}"' for key, value in quoted.items())]
        found["sasl.jaas.config"] = f"{' '.join(words)};"
    return found


@dataclass(frozen=True)
class Declared:
    """What the inventory says besides `kafka_security`; `config` has the keys of kafka_config.

    `ca` is where kafka_admin_client looks for the authority's certificate on `admin_host`, "" if it says otherwise.
    `open_listeners` are meant to be PLAINTEXT.
    """

    mode: str
    phase: str
    entries: Sequence[Mapping[str, Any]]
    inter_broker_listener: str
    config: Sequence[str]
    admin_user: str
    admin_password: Any
    tls_enabled: bool
    authority_host: str
    admin_host: str
    ca: str
    open_listeners: Sequence[str] = ()


def problems(name: str, declared: Declared) -> Iterator[str]:
    """Yield what cannot work, each in a sentence that names the variable to change and never shows the password."""
    security = named(name)
    if declared.phase and (not security.encrypts or declared.mode != "kraft"):
        yield (
            f"kafka_security_phase: {declared.phase} is a phase of the way to tls, mtls or scram in kafka_mode kraft;"
            " take it away, or set kafka_security."
        )
    if not security.encrypts:
        return
    if security.has_passwords and declared.mode == "zookeeper":
        yield (
            "kafka_security: scram needs kafka_mode kraft, whose storage is formatted with the administrator's"
            " password. With ZooKeeper choose tls or mtls, or declare listeners and kafka_config (docs/access.md)."
        )
    elif security.has_passwords:
        if declared.admin_password == "":
            yield "kafka_admin_password: kafka_security scram needs it; keep it in a vault."
        else:
            yield from (f"kafka_admin_password: {why}" for why in password_problems(declared.admin_password))
    if security.authorizes and not USER_NAME.fullmatch(declared.admin_user):
        yield (
            f"kafka_admin_user: '{declared.admin_user}' would be in super.users and, with mtls, the name of a file;"
            " use letters, digits, '.', '_' and '-'."
        )
    yield from _principal_problems(security, declared)
    yield from _plaintext_problems(name, declared)
    protocols = {str(entry["name"]): str(entry["security_protocol"]) for entry in declared.entries}
    inter_broker = protocols.get(declared.inter_broker_listener, "")
    if inter_broker.startswith("SASL_") and "sasl.mechanism.inter.broker.protocol" not in declared.config:
        yield (
            f"kafka_inter_broker_listener: {declared.inter_broker_listener} is {inter_broker}, and kafka_security"
            f" {name} gives brokers certificates and no password; name a listener of SSL."
        )
    if declared.tls_enabled and declared.ca and declared.authority_host != declared.admin_host:
        yield (
            f"kafka_admin_client: the authority's certificate is on {declared.authority_host} (tls_authority_host), and"
            f" {declared.admin_host} (kafka_admin_host) asks the cluster; say kafka_admin_client with a copy of it."
        )


def _principal_problems(security: Security, declared: Declared) -> Iterator[str]:
    """Why the nodes would be no super users: their certificates' subjects are not their principals."""
    phase = phase_named(declared.phase)
    if not security.authorizes or (phase and not phase.authorizer) or "super.users" in declared.config:
        return
    for key in filter(PRINCIPAL_KEYS.fullmatch, declared.config):
        yield (
            f"kafka_config: {key} makes other principals of the nodes' certificates than User:CN= and the host's name,"
            " by which kafka_security names them in super.users, so that they would refuse each other. Say super.users,"
            " too, with the principals that it makes."
        )


def _plaintext_problems(name: str, declared: Declared) -> Iterator[str]:
    """Which listeners stay open where the way ends, or there is none."""
    phase = phase_named(declared.phase)
    if phase and phase.former_clients:
        return
    for entry in declared.entries:
        if entry["security_protocol"] == "PLAINTEXT" and entry["name"] not in declared.open_listeners:
            yield (
                f"kafka_listeners: {entry['name']} is PLAINTEXT, so that whoever reaches its port needs no login, while"
                f" kafka_security is {name}. Give it another security_protocol, or name it in"
                " kafka_security_open_listeners."
            )
