"""Takes nodes out of a cluster: a controller's vote, and what is registered of brokers and controllers.

kafka-python has none of these messages. They are described here as Kafka's own JSON files describe them (KIP-853,
KIP-631, KIP-1312), since a module travels to the admin host without data files.
"""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .admin import AdminError, one_error, refused

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka.protocol.api_message import ApiMessage

UNREGISTER_BROKER: Mapping[str, Any] = {"apiKey": 64, "validVersions": "0", "flexibleVersions": "0+"}
REMOVE_RAFT_VOTER: Mapping[str, Any] = {"apiKey": 81, "validVersions": "0", "flexibleVersions": "0+"}
UNREGISTER_CONTROLLER: Mapping[str, Any] = {"apiKey": 94, "validVersions": "0", "flexibleVersions": "0+"}
ANSWER: list[dict[str, Any]] = [
    {"name": "ThrottleTimeMs", "type": "int32", "versions": "0+"},
    {"name": "ErrorCode", "type": "int16", "versions": "0+"},
    {"name": "ErrorMessage", "type": "string", "versions": "0+", "nullableVersions": "0+", "ignorable": True},
]
BROKER_ID_NOT_REGISTERED, VOTER_NOT_FOUND, CONTROLLER_ID_NOT_REGISTERED = 102, 127, 136


def message(api: Mapping[str, Any], name: str, fields: list[dict[str, Any]]) -> Any:
    """The class of a protocol message, made of its description.

    kafka-python looks for a file by the class's name, and lets `json_patch` change what it has read: the file is that
    of another message of the same kind, all of which is replaced.
    """
    kind = "request" if name.endswith("Request") else "response"
    described = {**api, "type": kind, "name": name, "fields": fields}
    read_instead = "ListGroups" + kind.capitalize()
    return type(ApiMessage)(read_instead, (ApiMessage,), {"json_patch": classmethod(lambda _cls, _read: described)})


def unregister_broker(admin: Any, node_id: int) -> bool:
    """Make the cluster forget a broker; False if it does not know it. Kafka checks nothing: who calls this does.

    Raises:
        AdminError: Kafka refuses.
    """
    return _unregister(admin, UNREGISTER_BROKER, "Broker", node_id, BROKER_ID_NOT_REGISTERED)


def unregister_controller(admin: Any, node_id: int) -> bool:
    """Make the cluster forget what a controller supported; False if it does not know it.

    A cluster below metadata.version 33 refuses it.

    Raises:
        AdminError: Kafka refuses.
    """
    return _unregister(admin, UNREGISTER_CONTROLLER, "Controller", node_id, CONTROLLER_ID_NOT_REGISTERED)


def remove_voter(admin: Any, cluster_id: str, node_id: int, directory_id: str) -> bool:
    """Take its vote from a controller; False if it has none. `directory_id` as Kafka's tools print it.

    Raises:
        AdminError: Kafka refuses.
    """
    fields: list[dict[str, Any]] = [
        {"name": "ClusterId", "type": "string", "versions": "0+", "nullableVersions": "0+"},
        {"name": "VoterId", "type": "int32", "versions": "0+"},
        {"name": "VoterDirectoryId", "type": "uuid", "versions": "0+"},
    ]
    made = message(REMOVE_RAFT_VOTER, "RemoveRaftVoterRequest", fields)
    message(REMOVE_RAFT_VOTER, "RemoveRaftVoterResponse", ANSWER)
    directory = str(uuid.UUID(bytes=urlsafe_b64decode(directory_id + "==")))
    request = made(cluster_id=cluster_id, voter_id=node_id, voter_directory_id=directory)
    return _send(admin, request, f"controller {node_id}", VOTER_NOT_FOUND)


def _unregister(admin: Any, api: Mapping[str, Any], kind: str, node_id: int, unknown: int) -> bool:
    fields: list[dict[str, Any]] = [{"name": f"{kind}Id", "type": "int32", "versions": "0+"}]
    request = message(api, f"Unregister{kind}Request", fields)(**{f"{kind.lower()}_id": node_id})
    message(api, f"Unregister{kind}Response", ANSWER)
    return _send(admin, request, f"{kind.lower()} {node_id}", unknown)


def _send(admin: Any, request: Any, name: str, unknown: int) -> bool:
    with one_error("Kafka"):
        answer = admin._manager.run(admin._send_request_to_controller, request)
    if answer.error_code == unknown:
        return False
    told = {"name": name, "error_code": answer.error_code, "error_message": answer.error_message}
    if sentences := refused([told]):
        raise AdminError(f"Kafka refuses: {sentences[0]}")
    return True
