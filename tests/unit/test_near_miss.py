"""A misspelt variable of ours is found; a variable of somebody else's that begins alike is left alone."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.near_miss import distance, near_miss

ROLES = Path(__file__).parents[2] / "roles"
OURS = {
    name
    for file in ROLES.glob("*/meta/argument_specs.yml")
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values()
    for name in entry.get("options") or {}
}
TYPOS = {
    "Kafka_version": "kafka_version",
    "data_disk_mount": "data_disk_mounts",
    "firewall_admin_cidr": "firewall_admin_cidrs",
    "firewall_client_cdirs": "firewall_client_cidrs",
    "java_major_versoin": "java_major_version",
    "kafak_version": "kafka_version",
    "kafka_advertized_host": "kafka_advertised_host",
    "kafka_archive_check_sum": "kafka_archive_checksum",
    "kafka_archiveurl": "kafka_archive_url",
    "kafka_avertised_hosts": "kafka_advertised_host",
    "kafka_conifg": "kafka_config",
    "kafka_data_dir": "kafka_data_dirs",
    "kafka_heap_md": "kafka_heap_mb",
    "kafka_listener": "kafka_listeners",
    "kafka_nodeid": "kafka_node_id",
    "kafka_procces_roles": "kafka_process_roles",
    "kafka_topic": "kafka_topics",
    "kafka_verison": "kafka_version",
    "kafka_version_": "kafka_version",
    "os_tuning_sysctl": "os_tuning_sysctls",
}
# From public roles, playbooks and inventories that are used beside a Kafka role.
# fmt: off
FOREIGN = [
    "ansible_host", "ansible_user", "environment_name", "java_home", "java_opts", "java_package_name",
    "java_packages_extra", "java_version", "kafka_bootstrap_servers", "kafka_broker_id", "kafka_broker_rack",
    "kafka_client_jaas", "kafka_connect_group_id", "kafka_connect_version", "kafka_download_url",
    "kafka_exporter_port", "kafka_exporter_version", "kafka_health", "kafka_home", "kafka_hosts",
    "kafka_jaas", "kafka_jmx_port", "kafka_log_dirs", "kafka_log_retention_hours", "kafka_manager_url",
    "kafka_mirror", "kafka_offsets", "kafka_opts", "kafka_password", "kafka_port", "kafka_rack", "kafka_replicas",
    "kafka_result", "kafka_schema_registry_url", "kafka_site", "kafka_ssl_keystore", "kafka_status",
    "kafka_ui_port", "kafka_user", "kafka_zzz", "firewall_allowed_tcp_ports",
    "firewall_default_policy", "zookeeper_connection", "zookeeper_data_log_dir", "zookeeper_hosts", "zookeeper_id",
    "zookeeper_servers", "zookeeper_version", "inventory_dir", "group_names",
]
# fmt: on


@pytest.mark.parametrize(("typo", "meant"), TYPOS.items())
def test_a_typo_is_found_with_the_name_that_was_meant(typo: str, meant: str) -> None:
    assert list(near_miss([typo], OURS)) == [(typo, meant)]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_variable_of_somebody_else_is_left_alone(name: str) -> None:
    assert list(near_miss([name], OURS)) == []


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_a_distance_is_symmetric_and_zero_for_equal_names_alone(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) <= max(len(one), len(other))


@pytest.mark.parametrize(("one", "other", "letters"), [("verison", "version", 1), ("cidr", "cidrs", 1), ("ab", "", 2)])
def test_a_swap_counts_as_one_letter(one: str, other: str, letters: int) -> None:
    assert distance(one, other) == letters
