"""Where the cluster is follows from the inventory, and a missing answer is one sentence."""

from pathlib import Path

import pytest
from kafka_load.config import inventory

PROJECT = inventory.PLAYBOOK.parents[1]


def folder(tmp_path: Path, hosts: str) -> Path:
    (tmp_path / "hosts.yml").write_text(hosts)
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\ninventory = hosts.yml\ncollections_path = {PROJECT}\n")
    return tmp_path


def test_the_clients_listener_of_every_broker_is_told(tmp_path: Path) -> None:
    hosts = (
        "kafka:\n"
        "  hosts: {b: {kafka_node_id: 2, octet: 12}, a: {kafka_node_id: 1, octet: 11}}\n"
        "  vars: {kafka_advertised_host: '10.0.0.{{ octet }}'}\n"
    )
    told = inventory.bootstrap_servers(folder=folder(tmp_path, hosts))
    assert sorted(told.split(",")) == ["10.0.0.11:9092", "10.0.0.12:9092"]


def test_an_inventory_without_brokers_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(inventory.InventoryError, match=r"^give --bootstrap-servers .*the inventory has no cluster"):
        inventory.bootstrap_servers(folder=folder(tmp_path, "all: {hosts: {a: }}\n"))


def test_without_ansible_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(inventory.InventoryError, match=r"^give --bootstrap-servers .*there is no ansible-playbook"):
        inventory.bootstrap_servers()


def test_without_the_project_it_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(inventory.InventoryError, match=r"^give --bootstrap-servers .*inside the project's folder"):
        inventory.bootstrap_servers(playbook=tmp_path / "none.yml")
