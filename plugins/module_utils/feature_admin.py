"""Asks a cluster's brokers for the feature levels that they support, and lets Kafka validate or set levels."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .admin import AdminError, Endpoint, refused
from .cluster import ClusterState

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka.protocol.admin import UpdateFeaturesRequest

UPGRADE = 1  # The protocol's number for levels that are raised and never lowered.


def supported_by(each: Endpoint, state: ClusterState) -> dict[int, dict[str, int]]:
    """The highest level of each feature, by the id of each broker that answers."""
    found = {}
    for broker in state.brokers:
        try:
            with each.at(broker).connect() as admin:
                features = admin.describe_features()
        except AdminError:
            continue
        found[broker.node_id] = {
            name: int(levels["supported"][1]) for name, levels in features.items() if "supported" in levels
        }
    return found


def update_features(admin: Any, levels: Mapping[str, int], validate_only: bool) -> list[str]:
    """Let Kafka validate the levels, or set them all; what it refuses, in sentences, and then none has been set."""
    # The library's own method raises for a refusal of the whole, with the request and the answer as one text.
    request = UpdateFeaturesRequest(
        timeout_ms=60_000,
        feature_updates=[
            UpdateFeaturesRequest.FeatureUpdateKey(
                feature=name, max_version_level=level, allow_downgrade=False, upgrade_type=UPGRADE
            )
            for name, level in levels.items()
        ],
        validate_only=validate_only,
        min_version=1,  # Before it there is no validation.
    )
    answer = admin._manager.run(admin._send_request_to_controller, request)
    whole = {"name": "kafka_features", "error_code": answer.error_code, "error_message": answer.error_message}
    each = [
        {"name": one.feature, "error_code": one.error_code, "error_message": one.error_message}
        for one in answer.results or []
    ]
    return refused([whole]) or refused(each)
