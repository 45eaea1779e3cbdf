"""Calls functions that use Ansible's controller in a process of their own.

Once the controller is imported, modules in the same process act as a part of it: their warnings go to its display.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def _controller() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("fork"))


def in_controller(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function of a module returns there, or raise what it raises. It imports the controller itself."""
    return _controller().submit(function, *args, **kwargs).result()
