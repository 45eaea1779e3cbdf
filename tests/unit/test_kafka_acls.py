"""The module kafka_acls at its edge: what Kafka is asked and in which order, what is answered, and check mode."""

from __future__ import annotations

from typing import Any

import pytest
from controller import Controller, asked_by
from kafka.protocol.admin import (
    CreateAclsRequest,
    CreateAclsResponse,
    DeleteAclsRequest,
    DeleteAclsResponse,
    DescribeAclsResponse,
)
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kafka_acls

Kept = tuple[int, str, int, str, str, int, int]
FROM_LATER = 99  # An operation of a Kafka that is newer than this project.
OTHERS: Kept = (2, "orders", 3, "User:other", "*", FROM_LATER, 3)
OLD: Kept = (2, "orders", 3, "User:shop", "*", 3, 3)


class Cluster(Controller):
    """A controller that keeps ACLs; requests and answers pass through the protocol's own encoding."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[Kept] = {OTHERS, OLD}
        self.asked: list[str] = []

    def _describe(self, _: Any) -> Any:
        resources = [(each[0], each[1], each[2], [each[3:]]) for each in self.kept if not self.error]
        answer = DescribeAclsResponse(
            throttle_time_ms=0, error_code=self.error, error_message=None, resources=resources
        )
        return DescribeAclsResponse.decode(answer.encode(version=3), version=3)

    def _send_request_to_controller(self, sent: Any) -> Any:
        return self._create(sent) if isinstance(sent, CreateAclsRequest) else self._delete(sent)

    def _create(self, sent: Any) -> Any:
        self.asked.append("create")
        results = []
        for each in CreateAclsRequest.decode(sent.encode(version=3), version=3).creations:
            results.append(self.refuses.get(each.principal, (0, None)))
            if each.principal not in self.refuses:
                where = (each.resource_type, each.resource_name, each.resource_pattern_type)
                self.kept.add((*where, each.principal, each.host, each.operation, each.permission_type))
        answer = CreateAclsResponse(throttle_time_ms=0, results=results)
        return CreateAclsResponse.decode(answer.encode(version=3), version=3)

    def _delete(self, sent: Any) -> Any:
        self.asked.append("delete")
        results = []
        for each in DeleteAclsRequest.decode(sent.encode(version=3), version=3).filters:
            where = (each.resource_type_filter, each.resource_name_filter, each.pattern_type_filter)
            whose = (each.principal_filter, each.host_filter, each.operation, each.permission_type)
            acl: Kept = (*where, *whose)
            code, message = self.refuses.get(each.principal_filter, (0, None))
            results.append((0, None, [(code, message, *acl)] if acl in self.kept else []))
            if not code:
                self.kept.discard(acl)
        answer = DeleteAclsResponse(throttle_time_ms=0, filter_results=results)
        return DeleteAclsResponse.decode(answer.encode(version=3), version=3)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return asked_by(monkeypatch, kafka_acls, Cluster())


def acls(*entries: dict[str, Any], check: bool = False) -> dict[str, Any]:
    return run_module("kafka_acls", check=check, bootstrap_servers=["192.0.2.1:9092"], acls=entries)


SHOP = {"principal": "User:shop", "resource_type": "topic", "name": "orders", "operations": ["write"]}
WRITE: Kept = (2, "orders", 3, "User:shop", "*", 4, 3)


def test_acls_are_created_before_others_are_deleted_and_a_second_run_changes_nothing(cluster: Cluster) -> None:
    answer = acls(SHOP)
    assert cluster.asked == ["create", "delete"]
    assert cluster.kept == {WRITE, OTHERS}
    assert answer["created"] == ["User:shop: allow write topic orders"]
    assert answer["deleted"] == ["User:shop: allow read topic orders"]
    assert answer["undeclared"] == ["User:other"]
    again = acls(SHOP)
    assert not again["changed"]
    assert cluster.asked == ["create", "delete"]


def test_all_acls_of_a_principal_go_even_those_that_kafka_knows_and_we_do_not(cluster: Cluster) -> None:
    answer = acls({"principal": "User:other", "state": "absent"})
    assert answer["deleted"] == ["User:other: allow 99 topic orders"]
    assert cluster.kept == {OLD}


def test_check_mode_shows_the_plan_and_changes_nothing(cluster: Cluster) -> None:
    answer = acls(SHOP, check=True)
    assert answer["changed"]
    assert answer["diff"] == {
        "before": "User:shop: allow read topic orders\n",
        "after": "User:shop: allow write topic orders\n",
    }
    assert cluster.asked == []
    assert cluster.kept == {OLD, OTHERS}


def test_a_principal_of_whom_kafka_refuses_an_acl_keeps_what_it_had_and_others_are_done(cluster: Cluster) -> None:
    cluster.refuses["User:shop"] = (42, "No such thing.")
    answer = acls(SHOP, {**SHOP, "principal": "User:web"}, {"principal": "User:other", "state": "absent"})
    assert answer["failed"]
    assert answer["msg"].endswith("all others are done:\nUser:shop: allow write topic orders: No such thing.")
    assert cluster.kept == {OLD, (2, "orders", 3, "User:web", "*", 4, 3)}


def test_a_deletion_that_kafka_refuses_is_named(cluster: Cluster) -> None:
    cluster.refuses["User:shop"] = (44, None)
    answer = acls({"principal": "User:shop", "state": "absent"})
    assert answer["failed"]
    assert answer["msg"].endswith("\nUser:shop: allow read topic orders: PolicyViolationError")


def test_brokers_without_an_authorizer_are_told_with_the_setting(cluster: Cluster) -> None:
    cluster.error = 54
    answer = acls(SHOP)
    assert answer["failed"]
    assert "the brokers have no authorizer" in answer["msg"]
    assert "authorizer.class.name in kafka_config" in answer["msg"]
    assert "kafka.security.authorizer.AclAuthorizer" in answer["msg"]
    assert cluster.asked == []


def test_an_admin_client_that_may_not_read_acls_is_told_so(cluster: Cluster) -> None:
    cluster.error = 31
    assert acls(SHOP)["msg"].startswith("Kafka did not tell the ACLs: kafka_acls: ClusterAuthorizationFailed")


def test_a_mistake_is_refused_before_kafka_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_acls, "endpoint", lambda _: pytest.fail("Kafka was asked."))
    answer = acls(SHOP, {**SHOP, "principal": "shop"})
    assert answer["failed"]
    assert answer["msg"].startswith("kafka_acls: nothing was changed, because of these:\nentry 2 (shop): principal is")
