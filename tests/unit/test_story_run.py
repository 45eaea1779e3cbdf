"""A load under which a cluster is changed has to run until it is told to end, or steps at its end were not judged."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from story_run import end


class Load:
    """A process that stands for a run of the load harness."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)

    def wait(self, timeout_s: float) -> int:
        return self.process.wait(timeout_s)


def test_one_that_ended_by_itself_is_found() -> None:
    ended: Any = Load("")
    ended.process.communicate()
    with pytest.raises(AssertionError, match="ended before it was told to"):
        end(ended)


def test_one_that_is_on_ends_when_it_is_told_to() -> None:
    on: Any = Load("import signal; print('on', flush=True); signal.pause()")
    assert on.process.stdout.readline() == "on\n"
    end(on)
    on.process.stdout.close()
    assert on.process.returncode != 0
