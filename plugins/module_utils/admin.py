"""The one place that talks to Kafka: connects, asks, and turns answers into plain data and failures into one sentence.

kafka-python answers in milliseconds where Kafka's own command line tools start a JVM for each question.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .address import host_port, split_host_port
from .admin_access import Refused, exchange, logs_in, uses_tls
from .cluster import Broker, listed

try:
    from kafka import KafkaAdminClient
    from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType
    from kafka.errors import (
        AuthorizationError,
        KafkaConfigurationError,
        KafkaError,
        SaslAuthenticationFailedError,
        for_code,
    )
    from kafka.protocol.admin import IncrementalAlterConfigsRequest
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
    CLIENT_OPTIONS: frozenset[str] = frozenset()
else:
    IMPORT_ERROR = None
    CLIENT_OPTIONS = frozenset(KafkaAdminClient.DEFAULT_CONFIG)

# What `Endpoint` sets itself.
ENDPOINT_OPTIONS = ("bootstrap_servers", "bootstrap_timeout_ms", "request_timeout_ms")

POLL_INTERVAL_S = 0.5
DIAL_TIMEOUT_S = 1.0

# The library logs its settings, secrets included, and each failed attempt; what matters comes back as an exception.
logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)


class AdminError(Exception):
    """Kafka could not be asked, or refused; the message is a sentence for the operator."""


class AccessRefused(AdminError):
    """A server that runs does not let the client in: its login, its TLS, or what its user may do."""


def refusal(error: AdminError) -> str:
    """What to change where the servers do not let the client in; "" where it could not be asked for another reason."""
    if not isinstance(error, AccessRefused):
        return ""
    told = f"kafka_admin_client, kafka_admin_password: brokers run, and they do not let the admin client in. {error}"
    if "has expired" in str(error):
        return (
            f"{told} Where the nodes' certificates have expired, stop Kafka on all hosts (systemctl stop kafka) and run"
            " this again: it renews them and starts all."
        )
    return f"{told} Declare a login, an authority (ssl_cafile) and a user that they accept."


def unusable_option(client: Iterable[str]) -> str:
    """Why the client cannot be made with options of these names, in a sentence; "" if it can."""
    if own := [name for name in client if name in ENDPOINT_OPTIONS]:
        return f"{listed(own)} cannot be set there: bootstrap_servers, timeout_s and answer_timeout_s say it."
    if unknown := [name for name in client if name not in CLIENT_OPTIONS]:
        return f"kafka-python's admin client has no option {listed(unknown)}."
    return ""


@contextmanager
def one_error(who: str) -> Iterator[None]:
    """Turn what kafka-python raises inside the block into an AdminError that says who did not do what was asked."""
    try:
        yield
    except KafkaConfigurationError as error:
        raise AdminError(f"The options in `client` are not usable: {error}") from error
    except (SaslAuthenticationFailedError, AuthorizationError) as error:
        raise AccessRefused(f"{who} did not do what was asked: {error}") from error
    except KafkaError as error:
        raise AdminError(f"{who} did not do what was asked: {error}") from error


@dataclass(frozen=True)
class Endpoint:
    """How to reach a cluster: `host:port` addresses, kafka-python's client options, and how long an answer may take."""

    bootstrap_servers: Sequence[str]
    client: dict[str, Any]
    timeout_s: float

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """A connected `KafkaAdminClient`.

        Raises:
            AdminError: Nothing answers, or Kafka refused what was asked inside the block.
        """
        servers = self._listening()
        with (
            one_error(f"Kafka at {', '.join(servers)}"),
            KafkaAdminClient(
                bootstrap_servers=servers,
                bootstrap_timeout_ms=int(self.timeout_s * 1000),
                request_timeout_ms=int(self.timeout_s * 1000),
                **self.client,
            ) as admin,
        ):
            self._stay_with_the_only_server(admin)
            yield admin

    def each(self) -> list[Endpoint]:
        """An endpoint for each server that accepts a connection.

        One that is cut off from the controllers does so too, and answers nothing: who asks goes on to the next.

        Raises:
            AdminError: None does.
        """
        return [replace(self, bootstrap_servers=[server]) for server in self._listening()]

    def _stay_with_the_only_server(self, admin: Any) -> None:
        """Ask the broker that was named, where one is: the library asks any that it is connected to at the moment.

        Two brokers tell of different moments, so that answers of several do not fit together.
        """
        brokers = admin._manager.cluster.brokers()
        named = [one.node_id for one in brokers if self.bootstrap_servers == [host_port(one.host, one.port)]]
        if named:
            admin.get_broker_version_data(named[0])
            admin._manager.least_loaded_node = lambda: named[0]

    def at(self, broker: Broker) -> Endpoint:
        """The same security settings, for one broker alone."""
        return replace(self, bootstrap_servers=[broker.address])

    def _listening(self) -> list[str]:
        """The servers that accept a connection: the library would spend its whole time on one that is gone.

        Raises:
            AdminError: None does.
        """
        servers = self.bootstrap_servers
        with ThreadPoolExecutor(max_workers=len(servers) or 1) as pool:
            failures = dict(zip(servers, pool.map(self._failure, servers), strict=True))
        listening = [server for server, why in failures.items() if why is None]
        if not listening:
            every = ", ".join(f"{server} ({why})" for server, why in failures.items())
            refused = any(isinstance(why, Refused) for why in failures.values())
            kind = AccessRefused if refused else AdminError
            raise kind(f"No broker answers: {every or 'no address is given'}.")
        return listening

    def _failure(self, server: str) -> Refused | str | None:
        """Why the server cannot be asked, None if it can."""
        try:
            address = split_host_port(server)
            with socket.create_connection(address, timeout=DIAL_TIMEOUT_S) as connection:
                if uses_tls(self.client) or logs_in(self.client):
                    connection.settimeout(max(self.timeout_s, DIAL_TIMEOUT_S))
                    exchange(connection, address[0], self.client)
        except Refused as refused:
            return refused
        except ValueError:
            return "is not host:port"
        except OSError as error:
            return error.strerror or str(error)
        return None

    def answers(self, broker: Broker) -> bool:
        """Whether the broker itself answers a metadata request."""
        try:
            with self.at(broker).connect():
                return True
        except AdminError:
            return False


def wait_until(reasons: Callable[[], list[str]], timeout_s: float) -> list[str]:
    """Ask again until no reason to wait is left, or the time is over; the reasons that remain. An AdminError is one."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            remaining = reasons()
        except AdminError as error:
            remaining = [str(error).removesuffix(".")]
        if not remaining or time.monotonic() >= deadline:
            return remaining
        time.sleep(min(POLL_INTERVAL_S, max(0.0, deadline - time.monotonic())))


def describe_configs(
    admin: Any, kind: str, names: Iterable[str], keys: Sequence[str] | None = None, modified_only: bool = False
) -> dict[str, dict[str, Any]]:
    """The configuration of several topics or brokers in one question: name -> key -> what Kafka says of it.

    `modified_only` leaves out defaults and what stands in files, and the levels below each value.
    """
    resources = [ConfigResource(kind, name, keys) for name in names]
    if not resources:
        return {}
    wanted = "modified" if modified_only else "all"
    answer = admin.describe_configs(resources, include_synonyms=not modified_only, config_filter=wanted)
    # A topic that was deleted in between comes back without its keys.
    return {name: configs for name, configs in answer[kind].items() if configs}


def alter_configs(
    admin: Any,
    kind: str,
    changes: Mapping[str, Mapping[str, str | None]],
    validate_only: bool,
    node_id: int | None = None,
) -> list[str]:
    """Set (None resets) settings of topics or brokers in one request, to one broker if it is named.

    Args:
        admin: A connected client.
        kind: `topic` or `broker`.
        changes: name -> key -> value; the empty name is the default of all brokers.
        validate_only: Only let Kafka judge.
        node_id: The broker to send to: only it can judge its own settings.

    Returns:
        What Kafka refused, in sentences.
    """
    operations = {
        name: [
            (key, AlterConfigOp.DELETE if value is None else AlterConfigOp.SET, value) for key, value in each.items()
        ]
        for name, each in changes.items()
    }
    request = IncrementalAlterConfigsRequest(
        resources=[(ConfigResourceType[kind.upper()], name, each) for name, each in operations.items()],
        validate_only=validate_only,
    )
    # The library's own method takes no empty name for "all brokers".
    answer = admin._manager.run(lambda: admin._manager.send(request, node_id=node_id))
    return refused({**result.to_dict(), "name": result.resource_name} for result in answer.responses)


def refused(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """The sentences of those results that are errors."""
    return [
        f"{result['name']}: {result['error_message'] or for_code(result['error_code']).__name__}"
        for result in results
        if result["error_code"]
    ]
