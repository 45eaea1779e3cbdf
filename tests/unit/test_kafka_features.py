"""The module kafka_features at its edge: Kafka validates first, and nothing is set that it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from controller import Controller, asked_by
from kafka.protocol.admin import UpdateFeaturesRequest, UpdateFeaturesResponse
from kafka_hosts import cluster
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker, Feature
from ansible_collections.crucible.kafka.plugins.modules import kafka_features

HIGHEST = {"metadata.version": 33, "share.version": 2}
RELEASES = {"kafka1": "4.4.0", "kafka2": "4.4.0", "kafka3": "4.4.0"}


class Features(Controller):
    """A controller that keeps feature levels; requests and answers pass through the protocol's own encoding."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = {"metadata.version": 30, "share.version": 1}
        self.asked: list[bool] = []
        self.refusal = ""
        self.version = 2

    def at(self, broker: Broker) -> Any:
        return self

    def describe_features(self) -> dict[str, Any]:
        return {name: {"supported": (0, level)} for name, level in HIGHEST.items()}

    def _send_request_to_controller(self, sent: UpdateFeaturesRequest) -> Any:
        request = UpdateFeaturesRequest.decode(sent.encode(version=self.version), version=self.version)
        self.asked.append(request.validate_only)
        answer = UpdateFeaturesResponse(
            throttle_time_ms=0, error_code=95 if self.refusal else 0, error_message=self.refusal or None, results=[]
        )
        if not self.refusal and not request.validate_only:
            self.kept |= {update.feature: update.max_version_level for update in request.feature_updates}
        return UpdateFeaturesResponse.decode(answer.encode(version=self.version), version=self.version)


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Features:
    found = asked_by(monkeypatch, kafka_features, Features())
    monkeypatch.setattr(kafka_features, "answer_endpoint", lambda _: found)
    monkeypatch.setattr(
        kafka_features,
        "survey",
        lambda _: replace(
            cluster(), features={name: Feature(level, 0, HIGHEST[name]) for name, level in found.kept.items()}
        ),
    )
    return found


def features(check: bool = False, **declared: Any) -> dict[str, Any]:
    options = {"releases": RELEASES, **declared}
    return run_module("kafka_features", check=check, bootstrap_servers=["192.0.2.1:9092"], **options)


def test_levels_are_validated_and_then_set_and_a_second_run_changes_nothing(controller: Features) -> None:
    answer = features()
    assert (answer["changed"], answer["raised"]) == (True, {"metadata.version": [30, 33], "share.version": [1, 2]})
    assert answer["lines"][0] == "metadata.version: 30 -> 33"
    assert answer["diff"]["after"] == "metadata.version 33\nshare.version 2\n"
    assert (controller.asked, controller.kept) == ([True, False], HIGHEST)
    assert features()["changed"] is False
    assert controller.asked == [True, False]


def test_check_mode_lets_kafka_validate_and_sets_nothing(controller: Features) -> None:
    assert features(check=True)["changed"]
    assert (controller.asked, controller.kept["metadata.version"]) == ([True], 30)


def test_what_kafka_refuses_is_told_with_the_controller_that_is_to_blame_and_nothing_is_set(
    controller: Features,
) -> None:
    controller.refusal = "Invalid update version 33 for feature metadata.version. Controller 99 only supports 7-30"
    answer = features()
    assert answer["failed"]
    assert answer["msg"].startswith(
        "Kafka refuses this, and nothing was changed: kafka_features: Invalid update version"
    )
    assert "Controller 99 was removed from the quorum while it ran an older release" in answer["msg"]
    assert (controller.asked, controller.kept["metadata.version"]) == ([True], 30)


def test_where_nodes_run_different_releases_kafka_is_not_even_asked(controller: Features) -> None:
    answer = features(releases={**RELEASES, "kafka2": "4.3.1"})
    assert answer["failed"]
    assert "Nodes run different releases: 4.3.1 on kafka2; 4.4.0 on kafka1 and kafka3." in answer["msg"]
    assert controller.asked == []
