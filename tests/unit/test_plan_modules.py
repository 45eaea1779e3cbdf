"""The modules around the plan at their edge: run as Ansible runs them, with what they are told and what they find."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "plugins/modules"
NOBODY = "127.0.0.1:1"  # Nothing listens on this port.


def run(name: str, check: bool = False, search_path: str = "", /, **options: Any) -> dict[str, Any]:
    """Run a module with its options, and return its answer."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check}}
    done = subprocess.run(
        [sys.executable, LIBRARY / f"{name}.py"],
        input=json.dumps(arguments),
        env=os.environ | {"PATH": f"{search_path}:{os.environ['PATH']}", "PYTHONPATH": str(LIBRARY.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("declared", "changed"),
    [
        ({"ssl.key.password": "one"}, []),
        ({"ssl.key.password": "two"}, ["ssl.key.password"]),
        ({"ssl.key.password": "one", "sasl.jaas.config": "x"}, ["sasl.jaas.config"]),
        ({}, ["ssl.key.password"]),
    ],
)
def test_secrets_that_the_process_does_not_have_are_told_by_their_keys_alone(
    tmp_path: Path, declared: dict[str, str], changed: list[str]
) -> None:
    started_with = tmp_path / "secrets.properties"
    started_with.write_text("ssl.key.password=one\n", encoding="utf-8")
    answer = run("kafka_secrets_info", path=str(started_with), secrets=declared)
    assert answer["changed_secrets"] == changed
    assert not answer["changed"]
    for value in ("one", "two"):
        assert value not in json.dumps({key: answer[key] for key in ("changed_secrets", "unacceptable_logins")})
        assert f'"{value}"' not in json.dumps(answer)


def test_without_secrets_at_the_last_start_each_declared_one_is_new(tmp_path: Path) -> None:
    answer = run("kafka_secrets_info", path=str(tmp_path / "none"), secrets={"ssl.key.password": "one"})
    assert answer["changed_secrets"] == ["ssl.key.password"]


@pytest.fixture
def node_info(tmp_path: Path) -> dict[str, str]:
    """Options of kafka_node_info on a host with two directories, of which one is declared; its broker is down."""
    systemctl = tmp_path / "bin/systemctl"
    for folder in ("bin", "config", "run", "data", "former"):
        (tmp_path / folder).mkdir()
    systemctl.write_text("#!/bin/sh\necho 0\n", encoding="utf-8")
    systemctl.chmod(0o755)
    (tmp_path / "config/server.properties").write_text(
        f"log.dirs={tmp_path}/data,{tmp_path}/former\n", encoding="utf-8"
    )
    (tmp_path / "former/meta.properties").write_text("version=1\nnode.id=1\n", encoding="utf-8")
    return {"config_dir": f"{tmp_path}/config", "runtime_dir": f"{tmp_path}/run", "release_dir": f"{tmp_path}/none"}


def read(tmp_path: Path, options: dict[str, str], declared: str = "/data") -> dict[str, Any]:
    data_dirs = [{"path": f"{tmp_path}{declared}", "mount": ""}]
    given = {**options, "name": "kafka1", "unit": "kafka.service", "data_dirs": data_dirs}
    answer = run("kafka_node_info", False, f"{tmp_path}/bin", **given)
    assert not answer.get("failed"), answer
    return answer


def test_directories_that_are_no_longer_declared_are_looked_at_too(tmp_path: Path, node_info: dict[str, str]) -> None:
    answer = read(tmp_path, node_info)
    assert [found["path"] for found in answer["data_dirs"]] == [f"{tmp_path}/data"]
    (former,) = answer["former_dirs"]
    assert former["path"] == f"{tmp_path}/former"
    assert former["meta"] == {"version": "1", "node.id": "1"}
    assert answer["process"] is None


def test_partitions_in_a_directory_that_is_no_longer_declared_are_told(
    tmp_path: Path, node_info: dict[str, str]
) -> None:
    for name in ("orders-0", "clicks.v2-11", "orders-1.0f3c-delete", "__cluster_metadata-0", "lost+found"):
        (tmp_path / "former" / name).mkdir()
    (tmp_path / "former/file-1").touch()
    answer = read(tmp_path, node_info)
    assert answer["former_dirs"][0]["partitions"] == ["clicks.v2-11", "orders-0"]


def test_a_directory_is_the_declared_one_however_its_path_is_spelt(tmp_path: Path, node_info: dict[str, str]) -> None:
    properties = f"log.dirs={tmp_path}/data/,/{tmp_path}/former/../data/.\nmetadata.log.dir={tmp_path}/data//\n"
    (tmp_path / "config/server.properties").write_text(properties, encoding="utf-8")
    answer = read(tmp_path, node_info, declared="//data/")
    assert [found["path"] for found in answer["data_dirs"]] == [f"{tmp_path}/data"]
    assert answer["former_dirs"] == []


def test_a_service_of_the_same_name_that_another_tool_has_written_is_told(
    tmp_path: Path, node_info: dict[str, str]
) -> None:
    assert read(tmp_path, node_info)["other_service"] is False
    (tmp_path / "bin/systemctl").write_text(f"#!/bin/sh\necho {os.getpid()}\n", encoding="utf-8")
    answer = read(tmp_path, node_info)
    assert (answer["process"] is None, answer["other_service"]) == (False, False)
    (tmp_path / "run").rmdir()
    answer = read(tmp_path, node_info)
    assert (answer["process"], answer["other_service"]) == (None, True)


def test_a_directory_in_the_place_of_the_link_to_the_release_is_told(tmp_path: Path, node_info: dict[str, str]) -> None:
    link = tmp_path / "kafka"
    assert read(tmp_path, node_info)["link_is_taken"] is False
    assert read(tmp_path, {**node_info, "link": str(link)})["link_is_taken"] is False
    link.symlink_to(tmp_path / "data")
    assert read(tmp_path, {**node_info, "link": str(link)})["link_is_taken"] is False
    link.unlink()
    link.mkdir()
    assert read(tmp_path, {**node_info, "link": str(link)})["link_is_taken"] is True


@pytest.mark.parametrize(("file", "told"), [("bootstrapped", True), ("formed", True), ("other", False)])
def test_whether_the_cluster_has_served_is_read_under_both_names(
    tmp_path: Path, node_info: dict[str, str], file: str, told: bool
) -> None:
    (tmp_path / "config" / file).touch()
    assert read(tmp_path, node_info)["bootstrapped"] is told


def test_files_that_a_process_reads_when_it_starts_are_told_by_their_digests(
    tmp_path: Path, node_info: dict[str, str]
) -> None:
    keystore = tmp_path / "keystore.pem"
    keystore.write_text("a key", encoding="ascii")
    given: dict[str, Any] = {**node_info, "started_with": [str(keystore), f"{tmp_path}/not-there.pem"]}
    digest = hashlib.sha256(b"a key").hexdigest()
    assert read(tmp_path, given)["started_with"] == {str(keystore): digest}


def plan(found: list[dict[str, Any]], check: bool = False, **options: Any) -> dict[str, Any]:
    member = {"name": "kafka1", "node_id": 1, "host": "192.0.2.11", "roles": ["broker", "controller"]}
    declared = {"kafka1": {"properties": {"log.dirs": "/data"}, "digests": {}}}
    servers = {"kafka1": "192.0.2.11:9093"}
    given = {"bootstrap_servers": [NOBODY], "mode": "kraft", "members": [member], "controller_servers": servers}
    return run("kafka_plan", check, **{**given, "found": found, "declared": declared, **options})


BARE = {
    "name": "kafka1",
    "data_dirs": [{"path": "/data", "mount": "", "mounted": False, "blank": True, "meta": {}}],
    "former_dirs": [],
    "recorded_id": "",
    "bootstrapped": False,
    "written": {},
    "process": None,
}
IDENTITY = "EXMJaUKljxZCEQTPA9t-Tg"


def test_the_plan_is_told_with_its_reasons_and_is_the_same_in_check_mode() -> None:
    answer, rehearsed = (plan([BARE], check, declared_id=IDENTITY, release="4.3.1") for check in (False, True))
    assert answer["lines"] == ["kafka1: start, because the cluster is new; format /data"]
    assert answer["steps"]["kafka1"]["format"] == "initial"
    assert answer["initial_controllers"].startswith("1@192.0.2.11:9093:")
    assert (answer["format_release"], answer["format_source"]) == ("4.3.1", "")
    assert answer["cluster"]["reachable"] is False
    assert NOBODY in answer["cluster"]["reason"]
    assert {**answer, "invocation": None} == {**rehearsed, "invocation": None}
    assert not answer["changed"]


def test_a_refused_plan_fails_with_every_problem() -> None:
    lost = {**BARE, "bootstrapped": True, "recorded_id": IDENTITY}
    answer = plan([lost], declared_id="CAV9tvnTSrZTY4eaJRv4ww")
    assert answer["failed"]
    assert len(answer["problems"]) == 2
    for problem in answer["problems"]:
        assert problem in answer["msg"]


def test_a_user_name_in_the_clients_options_masks_nothing_and_a_password_is_masked() -> None:
    client = {"sasl_plain_username": "kafka", "sasl_plain_password": "cluster is new"}
    answer = plan([BARE], client=client)
    assert answer["lines"] == ["kafka1: start, because the ********; format /data"]
