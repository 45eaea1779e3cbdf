"""The module kafka_health at its edge: the page is always told, and the inventory says what should be there."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kafka_hosts import cluster
from module_runner import run_module
from stand_in import NOTHING_ANSWERS, SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.acl_plan import Acl
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState
from ansible_collections.crucible.kafka.plugins.module_utils.health import BrokerReport, LogDir
from ansible_collections.crucible.kafka.plugins.module_utils.replication_throttle import RATES, Throttle
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import Credential
from ansible_collections.crucible.kafka.plugins.modules import kafka_health

NO_THROTTLE = Throttle()
HALF_FULL = BrokerReport("4.3", [LogDir("/data", 100 << 30, 50 << 30)])


def health(
    monkeypatch: pytest.MonkeyPatch,
    *told: ClusterState | AdminError,
    silent: tuple[int, ...] = (),
    throttle: Throttle = NO_THROTTLE,
    underway: tuple[tuple[str, int], ...] = (),
    **arguments: Any,
) -> dict[str, Any]:
    stand_in(monkeypatch, "kafka_health", *told, silent=silent)
    monkeypatch.setattr(kafka_health, "ask_broker", lambda admin, broker_id: HALF_FULL)
    monkeypatch.setattr(kafka_health, "read_throttle", lambda admin, serving: throttle)
    monkeypatch.setattr(kafka_health, "reassigned", lambda admin: dict.fromkeys(underway, (1,)))
    monkeypatch.setattr(kafka_health, "cordoned", lambda admin, serving: {3: True} if underway else {})
    answer = run_module("kafka_health", bootstrap_servers=SERVERS, **arguments)
    assert not answer.get("failed")
    assert not answer.get("changed")
    for problem in answer["problems"]:
        assert problem in answer["text"]
    return answer


@pytest.mark.parametrize("check", [False, True])
def test_a_cluster_that_is_well_is_told_on_a_page_without_problems(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    answer = health(monkeypatch, cluster(), check=check, brokers=["1", "2", "3"], voters=["1", "2", "3"])
    assert answer["problems"] == []
    lines = answer["text"].splitlines()
    assert "Brokers: 3 of 3 serve" in lines
    assert "  1 kafka1:9092 speaks 4.3; /data 50 % of 100.0 GiB used" in lines
    assert lines[-1] == "All is well."


def test_a_throttle_is_a_problem_once_nothing_is_reassigned_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = Throttle(RATES, {}, {"orders": ["leader.replication.throttled.replicas"]})
    answer = health(monkeypatch, cluster(), throttle=throttle)
    assert [problem.partition(" while")[0] for problem in answer["problems"]] == [
        "A replication throttle is left on all brokers and topic orders"
    ]


def test_what_is_being_reassigned_is_told_and_may_be_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = health(monkeypatch, cluster(), throttle=Throttle(RATES), underway=(("orders", 0),))
    assert answer["problems"] == []
    assert {"Reassignments: 1 partitions (orders-0)", "Cordoned: broker 3"} <= set(answer["text"].splitlines())


@pytest.mark.parametrize("check", [False, True])
def test_where_nothing_answers_that_is_the_only_problem(monkeypatch: pytest.MonkeyPatch, check: bool) -> None:
    answer = health(monkeypatch, NOTHING_ANSWERS, check=check, brokers=[1])
    assert answer["problems"] == [str(NOTHING_ANSWERS)]
    assert answer["text"].startswith("Not well:\n")


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ({"brokers": [1, 2, 3, 4], "voters": [1, 2, 3]}, "Broker 4 is not registered."),
        ({"brokers": [1, 2, 3, 4], "voters": [1, 2, 3, 4]}, "Node 4 should vote in the quorum and does not."),
        ({"brokers": [1, 2], "voters": [1, 2]}, "no host of the inventory has kafka_node_id 3"),
        ({"max_used_percent": "49.5"}, "Broker 1 has little room left: /data 50 % of 100.0 GiB used."),
        ({"ensemble": {"zookeeper1": ""}}, "ZooKeeper zookeeper1 does not serve."),
        (
            {"unreachable_hosts": ["kafka3"]},
            "Ansible cannot reach kafka3, so the certificates that it shows are not known.",
        ),
    ],
)
def test_what_the_inventory_says_and_the_cluster_does_not_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, expected: dict[str, Any], problem: str
) -> None:
    assert problem in " ".join(health(monkeypatch, cluster(), **expected)["problems"])


def test_a_broker_that_does_not_answer_itself_is_a_problem_and_a_fenced_one_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = health(monkeypatch, cluster(away=[3]), silent=(2, 3))
    assert "Broker 2 at kafka2:9092 does not answer." in answer["problems"]
    assert any("Broker 3 is fenced" in problem for problem in answer["problems"])
    assert not any("Broker 3 at" in problem for problem in answer["problems"])


def shown(days: float, failure: str = "") -> dict[str, Any]:
    """What kafka_certificates_info has found on two hosts, of which one has no such listener."""
    certificate = {"listener": "CLIENT", "port": 9092, "expires_s": time.time() + days * 86400, "failure": failure}
    return {"certificates": {"kafka1": [certificate], "kafka2": []}}


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (shown(20.5), []),
        (
            shown(20.5) | {"min_certificate_days": "21"},
            ["expires in 20.5 days, the limit is 21 (kafka_health_certificate_days)."],
        ),
        (shown(-1.5), ["expired 1.5 days ago."]),
        (shown(0, "timed out"), ["shows no certificate: timed out."]),
    ],
)
def test_a_certificate_is_judged_by_the_days_that_it_has_left(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], problems: list[str]
) -> None:
    told = health(monkeypatch, cluster(), **found)["problems"]
    assert [problem.partition("(port 9092) ")[2] for problem in told] == problems


def test_a_certificate_that_has_expired_is_told_where_the_cluster_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be why."""
    refused, expired = health(monkeypatch, NOTHING_ANSWERS, **shown(-1.5))["problems"]
    assert refused == str(NOTHING_ANSWERS)
    assert "CLIENT of kafka1 (port 9092) expired 1.5 days ago." in expired


def test_an_authority_that_ends_soon_is_told_also_where_the_cluster_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = {"authority": "0123456789abcdef", "expires_s": time.time() + 20.5 * 86400}
    found: dict[str, Any] = {"authorities": {"kafka1": [authority], "kafka2": []}}
    sentence = "The authority 01234567, trusted by kafka1, ends in 20.5 days, the limit is 90."
    for state in (cluster(), NOTHING_ANSWERS):
        told = health(monkeypatch, state, **found)["problems"]
        assert [problem for problem in told if problem.startswith(sentence)] == told[-1:]
    assert health(monkeypatch, cluster(), **found, min_authority_days="20")["problems"] == []


AUTHORIZED = {
    "listeners": "CLIENT://:9092,INTERNAL://:9094",
    "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin",
}
FORGOTTEN = {key: value for key, value in AUTHORIZED.items() if key != "authorizer.class.name"}
OPEN = {"listeners": "CLIENT://:9092", "listener.security.protocol.map": "CLIENT:PLAINTEXT"}
WIDE = Acl("User:*", "topic", "orders", "literal", "read", "allow", "*")


def asked(monkeypatch: pytest.MonkeyPatch, error: AdminError | None = None) -> list[str]:
    """What the module asks about users and ACLs, of whom one ACL and one user are told, or the error."""
    questions: list[str] = []

    def read_acls(_: Any) -> set[Acl]:
        questions.append("acls")
        if error:
            raise error
        return {WIDE}

    def read_credentials(_: Any) -> dict[Credential, int]:
        questions.append("users")
        return {Credential("stock", "SCRAM-SHA-512"): 4096}

    monkeypatch.setattr(kafka_health, "read_acls", read_acls)
    monkeypatch.setattr(kafka_health, "read_credentials", read_credentials)
    return questions


def test_who_may_do_what_is_told_and_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = asked(monkeypatch)
    access = {"kafka1": AUTHORIZED, "kafka2": AUTHORIZED, "kafka3": {}}
    answer = health(monkeypatch, cluster(), access=access, access_unread=["kafka4"], member_listeners=["INTERNAL"])
    assert answer["problems"] == []
    assert answer["text"].splitlines()[-8:] == [
        "Access: 2 of 2 nodes have an authorizer (StandardAuthorizer)",
        "  Super users: User:admin",
        "  Not known of kafka4",
        "  ACLs: 1 of 1 principals",
        "  For everybody, or everything on all names of a kind: User:*: allow read topic orders",
        "  SCRAM users without an ACL of their own: stock",
        "  Nodes need no login at the listener INTERNAL of kafka1 and kafka2 (PLAINTEXT), while one is asked for at"
        " CLIENT: nothing but a firewall keeps others out.",
        "All is well.",
    ]
    assert questions == ["acls", "users"]


@pytest.mark.parametrize("told", [cluster(), NOTHING_ANSWERS])
def test_an_authorizer_that_is_forgotten_on_a_node_is_a_problem_whether_or_not_the_cluster_answers(
    monkeypatch: pytest.MonkeyPatch, told: ClusterState | AdminError
) -> None:
    questions = asked(monkeypatch)
    access = {"kafka1": AUTHORIZED, "kafka2": FORGOTTEN}
    *_, problem = health(monkeypatch, told, access=access, member_listeners=["INTERNAL"])["problems"]
    assert problem.startswith("No authorizer runs on kafka2, while one runs on kafka1:")
    assert questions == []  # A broker that has none cannot tell.


def test_a_listener_is_open_to_clients_unless_it_is_said_that_members_alone_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked(monkeypatch)
    sentence = "Clients need no login at the listener INTERNAL of kafka1 (PLAINTEXT), while one is asked for at CLIENT."
    answer = health(monkeypatch, cluster(), access={"kafka1": AUTHORIZED})
    assert answer["problems"] == []
    assert f"  {sentence}\nAll is well." in answer["text"]
    failing = health(monkeypatch, cluster(), access={"kafka1": AUTHORIZED}, open_access_fails=True)
    assert failing["problems"] == [sentence]
    assert f"  {sentence}" not in failing["text"].partition("Not well:")[0]


@pytest.mark.parametrize(
    ("declared", "sentences"),
    [
        ({}, []),
        ({"security": "plaintext"}, []),
        ({"security": "scram"}, ["no node that runs has an authorizer", "CLIENT of kafka1 is PLAINTEXT"]),
        (
            {"security": "scram", "security_phase": "closed"},
            ["no node that runs has an auth", "CLIENT of kafka1 is PLAINTEXT"],
        ),
        ({"security": "scram", "security_phase": "acls"}, ["no node that runs has an authorizer"]),
        ({"security": "scram", "security_phase": "members"}, []),
        ({"security": "tls", "security_phase": "closed"}, ["CLIENT of kafka1 is PLAINTEXT"]),
        ({"security": "tls", "open_listeners": ["CLIENT"]}, []),
    ],
)
@pytest.mark.parametrize("told", [cluster(), NOTHING_ANSWERS])
def test_a_cluster_that_is_more_open_than_declared_is_not_well(
    monkeypatch: pytest.MonkeyPatch, told: Any, declared: dict[str, Any], sentences: list[str]
) -> None:
    asked(monkeypatch)
    answer = health(monkeypatch, told, access={"kafka1": OPEN}, **declared)
    problems = [problem for problem in answer["problems"] if problem != str(NOTHING_ANSWERS)]
    assert len(problems) == len(sentences)
    assert all(sentence in problem for sentence, problem in zip(sentences, problems, strict=True))


@pytest.mark.parametrize("access", [{}, {"kafka1": OPEN, "kafka2": OPEN}])
def test_a_cluster_without_security_is_not_asked_about_access(
    monkeypatch: pytest.MonkeyPatch, access: dict[str, Any]
) -> None:
    questions = asked(monkeypatch)
    answer = health(monkeypatch, cluster(), access=access, access_unread=["kafka3"])
    assert (answer["problems"], questions) == ([], [])
    assert answer["text"] == health(monkeypatch, cluster())["text"]


def test_acls_that_are_not_told_are_a_problem_and_hide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, AdminError("Kafka did not tell the ACLs: ClusterAuthorizationFailedError"))
    answer = health(monkeypatch, cluster(), access={"kafka1": AUTHORIZED}, member_listeners=["INTERNAL"])
    assert answer["problems"] == ["Kafka did not tell the ACLs: ClusterAuthorizationFailedError"]
    assert "  Super users: User:admin\n" in answer["text"].partition("Not well:")[0]


def test_one_broker_that_cannot_tell_does_not_hide_what_the_others_say(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = health(monkeypatch, AdminError("kafka1 is cut off."), cluster(away=[1]))
    assert "Brokers: 2 of 3 serve" in answer["text"]


@pytest.mark.parametrize("arguments", [{"brokers": ["kafka1"]}, {"max_used_percent": "full"}])
def test_an_argument_of_another_type_is_refused_by_its_name(arguments: dict[str, Any]) -> None:
    answer = run_module("kafka_health", bootstrap_servers=SERVERS, **arguments)
    assert answer["failed"]
    assert next(iter(arguments)) in answer["msg"]
