"""The run of all tests must not be green when nothing was tested."""

import pytest
from run_tests import ROOT, STEPS, Outcome, free_lab, judge

GREEN = "=========== 41 passed, 2 warnings in 2.34s ===========\n"
RED = "=========== 1 failed, 40 passed in 62.01s (0:01:02) ===========\n"


@pytest.mark.parametrize(
    ("output", "status", "outcome"),
    [
        (GREEN, 0, Outcome(41, 0)),
        (RED, 1, Outcome(40, 1)),
        (GREEN + "some playbook's output\n" + GREEN, 0, Outcome(82, 0)),
        ("=========== 3 passed, 2 errors in 0.10s ===========", 1, Outcome(3, 2)),
    ],
)
def test_tests_are_counted_over_all_their_runs(output: str, status: int, outcome: Outcome) -> None:
    assert judge(output, status, counted=True) == outcome


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Skipping, no tests found.",
        "=== no tests ran in 0.01s ===",
        "=== 3 skipped in 0.01s ===",
        "5 passed the gate in 3s",
    ],
)
def test_a_step_that_ran_no_test_has_failed(output: str) -> None:
    assert judge(output, 0, counted=True) == Outcome(0, 1)


def test_a_step_that_failed_outside_of_its_tests_has_failed() -> None:
    assert judge(GREEN, 2, counted=True) == Outcome(41, 1)


def test_the_tests_that_failed_are_named_at_the_end() -> None:
    said = ("FAILED tests/test_a.py::test_b[1] - AssertionError: 3 lost", "ERROR tests/test_a.py::test_c")
    one = judge(
        "\n".join((*said, "a log line: FAILED to connect", "FAILED - RETRYING: [kafka1]: Wait (9 retries left).", RED)),
        1,
        counted=True,
    )
    assert (Outcome(1, 0) + one + Outcome(2, 0)).said == said


def test_the_task_that_kept_tests_from_being_run_is_named_at_the_end() -> None:
    said = "[ERROR]: Task failed: Action failed: Lab 1 belongs to another checkout: run `make clean` there."
    assert judge(f"TASK [Refuse]\n{said}\nOrigin: network.yml\n", 2, counted=True) == Outcome(0, 1, (said,))
    assert judge(f"{said}\n{RED}", 1, counted=True).said == ()


def test_a_command_that_is_no_test_runner_counts_as_one_test() -> None:
    assert judge("", 0, counted=False) == Outcome(1, 0)
    assert judge(GREEN, 1, counted=False) == Outcome(0, 1)


def host(lab: int, checkout: str) -> dict[str, dict[str, str]]:
    return {"Labels": {"crucible.lab": str(lab), "crucible.checkout": checkout}}


def test_a_step_takes_no_lab_of_the_user_of_another_step_or_of_another_checkout() -> None:
    assert free_lab([], []) == 1
    assert free_lab([], [1, 2]) == 3
    assert free_lab([host(0, "/elsewhere"), host(1, "/elsewhere"), host(3, "/elsewhere")], [2]) == 4


def test_a_lab_that_an_interrupted_run_of_this_checkout_left_is_taken_again() -> None:
    assert free_lab([host(1, str(ROOT))], []) == 1


def test_every_scenario_is_run_but_two() -> None:
    """`make lifecycle` runs the long story, of which lifecycle_short is a part; ipv6 is run by itself."""
    scenarios = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - {"lifecycle", "ipv6"}
    assert {f"molecule {name}" for name in scenarios} == {step.name for step in STEPS if step.in_lab}
