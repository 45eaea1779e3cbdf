"""The module kafka_quotas at its edge: what Kafka is asked, what is answered, and check mode."""

from __future__ import annotations

from typing import Any

import pytest
from controller import Controller, asked_by
from kafka.protocol.admin import AlterClientQuotasRequest, AlterClientQuotasResponse, DescribeClientQuotasResponse
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kafka_quotas

Name = tuple[tuple[str, str | None], ...]


class Cluster(Controller):
    """A controller that keeps quotas; requests and answers pass through the protocol's own encoding."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Name, dict[str, float]] = {(("client-id", None),): {"producer_byte_rate": 9.0}}
        self.validated: list[bool] = []

    def _describe(self, _: Any) -> Any:
        entries = [(list(entity), list(limits.items())) for entity, limits in self.kept.items()]
        answer = DescribeClientQuotasResponse(
            throttle_time_ms=0, error_code=self.error, error_message=None, entries=entries
        )
        return DescribeClientQuotasResponse.decode(answer.encode(version=1), version=1)

    def _send_request_to_controller(self, sent: AlterClientQuotasRequest) -> Any:
        request = AlterClientQuotasRequest.decode(sent.encode(version=1), version=1)
        self.validated.append(request.validate_only)
        results = []
        for entry in request.entries:
            entity = tuple((part.entity_type, part.entity_name) for part in entry.entity)
            code, message = self.refuses.get(entity, (0, None))
            results.append((code, message, list(entity)))
            if code or request.validate_only:
                continue
            limits = self.kept.setdefault(entity, {})
            for op in entry.ops:
                limits.pop(op.key) if op.remove else limits.update({op.key: op.value})
        answer = AlterClientQuotasResponse(throttle_time_ms=0, entries=results)
        return AlterClientQuotasResponse.decode(answer.encode(version=1), version=1)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return asked_by(monkeypatch, kafka_quotas, Cluster())


def quotas(*entries: dict[str, Any], check: bool = False) -> dict[str, Any]:
    return run_module("kafka_quotas", check=check, bootstrap_servers=["192.0.2.1:9092"], quotas=entries)


SHOP = {"user": "shop", "client_id": "web", "request_percentage": 50, "producer_byte_rate": 1024}
KEY: Name = (("user", "shop"), ("client-id", "web"))


def test_limits_are_set_changed_and_removed_and_a_second_run_changes_nothing(cluster: Cluster) -> None:
    first = quotas(SHOP)
    assert first["altered"] == {"user shop, client-id web": {"request_percentage": 50, "producer_byte_rate": 1024}}
    assert first["undeclared"] == ["client-id <default>"]
    assert cluster.kept[KEY] == {"request_percentage": 50, "producer_byte_rate": 1024}
    asked = len(cluster.validated)
    assert quotas(SHOP)["changed"] is False
    assert len(cluster.validated) == asked
    fewer = quotas({**SHOP, "producer_byte_rate": None, "request_percentage": 2.5})
    assert fewer["diff"]["before"] == "user shop, client-id web: producer_byte_rate 1024, request_percentage 50\n"
    assert cluster.kept[KEY] == {"request_percentage": 2.5}
    assert quotas({"user": "shop", "client_id": "web", "state": "absent"})["changed"]
    assert cluster.kept[KEY] == {}
    assert cluster.kept[("client-id", None),] == {"producer_byte_rate": 9.0}


def test_check_mode_lets_kafka_judge_and_changes_nothing(cluster: Cluster) -> None:
    answer = quotas(SHOP, check=True)
    assert answer["changed"]
    assert "producer_byte_rate 1024" in answer["diff"]["after"]
    assert cluster.validated == [True]
    assert KEY not in cluster.kept


@pytest.mark.parametrize(("check", "told"), [(False, "all others are done"), (True, "nothing was changed")])
def test_what_kafka_refuses_is_named_with_its_reason(cluster: Cluster, check: bool, told: str) -> None:
    cluster.refuses[KEY] = (44, None)
    answer = quotas(SHOP, {"user": "other", "request_percentage": 1}, check=check)
    assert answer["failed"]
    assert (
        answer["msg"] == f"kafka_quotas: Kafka refuses these, {told}:\nuser shop, client-id web: PolicyViolationError"
    )
    assert ((("user", "other"),) in cluster.kept) is not check


def test_a_mistake_is_refused_before_kafka_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_quotas, "endpoint", lambda _: pytest.fail("Kafka was asked."))
    answer = quotas(SHOP, {"user": "x", "producer_byte_rate": -1})
    assert answer["failed"]
    assert answer["msg"].startswith(
        "kafka_quotas: nothing was changed, because of these:\nuser x: producer_byte_rate is -1"
    )


def test_an_admin_client_that_may_not_read_quotas_is_told_so(cluster: Cluster) -> None:
    cluster.error = 31
    answer = quotas(SHOP)
    assert answer["msg"].startswith("Kafka did not tell the quotas: kafka_quotas: ClusterAuthorizationFailed")
    assert cluster.validated == []
