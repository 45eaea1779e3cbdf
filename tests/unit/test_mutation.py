"""Mutation testing counts what survived, and only a survivor with a reason does not count."""

import tomllib
from pathlib import Path

import pytest
from mutation import Core, Score, Survivor, changed_lines, cores, explained_survivors, selected, survivors_of

ROOT = Path(__file__).resolve().parents[2]
GATE = Core("gate", "plugins/module_utils/gate.py", ("tests/unit/test_gate.py",))
SLO = Core("config/slo", "kafka_load/config/slo.py", ())
MUTATED = """
def x_open__mutmut_orig(lag, limit=0):
    behind = lag > limit
    return not behind

def x_open__mutmut_1(lag, limit=0):
    behind = lag >= limit
    return not behind

def x_open__mutmut_2(lag, limit=0):
    behind = lag > limit
    return behind

class Gate:
    def xǁGateǁshut__mutmut_orig(self):
        return 1
    def xǁGateǁshut__mutmut_1(self):
        return 2
"""
RESULTS = """
    plugins.gate.x_open__mutmut_1: survived
    plugins.gate.x_open__mutmut_2: killed
    plugins.gate.xǁGateǁshut__mutmut_1: no tests
"""


def test_a_mutant_is_named_by_the_lines_that_it_has_instead() -> None:
    assert changed_lines(MUTATED)["x_open__mutmut_1"] == "behind = lag >= limit"
    assert changed_lines(MUTATED)["x_open__mutmut_2"] == "return behind"


def test_whatever_is_not_killed_survives_untested_code_too() -> None:
    assert survivors_of(GATE, RESULTS, MUTATED) == (
        3,
        (Survivor("gate", "open", "behind = lag >= limit"), Survivor("gate", "Gate.shut", "return 2")),
    )


def test_explained_survivors_do_not_count() -> None:
    alive = (Survivor("gate", "open", "return behind"),)
    assert Score("gate", 20, alive, 0).percent == 95
    assert Score("gate", 20, alive, 10).percent == 90
    assert Score("gate", 2, (), 2).percent == 100


def test_each_survivor_in_the_document_has_a_core_a_function_lines_and_a_reason() -> None:
    document = 'text\n```toml\ngate = [["open", "return behind", "it is the same"]]\n```\n'
    assert explained_survivors(document) == {("gate", "open", "return behind")}
    assert explained_survivors("no list") == frozenset()
    known = {core.name for core in cores(tomllib.loads((ROOT / "tests/mutation.toml").read_text()))}
    assert {core for core, _, _ in explained_survivors((ROOT / "docs/testing.md").read_text())} <= known


def test_a_core_is_selected_by_its_name_or_its_folder_and_all_by_default() -> None:
    assert selected([GATE, SLO], ["gate"]) == [GATE]
    assert selected([GATE, SLO], ["config"]) == [SLO]
    assert selected([GATE, SLO], []) == [GATE, SLO]
    with pytest.raises(ValueError, match="there is no core 'gaet'"):
        selected([GATE, SLO], ["gaet"])


def test_every_declared_core_and_test_exists() -> None:
    for core in cores(tomllib.loads((ROOT / "tests/mutation.toml").read_text())):
        source = core.source.replace("kafka_load/", "loadtests/kafka_load/", 1)
        for path in (source, *core.tests):
            assert (ROOT / path).is_file(), path
