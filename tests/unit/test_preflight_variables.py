"""The action plugin preflight_variables at its edge: what it is told, what it judges, and what it cannot judge."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from controller_process import in_controller

ROLES = Path(__file__).resolve().parents[2] / "roles"
DISK = {"type": "dict", "options": {"device": {"type": "path", "required": True}, "room_mb": {"type": "int"}}}
SPECS: dict[str, dict[str, Any]] = {
    "kafka": {
        "kafka_node_id": {"type": "int", "required": True, "description": "Give each host a number of its own."},
        "kafka_mode": {"type": "str", "choices": ["kraft", "zookeeper"], "default": "kraft"},
        "kafka_config": {"type": "dict"},
        "kafka_disk": DISK,
    },
    "java": {"java_heap_mb": {"type": "int", "default": 512}},
}


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    """A folder with the two roles."""
    for role, options in SPECS.items():
        (tmp_path / role / "meta").mkdir(parents=True)
        (tmp_path / role / "defaults").mkdir()
        text = yaml.safe_dump({"argument_specs": {"main": {"options": options}}})
        (tmp_path / role / "meta/argument_specs.yml").write_text(text, encoding="utf-8")
        defaults = {name: option["default"] for name, option in options.items() if "default" in option}
        (tmp_path / role / "defaults/main.yml").write_text(yaml.safe_dump(defaults), encoding="utf-8")
    return tmp_path


@dataclass(frozen=True)
class Template:
    """The value of a variable that is rendered."""

    text: str


class RefusedError(Exception):
    """The action failed."""


def act(arguments: dict[str, Any], variables: dict[str, Any], check: bool = False) -> dict[str, Any]:
    """Run the action as Ansible does, without a connection."""
    answer: dict[str, Any] = json.loads(in_controller(_act, arguments, variables, check))
    return answer


def _act(arguments: dict[str, Any], given: dict[str, Any], check: bool) -> str:
    """Run it in the controller, and return its answer as JSON."""
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.playbook.play_context import PlayContext
    from ansible.playbook.task import Task
    from ansible.template import Templar, trust_as_template

    from ansible_collections.crucible.kafka.plugins.action.preflight_variables import ActionModule

    variables = {
        name: trust_as_template(value.text) if isinstance(value, Template) else value for name, value in given.items()
    }
    loader = DataLoader()
    task = Task.load({"name": "Judge", "debug": {}})
    task.args = arguments
    task.check_mode = check
    templar = Templar(loader, variables=variables)
    no_connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action = ActionModule(
        task=task,
        connection=no_connection,
        play_context=PlayContext(),
        loader=loader,
        templar=templar,
        shared_loader_obj=None,
    )
    try:
        return json.dumps(action.run(task_vars=variables))
    except AnsibleError as error:
        raise RefusedError(str(error)) from None


def judge(
    roles: Path, check: bool = False, arguments: dict[str, Any] | None = None, **variables: Any
) -> dict[str, Any]:
    given = {"ansible_play_role_names": ["crucible.kafka.kafka"], "kafka_node_id": 1, **variables}
    return act({"roles_path": str(roles), "roles": ["kafka", "java"], **(arguments or {})}, given, check)


@pytest.mark.parametrize("check", [False, True])
def test_what_is_right_is_answered_with_nothing_to_say_and_nothing_is_changed(roles: Path, check: bool) -> None:
    variables: dict[str, Any] = {"kafka_mode": "zookeeper", "java_heap_mb": 1024}
    before = copy.deepcopy(variables)
    answer = judge(roles, check, **variables)
    assert answer == {"changed": False, "errors": {}, "corrected": {}, "postponed": [], "config": {}}
    assert judge(roles, check, **variables) == answer
    assert variables == before


@pytest.mark.parametrize(
    ("variables", "name", "told"),
    [
        ({"kafka_node_id": "two"}, "kafka_node_id", "argument 'kafka_node_id' is of type str and we were unable to"),
        ({"kafka_mode": "raft"}, "kafka_mode", "value of kafka_mode must be one of: kraft, zookeeper, got: raft"),
        ({"kafka_disk": {"room_mb": 1}}, "kafka_disk", "missing required arguments: device"),
        (
            {"java_heap_mb": Template("{{ nowhere_said }}")},
            "java_heap_mb",
            "it cannot be rendered: 'nowhere_said' is undefined",
        ),
    ],
)
def test_what_is_wrong_is_told_by_the_variables_name_and_fails_nothing(
    roles: Path, variables: dict[str, Any], name: str, told: str
) -> None:
    answer = judge(roles, **variables)
    assert "failed" not in answer
    assert list(answer["errors"]) == [name]
    assert answer["errors"][name].startswith(told)
    assert answer["corrected"] == {}


def test_a_required_variable_is_missed_where_the_play_has_its_role(roles: Path) -> None:
    arguments = {"roles_path": str(roles), "roles": ["kafka"]}
    missing = act(arguments, {"ansible_play_role_names": ["crucible.kafka.kafka"]})["errors"]
    assert missing == {"kafka_node_id": "it is not set. Give each host a number of its own."}
    assert act(arguments, {"ansible_play_role_names": ["crucible.kafka.java"]})["errors"] == {}


def test_what_another_module_judges_is_left_to_it(roles: Path) -> None:
    arguments = {"judged_elsewhere": ["kafka_mode", "java_heap_mb"]}
    assert judge(roles, arguments=arguments, kafka_mode="raft")["errors"] == {}


def test_a_value_of_another_type_is_told_in_its_own(roles: Path) -> None:
    answer = judge(roles, kafka_node_id="1", java_heap_mb=512, kafka_disk={"device": "~/disk", "room_mb": "7"})
    assert answer["errors"] == {}
    assert answer["corrected"] == {"kafka_node_id": 1, "kafka_disk": {"device": "~/disk", "room_mb": 7}}


def test_what_needs_facts_of_the_host_is_postponed_until_they_are_there(roles: Path) -> None:
    heap = Template("{{ ansible_facts['memtotal_mb'] // 4 }}")
    assert judge(roles, java_heap_mb=heap)["postponed"] == ["java_heap_mb"]
    known = {"distribution": "Debian", "memtotal_mb": 4096}
    answer = judge(roles, java_heap_mb=heap, ansible_facts=known)
    assert (answer["postponed"], answer["errors"]) == ([], {})


def test_the_judged_part_of_the_configuration_has_no_secret(roles: Path) -> None:
    answer = judge(
        roles,
        arguments={"timing": {"default.replication.factor": 2}},
        kafka_config={"min.insync.replicas": 2, "ssl.key.password": "cluster is new"},
    )
    assert answer["config"]["default.replication.factor"] == 2
    assert answer["config"]["min.insync.replicas"] == 2
    assert answer["config"]["ssl.key.password"] == ""


SECRET = "a-planted-secret"  # noqa: S105 # What the tests look for.


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ([{"name": "shop", "password": SECRET}], None),
        ([{"name": "shop"}], "shop: password is missing; state: absent would remove the user"),
        (
            [{"name": "shop", "password": f"{SECRET}\n", "iterations": 1}],
            "shop: iterations is 1; Kafka takes 4096 to 16384",
        ),
        (
            [{"name": "shop", "password": SECRET, "pasword": SECRET}],
            "kafka_users.pasword. Supported parameters include",
        ),
        ([{"password": SECRET}], "missing required arguments: name found in kafka_users"),
        ([f"shop:{SECRET}"], "unable to convert to dict"),
        (f"shop:{SECRET}", "unable to convert to dict"),
        (json.dumps([{"name": "shop", "password": SECRET}]), "unable to convert to dict"),
        ([f"name=shop password={SECRET}"], "write it as a list, not as text"),
    ],
)
def test_a_mistake_in_the_users_is_told_before_anything_is_touched_and_shows_no_password(
    users: list[Any] | str, told: str | None
) -> None:
    answer = act({"roles_path": str(ROLES), "roles": ["kafka_access"]}, {"kafka_users": users})
    assert SECRET not in json.dumps(answer)
    assert answer["corrected"] == {}
    assert answer["errors"].keys() == ({"kafka_users"} if told else set())
    assert (told or "") in answer["errors"].get("kafka_users", "")


def test_a_password_that_yaml_has_made_a_number_is_not_made_a_text_again() -> None:
    """0123 would become 83."""
    answer = act({"roles_path": str(ROLES), "roles": ["kafka"]}, {"kafka_admin_password": 83})
    assert answer["corrected"] == {}
    assert answer["errors"] == {"kafka_admin_password": "quote it, for it is not a text yet"}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"kafka_quotas": [{"user": "a", "request_percentage": 1}], "kafka_acls": []}, None),
        ({"kafka_quotas": [{"user": None, "client_id": "b", "request_percentage": 1}]}, "user is None"),
        ({"kafka_quotas": [{"user": "a", "request_percentage": -1}]}, "user a: request_percentage is -1"),
        ({"kafka_acls": [{"principal": "a", "state": "absent"}]}, "entry 1 (a): principal is written User:NAME"),
    ],
)
def test_a_mistake_in_quotas_and_acls_is_told_before_anything_is_touched(
    variables: dict[str, Any], told: str | None
) -> None:
    answer = act({"roles_path": str(ROLES), "roles": ["kafka_access"]}, variables)
    assert answer["corrected"] == {}
    assert len(answer["errors"]) == (0 if told is None else 1)
    assert (told or "") in " ".join(answer["errors"].values())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"roles": ["kafka"]}, "missing required arguments: roles_path"),
        ({"roles_path": "/nowhere"}, "missing required arguments: roles"),
        ({"roles_path": "/nowhere", "roles": {"name": "kafka"}}, "argument 'roles' is of type"),
        ({"roles_path": "/nowhere", "roles": [], "role": "kafka"}, "Unsupported parameters"),
        (
            {"roles_path": "/nowhere", "roles": ["kafka"]},
            "roles: kafka has no readable argument_specs (/nowhere/kafka/meta/argument_specs.yml: No such file",
        ),
    ],
)
def test_what_it_cannot_do_is_one_sentence_by_the_parameters_name(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedError) as failure:
        act(arguments, {})
    assert told in str(failure.value)
