"""Each file of a fault says all that the role needs, and its scripts are such that a shell can read them."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.crucible.kafka.plugins.module_utils.fault_plan import (
    BROKER,
    CONTROLLER,
    REPLICATION,
    SELECTORS,
    ZOOKEEPER,
)

ROLE = Path(__file__).resolve().parents[2] / "roles/fault"
USUAL = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__fault_usual"]
SAID = {"about", "target", "breaks", "inject", "verify", "heal"}
FAULTS = sorted((ROLE / "faults").glob("*.yml"))


@pytest.fixture(params=FAULTS, ids=lambda path: str(path.stem))
def fault(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(yaml.safe_load(request.param.read_text(encoding="utf-8")))


def test_a_fault_says_what_it_imitates_whom_it_hits_what_it_breaks_and_how_it_is_seen_and_healed(
    fault: dict[str, Any],
) -> None:
    assert SAID <= fault.keys() <= SAID | USUAL.keys()
    assert set(fault["target"]) <= set(SELECTORS)
    assert set(fault["breaks"]) <= {BROKER, REPLICATION, CONTROLLER, ZOOKEEPER}
    assert len(fault["about"].split(". ")) >= 3


@pytest.mark.parametrize("section", ["prepare", "inject", "verify", "heal"])
def test_a_posix_shell_can_read_it(fault: dict[str, Any], section: str) -> None:
    library = (ROLE / "files/lib.sh").read_text(encoding="utf-8")
    script = f"{library}\n{section}() {{\n{fault.get(section) or ':'}\n}}\n"
    assert subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False).stderr == ""
