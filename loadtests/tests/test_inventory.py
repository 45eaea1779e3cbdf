"""Where the cluster is follows from the inventory, and a missing answer is one sentence."""

from pathlib import Path

import pytest
from kafka_load import inventory


def test_addresses_are_evaluated_by_ansible(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(
        "kafka:\n"
        "  hosts: {b: {octet: 12}, a: {octet: 11}}\n"
        "  vars: {ansible_host: '10.0.0.{{ octet }}', kafka_listeners: [{name: CLIENT, port: 9094}]}\n"
    )
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n")
    assert inventory.bootstrap_servers(tmp_path) == "10.0.0.11:9094,10.0.0.12:9094"


def test_an_inventory_without_brokers_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {a: }}\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n")
    with pytest.raises(inventory.InventoryError, match=r"give --bootstrap-servers .*no hosts in the group kafka$"):
        inventory.bootstrap_servers(tmp_path)
