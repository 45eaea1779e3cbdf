"""The module kafka_users at its edge: what Kafka is asked, what is answered, and that no password is in an answer."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from controller import Controller, asked_by
from kafka.admin import ScramMechanism
from kafka.protocol.admin import AlterUserScramCredentialsRequest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.modules import kafka_users

SECRET = "a-planted-secret"  # noqa: S105 # What the tests look for.
SHA_512, SHA_256 = 2, 1


class Cluster(Controller):
    """A controller that keeps credentials and answers as kafka-python does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, int], Any] = {}
        self.requests: list[Any] = []
        self.breaks_at = 99

    def describe_user_scram_credentials(self) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for (user, mechanism), (iterations, *_) in self.kept.items():
            infos = answer.setdefault(user, {"error": None, "credential_infos": []})["credential_infos"]
            infos.append({"mechanism": ScramMechanism(mechanism), "iterations": iterations})
        return answer

    def _send_request_to_controller(self, sent: AlterUserScramCredentialsRequest) -> Any:
        request = AlterUserScramCredentialsRequest.decode(sent.encode(version=0), version=0)
        self.requests.append(request)
        if len(self.requests) >= self.breaks_at:
            raise AdminError("Kafka went away.")
        users = [each.name for each in [*request.deletions, *request.upsertions]]
        assert len(users) == len(set(users))  # Kafka refuses a user who is changed twice in a request.
        for each in request.deletions:
            if each.name not in self.refuses:
                del self.kept[each.name, each.mechanism]
        for each in request.upsertions:
            if each.name not in self.refuses:
                self.kept[each.name, each.mechanism] = (each.iterations, each.salt, each.salted_password)
        return SimpleNamespace(results=[self._result(user) for user in users])

    def _result(self, user: str) -> Any:
        code, message = self.refuses.get(user, (0, None))
        return SimpleNamespace(user=user, to_dict=lambda: {"error_code": code, "error_message": message})


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return asked_by(monkeypatch, kafka_users, Cluster())


def users(*entries: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module; whatever it answers, no password is in it."""
    answer = run_module("kafka_users", check=check, bootstrap_servers=["192.0.2.1:9092"], users=entries, **arguments)
    assert SECRET not in json.dumps(answer)
    return answer


SHOP = {"name": "shop", "password": SECRET}


@pytest.mark.parametrize(("mechanism", "number", "digest"), [("512", 2, "sha512"), ("256", 1, "sha256")])
def test_kafka_is_sent_what_the_declared_password_gives_with_the_salt(
    cluster: Cluster, mechanism: str, number: int, digest: str
) -> None:
    answer = users({**SHOP, "mechanism": f"SCRAM-SHA-{mechanism}"})
    iterations, salt, salted = cluster.kept["shop", number]
    assert salted == hashlib.pbkdf2_hmac(digest, SECRET.encode(), salt, iterations)
    assert 4096 < iterations <= 4596
    assert answer["set"] == [{"name": "shop", "mechanism": f"SCRAM-SHA-{mechanism}", "iterations": iterations}]


def test_what_was_set_is_not_set_again_by_who_remembers_it(cluster: Cluster) -> None:
    first = users(SHOP)
    assert first["changed"]
    again = users(SHOP, recorded=first["set"])
    assert not again["changed"]
    assert len(cluster.requests) == 1
    assert users(SHOP)["changed"]


def test_what_was_sent_unencrypted_is_set_anew_with_another_salt(cluster: Cluster) -> None:
    [first] = users(SHOP)["set"]
    ((_, salt, _),) = cluster.kept.values()
    again = users(SHOP, recorded=[{**first, "exposed": True}])
    assert again["changed"]
    assert salt not in {kept for _, kept, _ in cluster.kept.values()}


def test_two_users_never_have_the_same_salt(cluster: Cluster) -> None:
    users(SHOP, {**SHOP, "name": "clicks"})
    assert len({salt for _, salt, _ in cluster.kept.values()}) == 2
    assert all(len(salt) == 24 for _, salt, _ in cluster.kept.values())


def test_all_users_go_in_one_request_and_in_two_where_one_has_both_mechanisms(cluster: Cluster) -> None:
    users(*({**SHOP, "name": f"user{number}"} for number in range(20)))
    assert len(cluster.requests) == 1
    users(SHOP, {**SHOP, "mechanism": "SCRAM-SHA-256"})
    assert len(cluster.requests) == 3
    users(SHOP, {"name": "user1", "state": "absent"})
    assert {key for key in cluster.kept if key[0] in ("shop", "user1")} == {("shop", SHA_512)}
    assert users(SHOP)["undeclared"] == sorted(f"user{number}" for number in range(20) if number != 1)


def test_check_mode_shows_names_and_mechanisms_and_asks_for_nothing(cluster: Cluster) -> None:
    cluster.kept["shop", SHA_256] = (4096, b"", b"")
    answer = users(SHOP, check=True)
    assert answer["changed"]
    assert answer["diff"] == {"before": "shop (SCRAM-SHA-256)\n", "after": "shop (SCRAM-SHA-512): new\n"}
    assert (answer["set"], answer["removed"], cluster.requests) == ([], [], [])


def test_a_refused_user_is_named_with_kafkas_reason_and_the_others_are_done(cluster: Cluster) -> None:
    cluster.refuses = {"clicks": (92, "Too few iterations"), "stock": (33, None)}
    answer = users(*({**SHOP, "name": name} for name in ("clicks", "shop", "stock")))
    assert answer["failed"]
    assert answer["msg"] == (
        "kafka_users: Kafka refused these, all others are done:\n"
        "clicks: Too few iterations\nstock: UnsupportedSaslMechanismError"
    )
    assert [each["name"] for each in answer["set"]] == ["shop"]


def test_a_user_whose_new_credential_is_refused_keeps_the_old_one(cluster: Cluster) -> None:
    cluster.kept["shop", SHA_256] = (4096, b"", b"")
    cluster.refuses = {"shop": (92, "Too few iterations")}
    answer = users(SHOP)
    assert answer["failed"]
    assert ("shop", SHA_256) in cluster.kept
    assert (answer["set"], answer["removed"]) == ([], [])


def test_what_was_done_is_answered_even_if_kafka_goes_away(cluster: Cluster) -> None:
    cluster.kept["shop", SHA_256] = (4096, b"", b"")
    cluster.breaks_at = 2
    answer = users(SHOP)
    assert answer["failed"]
    assert answer["msg"] == "Kafka went away."
    assert [each["mechanism"] for each in answer["set"]] == ["SCRAM-SHA-512"]
    assert answer["removed"] == []


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"name": "shop"}, "shop: password is missing"),
        ({**SHOP, "iterations": 1000}, "shop: iterations is 1000; Kafka takes 4096 to 16384"),
        ({"name": "shop", "password": f"{SECRET}\u00ad"}, "shop: password has characters that SASLprep"),
        ({"password": SECRET}, "entry 1: name is not a text"),
    ],
)
def test_a_mistake_fails_before_kafka_is_asked(cluster: Cluster, entry: dict[str, Any], sentence: str) -> None:
    answer = users(entry)
    assert answer["failed"]
    assert f"kafka_users: nothing was changed, because of these:\n{sentence}" in answer["msg"]
    assert cluster.requests == []


def test_the_user_that_the_module_logs_in_as_is_not_removed(cluster: Cluster) -> None:
    cluster.kept["admin", SHA_512] = (4096, b"", b"")
    client = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "admin",
        "sasl_plain_password": SECRET,
    }
    answer = users({"name": "admin", "state": "absent"}, client=client)
    assert answer["failed"]
    assert "admin (SCRAM-SHA-512): kafka_admin_client logs in by it" in answer["msg"]
    assert cluster.requests == []


@pytest.mark.parametrize("password", ["app", "1", "True", "SCRAM", "app1-secret"])
def test_a_password_that_is_a_part_of_other_words_does_not_garble_the_answer(cluster: Cluster, password: str) -> None:
    answer = users({"name": "app1-secret", "password": password})
    (iterations, *_) = cluster.kept["app1-secret", SHA_512]
    assert answer["changed"] is True
    assert answer["set"] == [{"name": "app1-secret", "mechanism": "SCRAM-SHA-512", "iterations": iterations}]


def test_a_password_is_masked_where_kafka_would_repeat_it(cluster: Cluster) -> None:
    cluster.refuses = {"shop": (92, f"{SECRET} is no good")}
    assert "******** is no good" in users(SHOP)["msg"]


@pytest.mark.parametrize("secret", [SECRET, 'with "quotes" and \\', "with 'both' \"quotes\"", "pässwörd"])
def test_the_journal_gets_no_password(cluster: Cluster, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible logs a module's arguments there, as the text of a Python object."""
    logged: list[str] = []
    monkeypatch.setattr(
        "ansible.module_utils.basic.AnsibleModule.log", lambda _, text, **more: logged.append(text + str(more))
    )
    users({"name": "shop", "password": secret})
    assert logged
    assert not any(secret[:8] in line or secret[-8:] in line for line in logged)
