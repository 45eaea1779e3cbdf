"""The module kafka_access_info at its edge: it reads what the process was started with, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from module_runner import run_module


@pytest.mark.parametrize("check", [False, True])
def test_what_says_who_may_do_what_is_told_and_nothing_else(tmp_path: Path, check: bool) -> None:
    path = tmp_path / "server.properties"
    path.write_text(
        "super.users=User\\:admin;User:CN\\=kafka1\nlog.dirs=/data\nssl.key.password=a-secret\n", encoding="utf-8"
    )
    answer = run_module("kafka_access_info", path=str(path), check=check)
    assert answer["properties"] == {"super.users": "User:admin;User:CN=kafka1"}
    assert answer["changed"] is False
    assert "a-secret" not in str(answer)


def test_a_host_on_which_nothing_runs_has_no_properties(tmp_path: Path) -> None:
    assert run_module("kafka_access_info", path=str(tmp_path / "server.properties"))["properties"] == {}
