"""What the plays do where there is a cluster that does not answer: nobody is cut off, and a rehearsal is not green."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_play import LOCAL, run_playbook

ROOT = Path(__file__).resolve().parents[2]
SITE = yaml.safe_load((ROOT / "playbooks/site.yml").read_text("utf-8"))
LISTENERS = [
    {"name": "CLIENT", "port": 9092, "reachable_by": "clients", "security_protocol": "PLAINTEXT"},
    {"name": "CONTROLLER", "port": 9093, "reachable_by": "members", "security_protocol": "PLAINTEXT"},
]
VARIABLES: dict[str, Any] = {
    "__kafka_cluster_mode": "kraft",
    "__kafka_controller_listeners": ["CONTROLLER"],
    "__kafka_endpoint": {"changes": [], "listener": "CLIENT"},
    "__kafka_migration_keeps_ensemble": False,
    "kafka_group": "kafka",
    "kafka_inter_broker_listener": "CLIENT",
    "kafka_listeners": LISTENERS,
    "kafka_migration_phase": "",
}
ANSWERED = {"unanswered": False, "cluster": {"reachable": True, "member_hosts": ["192.0.2.11", "192.0.2.14"]}}
UNANSWERED = {"unanswered": True, "cluster": {"reachable": False, "member_hosts": []}}
BARE = {"unanswered": False, "cluster": {"reachable": False, "member_hosts": []}}


def play(folder: Path, *tasks: dict[str, Any], check: bool = False, **variables: Any) -> tuple[bool, str]:
    """Run tasks on a host of the cluster that is this machine, with the variables of the plays."""
    host = {**LOCAL, "ansible_host": "192.0.2.11"}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"kafka": {"hosts": {"kafka1": host}}}), "utf-8")
    loads = {"ansible.builtin.include_vars": str(ROOT / "playbooks/vars/firewall.yml")}
    plays = [{"hosts": "kafka", "gather_facts": False, "vars": {**VARIABLES, **variables}, "tasks": [loads, *tasks]}]
    (folder / "play.yml").write_text(yaml.safe_dump(plays), "utf-8")
    return run_playbook(folder / "play.yml", folder / "hosts.yml", *(["--check"] if check else []))


def rendered(folder: Path, **variables: Any) -> dict[str, Any]:
    """Whether rules are kept, and whom the firewalls take for members."""
    told = "{'kept': firewall_keep_undeclared, 'members': __firewall_cluster}"
    task = {"ansible.builtin.copy": {"content": f"{{{{ {told} | to_json }}}}", "dest": str(folder / "told.json")}}
    well, said = play(folder, task, **variables)
    assert well, said
    answer: dict[str, Any] = json.loads((folder / "told.json").read_text("utf-8"))
    return answer


@pytest.mark.parametrize(("plan", "kept"), [(ANSWERED, False), (BARE, False), (UNANSWERED, True)])
def test_rules_are_kept_while_a_cluster_that_is_there_does_not_tell_its_members(
    tmp_path: Path, plan: dict[str, Any], kept: bool
) -> None:
    assert rendered(tmp_path, __kafka_plan=plan)["kept"] is kept


def test_a_registered_broker_that_left_the_inventory_stays_admitted_once_the_cluster_tells_of_it(
    tmp_path: Path,
) -> None:
    assert "192.0.2.14" in rendered(tmp_path, __kafka_plan=ANSWERED)["members"]
    assert "192.0.2.14" not in rendered(tmp_path, __kafka_plan=UNANSWERED)["members"]
    asked_later = {"reachable": True, "member_hosts": ["192.0.2.11", "192.0.2.14"]}
    assert "192.0.2.14" in rendered(tmp_path, __kafka_plan=UNANSWERED, __firewall_members=asked_later)["members"]
    skipped = {"skipped": True, "changed": False}
    assert rendered(tmp_path, __kafka_plan=ANSWERED, __firewall_members=skipped)["members"]


def test_the_members_are_asked_for_between_the_restarts_and_the_closing_of_ports() -> None:
    names = [each["name"] for each in SITE]
    asks = names.index("Find the members of a cluster that the plan could not ask")
    assert names[asks - 1] == "Change running nodes, one at a time"
    assert names[asks + 1] == "Close the ports that listeners have left"


@pytest.mark.parametrize(
    ("plan", "check", "asked"),
    [(ANSWERED, True, True), (UNANSWERED, True, True), (BARE, True, False), (BARE, False, True)],
)
def test_health_is_checked_in_a_rehearsal_too_unless_there_is_no_cluster(
    tmp_path: Path, plan: dict[str, Any], check: bool, asked: bool
) -> None:
    (health,) = [each for each in SITE if each.get("ansible.builtin.import_playbook") == "check_health.yml"]
    fails = {"ansible.builtin.fail": {"msg": "Health is checked."}, "when": health["when"]}
    well, said = play(tmp_path, fails, check=check, __kafka_plan=plan)
    assert well is not asked
    assert ("Health is checked." in said) is asked


@pytest.mark.parametrize(
    ("refusal", "running", "refused"),
    [("They do not let it in.", {"kafka1": "x:1"}, True), ("They do not.", {}, False), ("", {"kafka1": "x:1"}, False)],
)
def test_a_client_that_running_brokers_do_not_let_in_is_refused_before_anything_is_touched(
    tmp_path: Path, refusal: str, running: dict[str, str], refused: bool
) -> None:
    tasks = yaml.safe_load((ROOT / "roles/preflight/tasks/hosts.yml").read_text("utf-8"))
    (refuses,) = [each for each in tasks if "do not let in" in each["name"]]
    endpoint = {"running_servers": running, "changes": []}
    well, said = play(tmp_path, refuses, __preflight_cluster={"refusal": refusal}, __kafka_endpoint=endpoint)
    assert well is not refused
    assert (f"{refusal} Nothing was touched." in said) is refused
