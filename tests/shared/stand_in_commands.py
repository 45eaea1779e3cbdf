"""Small programs that stand for a host's commands, so that no test asks or changes the machine on which it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, commands: Mapping[str, str]) -> None:
    """Put programs in a folder that is searched first: their text by their name, for sh unless it says otherwise."""
    folder.mkdir(exist_ok=True)
    for name, text in commands.items():
        (folder / name).write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def in_python(text: str) -> str:
    """The text of a program for this Python."""
    return f"#!{sys.executable} -S\n{text}"


def no_commands(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the host have no command at all."""
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", str(folder))
