"""Cleaning up stops this checkout's load clients, and nobody else's processes."""

from pathlib import Path

import pytest
from stop_clients import is_client

ROOT = Path("/home/shop/crucible")


@pytest.mark.parametrize(
    ("command", "cwd"),
    [
        (f"{ROOT}/.venv/bin/python3 {ROOT}/.venv/bin/locust --headless", ROOT),
        (".venv/bin/python .venv/bin/kafka-load consume", ROOT),
        (f"/usr/bin/python3.11 {ROOT}/loadtests/first_shop.py", Path("/")),
        ("python first_shop.py", ROOT / "loadtests"),
        ("python loadtests/kafka_load/node.py", ROOT),
    ],
)
def test_clients_of_this_checkout_are_stopped(command: str, cwd: Path) -> None:
    assert is_client(command.split(), cwd, ROOT)


@pytest.mark.parametrize(
    ("command", "cwd"),
    [
        ("python loadtests/first_shop.py", Path("/home/other/crucible")),
        (f"vim {ROOT}/loadtests/first_shop.py", ROOT),
        (f"{ROOT}/.venv/bin/python {ROOT}/.venv/bin/ansible-playbook site.yml", ROOT),
        (f"python tool.py {ROOT}/loadtests", ROOT),
        ("", ROOT),
    ],
)
def test_other_processes_go_on(command: str, cwd: Path) -> None:
    assert not is_client(command.split(), cwd, ROOT)
