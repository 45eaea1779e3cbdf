"""Marks: written from outside by the command or the API, read by the run as faults."""

from pathlib import Path

import pytest
from kafka_load import cli
from kafka_load.output.measurements import Fault
from kafka_load.run import run_annotations

S = 1_000_000_000


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    path = tmp_path / "r1"
    path.mkdir()
    (tmp_path / "latest").symlink_to("r1")
    return path


def test_the_command_marks_the_run_that_is_on(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--results-dir", str(run_dir.parent), "mark", "kill_broker", "kafka2"]
    assert cli.main(command) == 0
    assert cli.main([*command, "--healed"]) == 0
    assert [(m.name, m.target, m.healed) for m in run_annotations.read(run_dir)] == [
        ("kill_broker", "kafka2", False),
        ("kill_broker", "kafka2", True),
    ]
    assert capsys.readouterr().out.splitlines() == ["r1: kill_broker kafka2", "r1: kill_broker kafka2 healed"]


def test_a_run_that_has_ended_cannot_be_marked(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run_dir / "verdict.json").write_text("{}")
    assert cli.main(["--results-dir", str(run_dir.parent), "mark", "kill_broker", "kafka2"]) == 3
    assert capsys.readouterr().err == "kafka-load: the run r1 has ended\n"


def test_without_a_run_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--results-dir", str(tmp_path), "mark", "kill_broker", "kafka2"]) == 3
    assert capsys.readouterr().err == f"kafka-load: there is no run in {tmp_path}\n"


def test_a_healing_ends_the_injection_it_belongs_to(run_dir: Path) -> None:
    for name, target, healed, at_s in (
        ("kill_broker", "kafka2", False, 20),
        ("pause_broker", "kafka1", False, 25),
        ("kill_broker", "kafka2", True, 41),
        ("kill_broker", "kafka2", False, 50),
        ("disk_full", "kafka3", True, 60),
    ):
        run_annotations.mark(run_dir, name, target, healed=healed, at_ns=(1000 + at_s) * S)
    assert run_annotations.faults(run_annotations.read(run_dir), 1000 * S) == [
        Fault("kill_broker", "kafka2", 20.0, 41.0),
        Fault("pause_broker", "kafka1", 25.0, None),
        Fault("kill_broker", "kafka2", 50.0, None),
        Fault("disk_full", "kafka3", None, 60.0),
    ]


def test_a_half_written_mark_waits_for_its_other_half(run_dir: Path) -> None:
    run_annotations.mark(run_dir, "kill_broker", "kafka2")
    with (run_dir / run_annotations.MARKS).open("a") as file:
        file.write('{"name": "pau')
    assert len(run_annotations.read(run_dir)) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("kill_broker kafka2", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "it must be an object"),
        ('{"name": "a", "target": "b", "healed": false}', "at_ns must be a whole number, not None"),
        ('{"name": "a", "target": "b", "healed": 0, "at_ns": 1}', "healed must be true or false, not 0"),
        ('{"name": "a", "target": "b", "healed": false, "at_ns": NaN}', "at_ns must be a whole number, not nan"),
        ('{"name": "a", "target": 2, "healed": false, "at_ns": 1}', "target must be a text, not 2"),
        ('{"name": "a", "target": "b", "healed": false, "at_ns": 1, "by": "me"}', "it has the unknown key 'by'"),
        (
            '{"name": "a", "target": "b", "healed": false, "at_ns": 1' + 400 * "0" + "}",
            "its time is not in nanoseconds since the epoch",
        ),
        (
            '{"name": "a", "target": "b", "healed": false, "at_ns": 1, "ordered_ns": "x"}',
            "ordered_ns must be a whole number or left out, not 'x'",
        ),
    ],
)
def test_a_line_that_is_no_mark_is_left_out_and_told(run_dir: Path, line: str, says: str) -> None:
    with (run_dir / run_annotations.MARKS).open("a") as file:
        file.write(f"{line}\n\n")
    run_annotations.mark(run_dir, "kill_broker", "kafka2")
    assert [mark.name for mark in run_annotations.read(run_dir)] == ["kill_broker"]
    assert run_annotations.mistakes(run_dir) == [f"line 1 of marks.jsonl is left out, as it is no mark: {says}"]


def test_a_line_in_another_encoding_keeps_no_mark_from_the_run(run_dir: Path) -> None:
    (run_dir / run_annotations.MARKS).write_bytes(b'{"name": "z\xfcrich"\n')
    run_annotations.mark(run_dir, "kill_broker", "kafka2")
    assert len(run_annotations.read(run_dir)) == len(run_annotations.mistakes(run_dir)) == 1


def test_a_fault_begins_when_it_was_seen_and_keeps_when_it_was_ordered(run_dir: Path) -> None:
    run_annotations.mark(run_dir, "kill_broker", "kafka2", at_ns=36 * S, ordered_ns=20 * S)
    run_annotations.mark(run_dir, "kill_broker", "kafka2", at_ns=50 * S, healed=True)
    assert run_annotations.faults(run_annotations.read(run_dir), 0) == [
        Fault("kill_broker", "kafka2", 36.0, 50.0, 20.0)
    ]
