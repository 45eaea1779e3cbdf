"""Notes when host_probe was asked and when it answered, for a clock can be compared only as closely as that."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase

NS = 1e-9


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible publishes no types
    """Runs the module of the same name on the host and adds `skew_s`, between which its clock is ahead of this one."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        asked_ns = time.time_ns()
        result |= self._execute_module(module_name="crucible.kafka.host_probe", task_vars=task_vars)
        if "clock_ns" in result:
            earliest_ns = result["clock_ns"] - time.time_ns()
            latest_ns = result["clock_ns"] - (asked_ns + result["took_ns"])
            result["skew_s"] = [earliest_ns * NS, latest_ns * NS]
        return result
