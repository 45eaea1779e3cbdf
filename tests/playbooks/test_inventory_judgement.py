"""What the inventory alone shows is told in a few seconds, and no host is connected to for it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_play import run_playbook

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventory/production.example"
CHECKSUM = hashlib.sha512(b"kafka").hexdigest().upper()
AS_PUBLISHED = "kafka_2.13-4.4.0.tgz: " + "\n  ".join(CHECKSUM[start : start + 8] for start in range(0, 128, 8))
# Nobody has this address (RFC 5737), and a connection to it is not even tried: the proxy fails at once.
NOWHERE = {"ansible_host": "192.0.2.1", "ansible_ssh_common_args": "-o ProxyCommand=false"}

NETWORKS = {"firewall_admin_cidrs": ["10.1.0.0/24"], "firewall_client_cidrs": ["10.2.0.0/16"]}


def judge(inventory: Path, *args: str) -> str:
    """Run site.yml, which fails in any case, and return what it says on one line."""
    well, said = run_playbook("site.yml", inventory, *args)
    assert not well
    return said


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example as step 1 of the README copies it, with hosts that cannot be reached."""
    copy = tmp_path / "production"
    shutil.copytree(EXAMPLE, copy)
    (copy / "group_vars/kafka/reach.yml").write_text(yaml.safe_dump(NOWHERE), encoding="utf-8")
    return copy


def say(inventory: Path, **variables: Any) -> None:
    """Say something for the group kafka."""
    (inventory / "group_vars/kafka/z.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")


def test_each_placeholder_of_the_example_is_refused_by_one_sentence(example: Path) -> None:
    said = judge(example, "--check")
    assert "Nothing was changed. 3 problems: kafka_archive_checksum: '128 hexadecimal digits' is no SHA-512" in said
    assert "firewall_admin_cidrs: nobody comes from 192.0.2.0/24, reserved for examples" in said
    assert "firewall_client_cidrs: nobody comes from 198.51.100.0/24, reserved for examples" in said
    assert "UNREACHABLE" not in said


def test_the_filled_in_example_needs_no_group_but_kafka_and_takes_a_pasted_checksum(example: Path) -> None:
    say(example, **NETWORKS, kafka_archive_checksum=AS_PUBLISHED)
    said = judge(example, "--check")
    assert "Nothing was changed" not in said
    assert "UNREACHABLE" in said


def test_variables_of_the_wrong_type_are_told_for_all_roles_at_once_with_their_hosts(example: Path) -> None:
    say(
        example,
        data_disk_mounts=[{"device": "/dev/vdb"}],
        firewall_admin_cidrs="{{ nowhere_said }}",
        kafka_archive_checksum=CHECKSUM,
        kafka_heap_mb="much",
        kafka_listener=[],
        kafka_mode="raft",
        os_tuning_limits="none",
        zookeeper_hosts="not ours",
    )
    (example / "host_vars").mkdir()
    (example / "host_vars/kafka2.example.com.yml").write_text("kafka_node_id: two\n", encoding="utf-8")
    said = judge(example)
    assert "Nothing was changed. 7 problems:" in said
    for sentence in (
        "data_disk_mounts: missing required arguments: path",
        "firewall_admin_cidrs: it cannot be rendered: 'nowhere_said' is undefined",
        "kafka_heap_mb: argument 'kafka_heap_mb' is of type str and we were unable to convert to int",
        "kafka_mode: value of kafka_mode must be one of: kraft, zookeeper, got: raft",
        "os_tuning_limits: ",
        "kafka_node_id: kafka2.example.com has none",
        "kafka_listener: no role has this variable; did you mean kafka_listeners?",
    ):
        assert sentence in said
    assert "UNREACHABLE" not in said


def test_what_is_of_the_right_type_and_cannot_work_is_told_before_a_host_is_reached(example: Path) -> None:
    say(
        example,
        **NETWORKS,
        kafka_admin_listener="ADMIN",
        kafka_archive_checksum=f"sha512:{CHECKSUM}",
        kafka_config={"log.dirs": "/srv/kafka", "default.replication.factor": 4, "min.insync.replicas": None},
        kafka_heap_mb="{{ (ansible_facts['memtotal_mb'] * 0.25) | int }}",
        kafka_topics=[{"name": "orders", "config": {"min.insync.replicas": None}}],
    )
    said = judge(example, "-e", "kafka_mode=zookeeper")
    for sentence in (
        "kafka_admin_listener: ADMIN is not one of kafka_listeners",
        "kafka_config: log.dirs is not set here; change kafka_data_dirs",
        "kafka_config: default.replication.factor is 4, but there are 3 brokers",
        "kafka_mode: Kafka 4.4.0 has no ZooKeeper mode",
        "groups['zookeeper']: there are no ZooKeeper servers",
    ):
        assert sentence in said
    assert "Nothing was changed. 5 problems:" in said
    assert "UNREACHABLE" not in said


def add_zookeeper_servers(inventory: Path, **variables: Any) -> None:
    """Add a group of ZooKeeper servers, one of which is a host of its own."""
    hosts = {"zk1.example.com": {**NOWHERE, **variables}, "kafka2.example.com": {}, "kafka3.example.com": {}}
    (inventory / "zookeeper.yml").write_text(yaml.safe_dump({"zookeeper": {"hosts": hosts}}), encoding="utf-8")


def test_what_a_zookeeper_server_outside_the_group_lacks_is_told_before_a_host_is_reached(example: Path) -> None:
    say(example, **NETWORKS, kafka_archive_checksum=CHECKSUM, kafka_mode="zookeeper", kafka_version="3.9.2")
    add_zookeeper_servers(example, kafka_node_id=2)
    said = judge(example)
    for sentence in (
        "kafka_mode: the brokers have zookeeper, but the ZooKeeper servers zk1.example.com do not have it; set",
        "kafka_version: the brokers have 3.9.2, but the ZooKeeper servers zk1.example.com do not have it",
        "kafka_archive_url: the ZooKeeper servers zk1.example.com do not have it",
        "kafka_archive_checksum: the ZooKeeper servers zk1.example.com do not have it",
        "kafka_node_id: 2 is given to kafka2.example.com and zk1.example.com",
    ):
        assert sentence in said
    assert "Nothing was changed. 5 problems:" in said
    assert "UNREACHABLE" not in said


def test_a_zookeeper_server_outside_the_group_is_deployed_with_a_cluster_that_uses_it(example: Path) -> None:
    archive = {"kafka_archive_url": "/nowhere/kafka.tgz", "kafka_archive_checksum": CHECKSUM}
    mode = {"kafka_mode": "zookeeper", "kafka_version": "3.9.2"}
    say(example, **NETWORKS)
    add_zookeeper_servers(example, kafka_node_id=11, **NETWORKS)
    given = [f"--extra-vars={name}={value}" for name, value in archive.items()]
    said = judge(example, "--limit=zk1.example.com", *given, *(f"-e{name}={value}" for name, value in mode.items()))
    assert "[zk1.example.com]: UNREACHABLE" in said


def test_a_server_of_an_ensemble_that_the_cluster_does_not_use_is_left_alone(example: Path) -> None:
    say(example, **NETWORKS, kafka_archive_checksum=CHECKSUM)
    add_zookeeper_servers(example)
    said = judge(example)
    assert "[kafka1.example.com]: UNREACHABLE" in said
    assert "[zk1.example.com]: UNREACHABLE" not in said


def test_certificates_that_cannot_be_made_are_told_before_a_host_is_reached(example: Path) -> None:
    say(example, **NETWORKS, kafka_archive_checksum=CHECKSUM, tls_enabled=True, tls_renew_days=365)
    said = judge(example)
    assert "tls_authority_dir: name a folder on tls_authority_host" in said
    assert "tls_authority_passphrase: it needs 8 characters or more" in said
    assert "tls_renew_days: 365 is not less than tls_days, 365" in said
    assert "UNREACHABLE" not in said


AUTHORITY = {"tls_authority_dir": "/srv/authority", "tls_authority_passphrase": "an-authoritys-secret"}
ADMIN = {"kafka_admin_password": "an-admins-secret"}


def test_a_security_that_cannot_work_is_told_before_a_host_is_reached(example: Path) -> None:
    filled = {**NETWORKS, **AUTHORITY, "kafka_archive_checksum": CHECKSUM}
    say(example, **filled, kafka_security="ssl")
    choices = "plaintext, tls, mtls, scram"
    assert f"kafka_security: value of kafka_security must be one of: {choices}, got: ssl" in judge(example)
    say(example, **filled, kafka_security="scram")
    said = judge(example)
    assert "kafka_admin_password: kafka_security scram needs it; keep it in a vault." in said
    assert "UNREACHABLE" not in said
    say(example, **filled, kafka_security="scram", **ADMIN)
    said = judge(example)
    assert "UNREACHABLE" in said
    assert "an-admins-secret" not in said
