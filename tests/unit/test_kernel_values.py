"""The module kernel_values at its edge, on files that stand for those of the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kernel_values


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in the place of /proc/sys, with values beside it that stand for those under /sys."""
    for name, text in (
        ("sys/vm/swappiness", "60\n"),
        ("sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"),
        ("scheduler", "none [mq-deadline] bfq\n"),
        ("latin", "M\xfcller\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="latin-1")
    monkeypatch.setattr(kernel_values, "SYSCTLS", tmp_path / "sys")
    return tmp_path


def give(check: bool = False, files: Any = None, **sysctls: Any) -> dict[str, Any]:
    names = {name.replace("__", "."): value for name, value in sysctls.items()}
    return run_module("kernel_values", check=check, sysctls=names, files=files or {})


def test_what_differs_is_written_and_a_second_call_has_nothing_to_do(kernel: Path) -> None:
    answer = give(vm__swappiness=1, net__ipv4__tcp_rmem="4096 131072 6291456")
    assert answer["changed"], answer
    assert answer["diff"] == {
        "before": f"{kernel}/sys/vm/swappiness = 60\n",
        "after": f"{kernel}/sys/vm/swappiness = 1\n",
    }
    assert (kernel / "sys/vm/swappiness").read_text(encoding="ascii") == "1"
    assert (kernel / "sys/net/ipv4/tcp_rmem").read_text(encoding="ascii") == "4096\t131072\t6291456\n"
    answer = give(vm__swappiness="1", net__ipv4__tcp_rmem="4096   131072 6291456")
    assert not answer["changed"]
    assert answer["diff"] == {"before": "", "after": ""}


def test_a_choice_that_is_in_force_is_left_alone(kernel: Path) -> None:
    assert not give(files={f"{kernel}/scheduler": "mq-deadline"})["changed"]
    assert (kernel / "scheduler").read_text(encoding="ascii") == "none [mq-deadline] bfq\n"


def test_check_mode_writes_nothing_and_tells_the_same(kernel: Path) -> None:
    rehearsed = give(check=True, vm__swappiness=1, files={f"{kernel}/scheduler": "none"})
    assert (kernel / "sys/vm/swappiness").read_text(encoding="ascii") == "60\n"
    assert (kernel / "scheduler").read_text(encoding="ascii") == "none [mq-deadline] bfq\n"
    answer = give(vm__swappiness=1, files={f"{kernel}/scheduler": "none"})
    assert rehearsed["changed"]
    assert rehearsed["diff"] == answer["diff"]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("missing", ["vm.swapiness", "files"])
def test_a_value_that_the_kernel_does_not_have_is_named_before_any_other_is_written(
    kernel: Path, check: bool, missing: str
) -> None:
    path = f"{kernel}/none" if missing == "files" else f"{kernel}/sys/vm/swapiness"
    unknown = {"files": {path: 1}} if missing == "files" else {"vm__swapiness": 1}
    answer = give(check=check, vm__swappiness=1, **unknown)
    assert answer["failed"]
    assert answer["msg"] == (
        f"This kernel does not take a declared value: [Errno 2] No such file or directory: '{path}'; "
        "take its entry off the list."
    )
    assert (kernel / "sys/vm/swappiness").read_text(encoding="ascii") == "60\n"


def test_a_value_of_which_the_kernel_makes_another_one_fails_the_play(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Path.write_text

    def rounded(path: Path, text: str, **options: Any) -> int:
        return writes(path, "128" if text == "100" else text, **options)

    monkeypatch.setattr(Path, "write_text", rounded)
    answer = give(vm__swappiness=100)
    assert answer["failed"]
    assert answer["msg"] == f"{kernel}/sys/vm/swappiness should be '100', but the kernel made '128' of it."


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("value", ["z\xfcgig", None, True, [1, 2], {"a": 1}])
def test_a_value_that_no_kernel_takes_is_refused_before_any_other_is_written(
    kernel: Path, check: bool, value: Any
) -> None:
    path = f"{kernel}/scheduler"
    answer = give(check=check, vm__swappiness=1, files={path: value})
    assert answer.get("failed"), answer
    assert answer["msg"] == f"{path}: {value!r} is no value for the kernel; write a number or plain text in quotes."
    assert (kernel / "sys/vm/swappiness").read_text(encoding="ascii") == "60\n"


def test_a_file_that_holds_no_plain_text_is_told_as_that(kernel: Path) -> None:
    answer = give(files={f"{kernel}/latin": "none"})
    assert answer["failed"]
    assert answer["msg"].startswith(f"This kernel does not take a declared value: {kernel}/latin holds no plain text;")


@pytest.mark.parametrize("name", ["sysctls", "files"])
def test_both_parameters_are_required_and_are_dictionaries(name: str) -> None:
    given: dict[str, Any] = {"sysctls": {}, "files": {}}
    assert not run_module("kernel_values", **given)["changed"]
    assert run_module("kernel_values", **given | {name: ["vm.swappiness"]})["msg"].startswith(
        f"argument '{name}' is of"
    )
    del given[name]
    assert run_module("kernel_values", **given)["msg"] == f"missing required arguments: {name}"
