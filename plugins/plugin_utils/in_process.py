"""Runs in Ansible's own process what needs no worker: a task that is skipped, includes others, or works without a host.

For each task of each host Ansible forks a process of its own, which costs more than most of them do. More than half of
the tasks of a second run of site.yml are such (docs/speed.md).
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any, NoReturn

from ansible._internal import _task
from ansible.constants import _ACTION_INCLUDE_ROLE, _ACTION_INCLUDE_TASKS
from ansible.executor.task_executor import TaskExecutor
from ansible.executor.task_result import _RawTaskResult
from ansible.plugins import loader as plugin_loader

WITHOUT_HOST = ("assert", "debug", "fail", "include_vars", "set_fact", "validate_argument_spec")
HOSTLESS = frozenset({*_ACTION_INCLUDE_TASKS, *_ACTION_INCLUDE_ROLE, *(f"ansible.builtin.{it}" for it in WITHOUT_HOST)})
"""Actions that neither connect to a host nor wait for anything."""


class NeedsWorker(BaseException):
    """The task has something to do that a worker is for. Not an Exception: the executor makes results of those."""


class Unwrapped:
    """A loader of plugins without what a strategy has put over it, such as mitogen's connections."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def get_with_context(self, *arguments: Any, **options: Any) -> Any:
        """As `PluginLoader.get_with_context`."""
        return type(self._loader).get_with_context(self._loader, *arguments, **options)

    def get(self, *arguments: Any, **options: Any) -> Any:
        """As `PluginLoader.get`."""
        return self.get_with_context(*arguments, **options).object


@cache
def _loaders() -> SimpleNamespace:
    found = SimpleNamespace(**vars(plugin_loader.get_plugin_loader_namespace()))
    found.action_loader, found.connection_loader = map(Unwrapped, (found.action_loader, found.connection_loader))
    return found


def _needs_worker(**_: Any) -> NoReturn:
    raise NeedsWorker


def worth_trying(task: Any) -> bool:
    """Whether a task may be one for this process. One whose items or answers are waited for is not."""
    if task.loop or task.loop_with or task.async_val or task.until or task.delegate_to:
        return False
    return bool(task.when) or task.action in HOSTLESS


def run(strategy: Any, host: Any, task: Any, task_vars: dict[str, Any], play_context: Any) -> _RawTaskResult | None:
    """The result of a task, or None if a worker has to run it. Neither the task nor the variables are changed."""
    tried = task.copy(exclude_parent=True)
    tried._parent = task._parent
    if task.action not in HOSTLESS:
        tried.post_validate = _needs_worker  # what comes next once it is known that the task is not skipped
    executor = TaskExecutor(
        host,
        tried,
        dict(task_vars),
        play_context,
        strategy._loader,
        _loaders(),
        strategy._final_q,
        strategy._variable_manager,
    )
    try:
        with _task.TaskContext(tried):
            answer = executor.run()
    except NeedsWorker:
        return None
    return _RawTaskResult(host=host, task=tried, return_data=answer, task_fields=tried.dump_attrs())
