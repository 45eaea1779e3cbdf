"""What stand-ins for a cluster's controller have in common, for tests of modules that send it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any, Self, TypeVar

import pytest

One = TypeVar("One", bound="Controller")


class Controller:
    """Stands for `Endpoint` and for its connected client. `refuses` has Kafka's error and reason by whom it is about;
    `error` is the one with which it answers questions.
    """

    def __init__(self) -> None:
        self.refuses: dict[Any, tuple[int, str | None]] = {}
        self.error = 0
        self._manager = SimpleNamespace(run=lambda call, *arguments: call(*arguments), send=self._describe)

    @contextmanager
    def connect(self) -> Iterator[Self]:
        yield self

    def _describe(self, _: Any) -> Any:
        """The answer to a question that the library has no call for."""
        raise NotImplementedError


def asked_by(monkeypatch: pytest.MonkeyPatch, module: ModuleType, controller: One) -> One:
    """Let a module ask the controller."""
    monkeypatch.setattr(module, "endpoint", lambda _: controller)
    return controller
