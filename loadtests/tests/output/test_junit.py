"""junit.xml: what CI servers show of a verdict."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as Xml

import finished_run
import pytest
from finished_run import LATENCY
from kafka_load.ledger import Drain, GroupJudgement
from kafka_load.output import junit
from kafka_load.output.verdict import judge

FACTS = replace(
    finished_run.FACTS,
    planned=6_000,
    due=6_000,
    acknowledged=6_000,
    groups=tuple(GroupJudgement(group, "queue", consumed=6_000) for group in ("first", "second")),
    gaps={},
    end_to_end={"first": LATENCY, "second": LATENCY},
    faults=(),
)
LIMITS = {"lost": 0.0, "p99_produce_ms": 10.0}


def cases(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """How each test case ended, and why, by its kind and name."""
    root = Xml.fromstring(text)  # noqa: S314 - written here
    (suite,) = root
    found = {}
    for case in suite.iter("testcase"):
        end = next(iter(case), None)
        kind = case.attrib["classname"].rpartition(".")[2]
        found[kind, case.attrib["name"]] = (end.tag, end.attrib["message"]) if end is not None else ("passed", "")
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == sum(outcome == tag for outcome, _ in found.values())
    assert int(suite.attrib["tests"]) == len(found)
    return found


def test_a_run_that_passed_has_a_case_for_itself_each_limit_and_each_group() -> None:
    found = cases(junit.of_verdict(judge(FACTS, LIMITS)))
    assert found == {
        ("run", "run"): ("passed", ""),
        ("limits", "lost"): ("passed", ""),
        ("limits", "p99_produce_ms"): ("passed", ""),
        ("groups", "first"): ("passed", ""),
        ("groups", "second"): ("passed", ""),
    }


def test_a_large_limit_is_said_in_full() -> None:
    facts = replace(FACTS, groups=(replace(FACTS.groups[0], redelivered=2_345_678), FACTS.groups[1]))
    found = cases(junit.of_verdict(judge(facts, {"redelivered": 1_234_567.0})))
    assert found["groups", "first"] == ("failure", "redelivered is 2,345,678, at most 1,234,567 allowed")


def test_a_broken_limit_fails_and_so_does_only_the_group_that_broke_it() -> None:
    facts = replace(FACTS, groups=(replace(FACTS.groups[0], lost=2), FACTS.groups[1]))
    found = cases(junit.of_verdict(judge(facts, {"lost": 0.0, "p99_produce_ms": 1.0})))
    assert found["limits", "lost"][0] == found["limits", "p99_produce_ms"][0] == "failure"
    assert "lost is 2, at most 0 allowed" in found["limits", "lost"][1]
    assert found["groups", "first"] == ("failure", "lost is 2, at most 0 allowed")
    assert found["groups", "second"] == found["run", "run"] == ("passed", "")


def test_what_proves_nothing_is_skipped_and_says_why() -> None:
    unread = replace(FACTS.groups[0], unread=5, drain=Drain(unread={("orders", 0): 5}))
    verdict = judge(replace(FACTS, groups=(unread, FACTS.groups[1])), LIMITS)
    found = cases(junit.of_verdict(verdict))
    assert verdict["outcome"] == "inconclusive"
    assert found["run", "run"][0] == found["limits", "lost"][0] == "skipped"
    assert found["groups", "first"] == ("skipped", "first had not read to the end: 5 records unread")
    assert found["groups", "second"] == found["limits", "p99_produce_ms"] == ("passed", "")


def test_a_run_without_a_verdict_is_an_error() -> None:
    assert cases(junit.of_refusal("no broker answered")) == {("run", "run"): ("error", "no broker answered")}


@pytest.mark.parametrize("text", ['a <b> & "c" ]]>', "a\x00b\x1b[0m"])
def test_any_text_makes_a_file_that_can_be_read(text: str) -> None:
    verdict = judge(replace(FACTS, inconclusive_reasons=(text,)), LIMITS)
    assert cases(junit.of_verdict(verdict))["run", "run"][0] == "skipped"


def test_a_limit_of_one_group_fails_that_group_alone() -> None:
    groups = tuple(replace(group, redelivered=3) for group in FACTS.groups)
    verdict = judge(replace(FACTS, groups=groups), {}, limits_of={"group second": {"redelivered": 0}})
    found = cases(junit.of_verdict(verdict))
    assert found["limits", "redelivered of group second"][0] == "failure"
    assert found["groups", "first"] == ("passed", "")
    assert found["groups", "second"] == ("failure", "redelivered is 3, at most 0 allowed")
