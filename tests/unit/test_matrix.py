"""The rows of the failover matrix say what exists, and the short matrix has what CI must see."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from kafka_load.engines.base import Engine
from kafka_load.engines.settings import ClientSettings
from live import BROKERS
from matrix.audit import Audit
from matrix.claims import claims
from matrix.evidence import OBSERVATIONS
from matrix.identities import Claimed, Stamp, claimed
from matrix.members import process_of
from matrix.report import COLUMNS, cells, table, write
from matrix.rows import PROMISED, Row, rows
from matrix.scenario import Outcome, Scenario

from ansible_collections.crucible.kafka.plugins.module_utils.fault_plan import SELECTORS

ROWS = [*rows("kraft"), *rows("zookeeper")]
ROOT = Path(__file__).resolve().parents[2]
FAULTS = {path.stem for path in (ROOT / "roles/fault/faults").glob("*.yml")}
TARGETS = {*SELECTORS, "hit"}
GROUP = {"lost": 0, "duplicated_in_log": 0, "reordered": 0, "redelivered": 4, "phantom": 0}
QUIET = {name: [f"[2026-11-25 13:51:29,9{name[-1]}] ERROR not yet: apiKey=BROKER_HEARTBEAT"] for name in BROKERS}
FINE = {
    "outcome": "pass",
    "produced": {"acknowledged": 1000, "failed": 0, "indeterminate": 2},
    "groups": [GROUP, GROUP | {"redelivered": 0}],
    "availability": {"longest_gap_s": 2.25},
    "faults": [{"name": "kill_broker", "ordered_at_s": 20.0, "injected_at_s": 20.25, "healed_at_s": 30.0}],
}
AT_ONCE = {"name": "kill_broker", "ordered_at_s": 20.0, "injected_at_s": 20.0, "healed_at_s": 30.0}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.mode}-{row.name}")
def test_a_row_is_made_of_what_exists(row: Row) -> None:
    assert row.profile.exists()
    assert row.seen.keys() <= OBSERVATIONS.keys()
    assert (row.kind == "control") == bool(row.finds)
    for step in row.steps:
        verb, what = next(iter(step.items()))
        assert callable(getattr(Scenario, verb))
        assert verb not in ("inject", "heal", "repeat") or what in FAULTS
        assert set(step.get("target", "leader").split(",")) <= TARGETS


def test_every_fault_of_the_role_has_a_row() -> None:
    done = {step[verb] for row in ROWS for step in row.steps for verb in ("inject", "repeat") if verb in step}
    assert done == FAULTS


def test_the_short_matrix_has_what_every_change_must_survive() -> None:
    short = [row for row in rows("kraft") if row.ci]
    promises = {row.name for row in short if row.kind == "promise"}
    assert promises == {"kill_controller", "pause_broker", "partition_host", "disk_full"}
    assert len([row for row in short if row.kind == "control"]) == 2


def test_rows_that_need_another_timing_come_last() -> None:
    timings = [row.timing for row in rows("kraft")]
    assert timings == sorted(timings, reverse=True)


def test_a_promise_claims_what_kafka_promises_and_a_control_that_it_is_found() -> None:
    for row in ROWS:
        assert (PROMISED.items() <= row.limits.items()) == (row.kind == "promise")
        assert any("the harness finds" in claim.sentence for claim in claims(row)) == (row.kind == "control")


def stamps(*sequences: int) -> frozenset[Stamp]:
    return frozenset((7, "orders", 0, sequence) for sequence in sequences)


ACKNOWLEDGED = stamps(*range(1000))


def outcome(
    row: Row,
    in_log: frozenset[Stamp] = ACKNOWLEDGED | stamps(1000),  # One that failed for the client may be there.
    called_lost: frozenset[Stamp] = frozenset(),
    **figures: int,
) -> Outcome:
    verdict = {**FINE, "groups": [GROUP | figures]}
    seen = dict(row.seen)
    read = Audit(in_log, figures.get("duplicated_in_log", 0), 0)
    claimed = Claimed(ACKNOWLEDGED, called_lost)
    return Outcome(row, verdict, ["kafka2"], seen, QUIET, read, claimed, twice_by_brokers=0, recovered_s=1.5)


def broken(found: Outcome) -> list[str]:
    sentences = []
    for claim in claims(found.row):
        try:
            claim.check(found)
        except AssertionError:
            sentences.append(claim.sentence)
    return sentences


KILL = next(row for row in rows("kraft") if row.name == "kill_broker")
CONTROL = next(row for row in rows("kraft") if row.name == "acks_1")


COMMIT_FIRST = next(row for row in rows("kraft") if row.name == "commit_before_process")
AGREES = "a reader that shares no code with the harness agrees"
UNKNOWN = "[2026-11-25 13:51:29,915] ERROR Error while appending records to clicks-9 (kafka.log.UnifiedLog)"


def test_a_run_that_went_as_promised_breaks_no_claim() -> None:
    assert broken(outcome(KILL)) == []


def test_a_control_that_finds_just_what_is_missing_breaks_no_claim() -> None:
    assert broken(outcome(CONTROL, in_log=stamps(*range(2, 1000)), called_lost=stamps(0, 1), lost=2)) == []
    assert broken(replace(outcome(COMMIT_FIRST, lost=2, called_lost=stamps(0, 1)), taken=2)) == []


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (outcome(KILL, reordered=1), "no records change places"),
        (replace(outcome(KILL, duplicated_in_log=1), twice_by_brokers=1), "no broker writes anything twice"),
        (replace(outcome(KILL), seen={**KILL.seen, "process": "running"}), "meanwhile process: gone"),
        (replace(outcome(KILL), verdict={**FINE, "availability": {"longest_gap_s": 9.0}}), "no partition stands still"),
        (replace(outcome(KILL), error="ScenarioError: refused"), "it happens and is healed"),
        (replace(outcome(KILL), verdict={**FINE, "faults": [AT_ONCE]}), "its mark has the time"),
        (replace(outcome(KILL), verdict={**FINE, "faults": []}), "its mark has the time"),
        (replace(outcome(KILL), logged={**QUIET, "kafka3": [UNKNOWN]}), "no node logs an error"),
        (replace(outcome(KILL), logged={"kafka1": [], "kafka2": []}), "no node logs an error"),
        # One acknowledged record is missing, and one that failed is there: the counts agree, the records do not.
        (outcome(KILL, in_log=stamps(*range(1, 1002))), AGREES),
        # The right number is called lost, of the wrong records.
        (outcome(CONTROL, in_log=stamps(*range(1, 1000)), called_lost=stamps(5), lost=1), AGREES),
        (outcome(CONTROL, in_log=stamps(*range(2, 1000)), called_lost=stamps(1), lost=1), AGREES),
        (replace(outcome(KILL), claimed=Claimed(stamps(1), frozenset())), AGREES),
        (replace(outcome(COMMIT_FIRST, lost=3, called_lost=stamps(1, 2)), taken=2), AGREES),
        (
            replace(outcome(COMMIT_FIRST, lost=2, in_log=stamps(*range(2, 1000)), called_lost=stamps(0, 1)), taken=2),
            AGREES,
        ),
        (outcome(CONTROL), "the harness finds what is missing"),
    ],
)
def test_each_claim_can_be_broken(found: Outcome, sentence: str) -> None:
    (said,) = broken(found)
    assert said.startswith(sentence)


def test_what_a_client_wrote_twice_is_a_finding_that_the_table_tells() -> None:
    found = outcome(KILL, duplicated_in_log=3)
    assert broken(found) == []
    assert cells(found, True)[-1] == "as promised; 3 written twice by the client (librdkafka issue 4953)"


def test_a_row_that_could_not_be_done_breaks_every_claim() -> None:
    assert broken(Outcome(KILL, error="ScenarioError: no load")) == [claim.sentence for claim in claims(KILL)]


def test_a_row_says_which_errors_its_fault_explains() -> None:
    found = replace(outcome(replace(KILL, errors=["while appending"])), logged={**QUIET, "kafka3": [UNKNOWN]})
    assert broken(found) == []


@pytest.mark.parametrize(
    ("exception", "explained"),
    [
        ("org.apache.kafka.common.errors.TimeoutException: CoordinatorWriteEvent timed out after 5000ms", True),
        ("org.apache.kafka.common.errors.NotEnoughReplicasException: The size of the current ISR is 1", True),
        ("org.apache.kafka.common.errors.CorruptRecordException: Record is corrupt", False),
        ("org.apache.kafka.common.errors.KafkaStorageException: Disk error", False),
        ("java.lang.NullPointerException", False),
    ],
)
def test_a_fault_explains_that_a_node_is_away_and_nothing_about_data(exception: str, explained: bool) -> None:
    found = replace(outcome(KILL), logged={**QUIET, "kafka3": [f"{UNKNOWN}: {exception}"]})
    assert (broken(found) == []) is explained


def test_the_harness_is_taken_at_its_word_record_by_record(tmp_path: Path) -> None:
    (tmp_path / "acknowledged.csv").write_text("topic,partition,producer,first,last\norders,0,7,0,2\norders,0,7,4,4\n")
    (tmp_path / "anomalies.csv").write_text(
        "kind,group,topic,partition,offset,producer,sequence,count,note,at_s\n"
        "lost,analytics-group,orders,0,,7,1,2,,1.5\nreordered,analytics-group,orders,0,9,7,4,1,,1.5\n"
    )
    assert claimed(tmp_path) == Claimed(stamps(0, 1, 2, 4), stamps(1, 2))


def test_the_table_has_a_line_for_each_row() -> None:
    lines = table(
        [cells(outcome(KILL), True), cells(Outcome(CONTROL, error="ScenarioError: no load"), False)]
    ).splitlines()
    assert lines[0].split("  ")[0] == COLUMNS[0]
    assert "as promised" in lines[1]
    assert "ScenarioError: no load" in lines[2]


def test_the_results_are_left_as_json_with_the_places_of_what_was_written_twice(tmp_path: Path) -> None:
    found = outcome(KILL)
    twice = replace(found, audit=Audit(ACKNOWLEDGED, 1, 0, {("orders", 2): [(40, 43)]}))
    write(tmp_path, [(found, True), (twice, False)])
    first, second = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert (first["row"]["name"], first["passed"], second["passed"]) == ("kill_broker", True, False)
    assert second["audit"]["places"] == {"orders-2": [[40, 43]]}
    assert (second["audit"]["records"], "claimed" in second) == (1000, False)
    assert "kill_broker" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_process_of_a_member_is_known_by_its_engine() -> None:
    engine: Engine[None, None] = Engine(ClientSettings("nowhere:1"))
    assert process_of(engine.id) == os.getpid()
