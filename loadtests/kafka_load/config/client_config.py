"""`--client-config FILE`: how clients reach a secured cluster, as Kafka's own tools are told by a client.properties.

The file has Java's names, librdkafka's, or both. A Java name is translated only where the meaning is certain;
otherwise one sentence names the key and what to set instead. Every process of a run reads the file for itself, so that
nothing secret is in an argument, in a message between processes or in the results. No message here contains a value
that may be secret.

Sources: Kafka's client configs (SslConfigs, SaslConfigs), librdkafka's CONFIGURATION.md.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from kafka_load.config import jaas, properties_file
from kafka_load.librdkafka.property_check import UNKNOWN, why_refused

FLAG, ENV = "--client-config", "KAFKA_CLIENT_CONFIG"
SECRETS = frozenset(
    (
        *("sasl.password", "sasl.jaas.config", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password"),
        *("ssl.keystore.key", "ssl.truststore.password", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret"),
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
    )
)
"""Properties whose values are secret."""

_RECORDS = "leave it out: the harness makes and reads the bytes of its records"
_COMMITS = "leave it out: the harness commits what it has judged, see --commit-ms"
HARNESS_SETS = {
    "bootstrap.servers": "use --bootstrap-servers",
    "metadata.broker.list": "use --bootstrap-servers",
    "test.mock.num.brokers": "leave it out: each client would have a cluster of its own",
    "delivery.report.only.error": "leave it out: the harness has to learn of each acknowledgement",
    "client.id": "leave it out: by its client.id the harness tells its own members of a group from others",
    "group.id": "leave it out: the groups are those of the profile's users, see --group-prefix",
    "group.instance.id": "use --static-members",
    "group.protocol": "use --group-protocol",
    "partition.assignment.strategy": "use --assignor",
    "session.timeout.ms": "use --session-timeout-ms",
    "heartbeat.interval.ms": "use --session-timeout-ms",
    "auto.offset.reset": "leave it out: groups begin where the log ended before the run",
    "enable.auto.commit": _COMMITS,
    "auto.commit.interval.ms": _COMMITS,
    "enable.auto.offset.store": _COMMITS,
    "enable.partition.eof": "leave it out: the harness has to learn where the log ends",
    "isolation.level": "use --read-uncommitted",
    "share.acknowledgement.mode": "leave it out: the harness acknowledges each record by itself",
    "transactional.id": "use --transaction-records",
    "acks": "use --acks",
    "request.required.acks": "use --acks",
    "enable.idempotence": "use --no-idempotence",
    "compression.type": "use --compression",
    "compression.codec": "use --compression",
    "linger.ms": "use --linger-ms",
    "queue.buffering.max.ms": "use --linger-ms",
    "batch.size": "use --batch-bytes",
    "max.in.flight": "use --max-in-flight",
    "max.in.flight.requests.per.connection": "use --max-in-flight",
    **dict.fromkeys(("key.serializer", "value.serializer", "key.deserializer", "value.deserializer"), _RECORDS),
}
"""What the harness sets itself, because the verdict stands on it or an option has it; and what to do instead."""

_SAME = {
    "sasl.mechanism": "sasl.mechanisms",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
}
"""Java's names of what librdkafka has under another one, with the same values."""

_OPENSSL = "leave it out: OpenSSL agrees with the broker on the newest version that both know"
_INSTEAD = {
    "ssl.protocol": _OPENSSL,
    "ssl.enabled.protocols": _OPENSSL,
    "ssl.provider": "leave it out: librdkafka uses OpenSSL",
    "ssl.truststore.password": "leave it out: a truststore of type PEM has no password",
    "ssl.keymanager.algorithm": "leave it out: librdkafka uses OpenSSL",
    "ssl.trustmanager.algorithm": "leave it out: librdkafka uses OpenSSL",
    "sasl.client.callback.handler.class": "leave it out and set librdkafka's sasl.… properties",
    "sasl.login.class": "leave it out and set librdkafka's sasl.… properties",
    "request.timeout.ms": "set socket.timeout.ms: librdkafka has request.timeout.ms for another thing",
    "default.api.timeout.ms": "set socket.timeout.ms",
    "max.request.size": "set message.max.bytes",
    "buffer.memory": "set queue.buffering.max.kbytes",
    "max.block.ms": "leave it out: the harness does not block a producer",
    "delivery.timeout.ms": "leave it out: the harness waits for each acknowledgement as long as its verdict needs",
    "metric.reporters": "leave it out: librdkafka takes no classes of Java",
    "interceptor.classes": "leave it out: librdkafka takes no classes of Java",
}
"""Java's properties that cannot be translated, and what to do instead."""

_PLAIN = {"username": "sasl.username", "password": "sasl.password"}
_JAAS: dict[str, dict[str, str]] = {
    "PlainLoginModule": _PLAIN,
    "ScramLoginModule": _PLAIN,
    "OAuthBearerLoginModule": {
        "clientId": "sasl.oauthbearer.client.id",
        "clientSecret": "sasl.oauthbearer.client.secret",
        "scope": "sasl.oauthbearer.scope",
    },
}
"""Options of login modules, and librdkafka's properties of the same meaning."""

_OIDC_HANDLER = "OAuthBearerLoginCallbackHandler"
_PROBE = "probe"  # a value of ssl.ca.location that is no file
_FILES = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location")
_PRIVATE_FILES = ("ssl.key.location", "ssl.keystore.location")
_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


class ClientConfigError(ValueError):
    """A client's configuration that cannot be used; the message is one sentence that names the key and the way out."""


@dataclass(frozen=True)
class ClientConfig:
    """What a file says: librdkafka's `properties`, the `bootstrap` servers if it has them, and `warnings` to print."""

    properties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    bootstrap: str = ""
    warnings: tuple[str, ...] = ()


def read(path: str, environment: Mapping[str, str] = os.environ) -> ClientConfig:
    """Read the file that `--client-config` names; nothing if `path` is empty.

    Raises:
        ClientConfigError: if it cannot be read or used, in one sentence.
    """
    if not path:
        return ClientConfig()
    where = f"{FLAG} {path}"
    try:
        content = Path(path).read_bytes()
        given = properties_file.parse(content, where)
        resolved = properties_file.resolve(given, environment, where)
    except OSError as error:
        raise ClientConfigError(f"{where} cannot be read: {error.strerror}") from None
    except properties_file.PropertiesError as error:
        raise ClientConfigError(str(error)) from None
    found = translate(resolved, where)
    for name, value in found.items():
        if why := why_refused(name, value):
            shown = "" if name in SECRETS else f": {why}"
            raise ClientConfigError(f"{name} in {where} has a value that librdkafka does not take{shown}")
        if name in _FILES and value != _PROBE:
            _see_readable(value, f"{name} in {where}")
    literal = any("${" not in given[name] for name in SECRETS & given.keys())
    private = [*([path] if literal else []), *(found[name] for name in _PRIVATE_FILES if name in found)]
    warnings = [
        f"{one} holds secrets, and every user of this machine can read it: chmod 600 {one}"
        for one in dict.fromkeys(private)
        if Path(one).stat().st_mode & stat.S_IROTH
    ]
    return ClientConfig(found, resolved.get("bootstrap.servers", ""), tuple(warnings))


def check_given(name: str, value: str) -> None:
    """See that a property may be given on the command line (`--client NAME=VALUE`).

    Raises:
        ClientConfigError: if it is secret, the harness sets it itself, or librdkafka does not take it.
    """
    if name in SECRETS:
        raise ClientConfigError(
            f"--client {name}: everybody on this machine can read a command's arguments; put it into a file of"
            f" properties and give {FLAG} FILE"
        )
    if name in HARNESS_SETS:
        raise ClientConfigError(f"--client {name}: {HARNESS_SETS[name]}")
    if why := why_refused(name, value):
        raise ClientConfigError(f"--client {name}: librdkafka does not take it: {why}")


def translate(given: Mapping[str, str], where: str) -> dict[str, str]:
    """librdkafka's properties for those of Java and librdkafka in `given`, without the bootstrap servers.

    Raises:
        ClientConfigError: for a key that the harness sets itself or that cannot be translated with certainty.
    """
    left = {name: value for name, value in given.items() if name != "bootstrap.servers"}
    found: dict[str, str] = {}
    for step in (_store_types, _truststore, _keystore, _login, _names):
        for name, value in step(left, where):
            if found.get(name, value) != value:
                raise ClientConfigError(f"{where} sets {name} twice, under its own name and under Java's: keep one")
            found[name] = value
    return found


_Pairs = Iterable[tuple[str, str]]


def _store_types(left: dict[str, str], where: str) -> _Pairs:
    """Refuse stores that librdkafka cannot read, before anything is taken out of `left`."""
    stores = (
        ("ssl.truststore", ("PEM",), "keytool -exportcert -rfc, and set ssl.truststore.type=PEM"),
        ("ssl.keystore", ("PEM", "PKCS12"), "keytool -importkeystore -deststoretype PKCS12, and set it to PKCS12"),
    )
    for store, types, way in stores:
        used = [name for name in (f"{store}.location", f"{store}.certificates", f"{store}.key") if name in left]
        kind = left.get(f"{store}.type", "").upper()
        if used and kind not in types:
            raise ClientConfigError(
                f"{store}.type in {where} must be {' or '.join(types)}, not {kind or 'left out'}: librdkafka reads no"
                f" store of type JKS, which is Java's default; convert it by {way}"
            )
    return ()


def _truststore(left: dict[str, str], where: str) -> _Pairs:
    left.pop("ssl.truststore.type", None)
    found = {}
    if location := left.pop("ssl.truststore.location", ""):
        found["ssl.ca.location"] = location
    if certificates := left.pop("ssl.truststore.certificates", ""):
        found["ssl.ca.pem"] = _pem(certificates, "ssl.truststore.certificates", where)
    return found.items()


def _keystore(left: dict[str, str], where: str) -> _Pairs:
    kind = left.pop("ssl.keystore.type", "").upper()
    if kind == "PKCS12":
        return ()  # librdkafka has it under the same names
    found: dict[str, str] = {}
    if location := left.pop("ssl.keystore.location", ""):  # one file with the key and the certificates
        found |= {"ssl.certificate.location": location, "ssl.key.location": location}
        if "ssl.keystore.password" in left:
            raise ClientConfigError(
                f"ssl.keystore.password in {where}: a keystore of type PEM has none; set ssl.key.password, the"
                " password of its private key"
            )
    for name, ours in (("ssl.keystore.certificate.chain", "ssl.certificate.pem"), ("ssl.keystore.key", "ssl.key.pem")):
        if value := left.pop(name, ""):
            found[ours] = _pem(value, name, where)
    return found.items()


def _login(left: dict[str, str], where: str) -> _Pairs:
    """The login module and its callback handler."""
    found: dict[str, str] = {}
    fetches = left.get("sasl.oauthbearer.method", "").lower() == "oidc"
    handler = left.pop("sasl.login.callback.handler.class", "")
    if handler and handler.rpartition(".")[2] != _OIDC_HANDLER:
        raise ClientConfigError(
            f"sasl.login.callback.handler.class in {where}: librdkafka has no classes of Java; it fetches tokens"
            " itself with sasl.oauthbearer.method=oidc and sasl.oauthbearer.token.endpoint.url"
        )
    if handler and not fetches:
        found["sasl.oauthbearer.method"] = "oidc"
    text = left.pop("sasl.jaas.config", "")
    if not text:
        return found.items()
    try:
        module = jaas.parse(text)
    except jaas.JaasError as error:
        raise ClientConfigError(f"sasl.jaas.config in {where} cannot be read: {error}") from None
    names = _JAAS.get(module.name)
    if names is None:
        raise ClientConfigError(
            f"sasl.jaas.config in {where}: login modules of {', '.join(_JAAS)} are translated, not {module.name};"
            " set librdkafka's sasl.… properties instead"
        )
    unknown = sorted(module.options.keys() - names.keys())
    if unknown:
        raise ClientConfigError(
            f"sasl.jaas.config in {where}: the option {unknown[0]} of {module.name} cannot be translated; set"
            " librdkafka's sasl.… properties instead"
        )
    if module.name == "OAuthBearerLoginModule" and not fetches:
        found["sasl.oauthbearer.method"] = "oidc"
    return [*found.items(), *((names[option], value) for option, value in module.options.items())]


def _names(left: dict[str, str], where: str) -> Iterator[tuple[str, str]]:
    for name, value in left.items():
        if way := HARNESS_SETS.get(name) or _INSTEAD.get(name):
            raise ClientConfigError(f"{name} in {where}: {way}")
        if name == "ssl.endpoint.identification.algorithm":
            value = value or "none"  # noqa: PLW2901 - Java turns the check off by an empty text
        if name == "ssl.cipher.suites" and re.search(r"\b(?:TLS|SSL)_", value):
            raise ClientConfigError(
                f"{name} in {where} has Java's names: write those of `openssl ciphers`, or leave it out"
            )
        ours = _SAME.get(name, name)
        if why_refused(ours, value) == UNKNOWN:
            raise ClientConfigError(
                f"{name} in {where} is neither a property of librdkafka nor one of Java's that can be translated:"
                " leave it out, or look for its like in librdkafka's CONFIGURATION.md"
            )
        yield ours, value


def _pem(text: str, name: str, where: str) -> str:
    """PEM with its lines, which a file of properties may have joined to one."""
    blocks = _PEM_BLOCK.findall(text)
    if not blocks or any(":" in body for _, body in blocks):
        raise ClientConfigError(f"{name} in {where} is not PEM: it needs -----BEGIN …----- and -----END …-----")
    lines = []
    for kind, body in blocks:
        packed = "".join(body.split())
        lines += [f"-----BEGIN {kind}-----", *re.findall(".{1,64}", packed), f"-----END {kind}-----"]
    return "\n".join(lines) + "\n"


def _see_readable(path: str, what: str) -> None:
    try:
        with Path(path).open("rb"):
            pass
    except IsADirectoryError:
        pass  # ssl.ca.location may be a directory of certificates
    except OSError as error:
        raise ClientConfigError(f"{what}: {path} cannot be read: {error.strerror}") from None
