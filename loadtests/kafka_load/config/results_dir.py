"""Where runs leave their results, and `kafka-load` looks for them, when nobody says."""

from __future__ import annotations

from pathlib import Path

IN_PROJECT = Path("loadtests/results")
ELSEWHERE = Path("kafka-load-results")


def default_folder(here: Path = Path()) -> Path:
    """The folder below `here`: that of the project in its checkout, and one of a plain name anywhere else."""
    return IN_PROJECT if (here / IN_PROJECT.parent).is_dir() else ELSEWHERE
