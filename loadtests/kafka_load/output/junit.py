"""The verdict as JUnit XML, which CI servers show: one test case for the run, each limit and each group.

A limit that was broken is a failure. What proves nothing (an undecided limit, a group that has not read to the end) is
skipped: neither passed nor failed. Before a verdict there is one test case with an error, so that no file of an
earlier run is taken for this one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as Xml

from kafka_load.config.slo import LIMITS
from kafka_load.output import console_summary

FILE = "junit.xml"
NO_VERDICT = "the run has no verdict"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


@dataclass(frozen=True)
class Case:
    """One test case: its kind (run, limits, groups), its name, how it ended, and why."""

    kind: str
    name: str
    outcome: Literal["passed", "failure", "skipped", "error"] = "passed"
    why: str = ""


def of_verdict(verdict: Mapping[str, Any]) -> str:
    """The text of the file for verdict.json's content."""
    name = f"kafka-load.{verdict['profile']}"
    found = [_run(verdict), *map(_limit, verdict["slo"]), *_groups(verdict)]
    return _xml(name, found, verdict["started"], verdict["duration_s"], verdict["run_id"])


def of_refusal(sentence: str = NO_VERDICT) -> str:
    """The text of the file for a run that has no verdict (yet)."""
    return _xml("kafka-load", [Case("run", "run", "error", sentence)])


def write(path: Path, text: str) -> None:
    """Write the file, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _run(verdict: Mapping[str, Any]) -> Case:
    """What decides beside limits and groups: the plan that was not kept, a harness that was late, too few records."""
    if failures := verdict.get("failures"):
        return Case("run", "run", "failure", "\n".join(failures))
    if verdict["outcome"] == "inconclusive":
        return Case("run", "run", "skipped", "\n".join(verdict.get("reasons") or verdict["notes"]))
    return Case("run", "run")


def _limit(result: Mapping[str, Any]) -> Case:
    name = console_summary.title(result)
    if why := result.get("undecided"):
        return Case("limits", name, "skipped", f"{name} is undecided: {why}")
    if not result["ok"]:
        return Case("limits", name, "failure", console_summary.breach(result))
    return Case("limits", name)


def _groups(verdict: Mapping[str, Any]) -> Iterator[Case]:
    """A group fails by the limits that it broke itself, whatever the others did."""
    broken = console_summary.broken(verdict)
    for group in verdict["groups"]:
        name, counts = group["group"], {**group.get("processing", {}), **group.get("transform", {}), **group}
        why = [
            f"{count} is {counts[count]:,}, at most {console_summary.number(limit['limit'])} allowed"
            for limit in broken
            if limit.get("of", "") in ("", f"group {name}")
            and not LIMITS[count := limit["name"]].at_least
            and counts.get(count, 0) > limit["limit"]
        ]
        if why:
            yield Case("groups", name, "failure", "\n".join(why))
        elif not group.get("drained", True):
            yield Case("groups", name, "skipped", f"{name} had not read to the end: {group['unread']:,} records unread")
        else:
            yield Case("groups", name)


def _xml(suite: str, cases: list[Case], started: str = "", duration_s: float = 0.0, run_id: str = "") -> str:
    counts = {
        attribute: str(sum(case.outcome == outcome for case in cases))
        for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    root = Xml.Element("testsuites")
    whole = {"name": suite, "tests": str(len(cases)), **counts, "time": f"{duration_s:.3f}"}
    outer = Xml.SubElement(root, "testsuite", whole)
    if started:
        outer.set("timestamp", started.partition("+")[0])
        Xml.SubElement(Xml.SubElement(outer, "properties"), "property", name="run_id", value=run_id)
    for case in cases:
        time = f"{duration_s:.3f}" if case.kind == "run" else "0"
        inner = Xml.SubElement(outer, "testcase", classname=f"{suite}.{case.kind}", name=case.name, time=time)
        if case.outcome != "passed":
            text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", case.why)
            Xml.SubElement(inner, case.outcome, message=text.partition("\n")[0]).text = text
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
