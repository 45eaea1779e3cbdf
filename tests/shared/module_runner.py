"""Runs an Ansible module as Ansible does, in this process: arguments in, the JSON that it answers out."""

from __future__ import annotations

import importlib
import io
import json
from contextlib import redirect_stdout
from typing import Any
from unittest.mock import patch

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.crucible.kafka.plugins.modules"


def run_module(name: str, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run a module's `main`; its answer, which has `failed` if it failed."""
    module = importlib.import_module(f"{MODULES}.{name}")
    said = io.StringIO()
    with (
        # A plugin that another test imported made this process a controller, where a warning is printed, not answered.
        patch.object(_internal, "is_controller", False),
        patch_module_args({**arguments, "_ansible_check_mode": check}),
        redirect_stdout(said),
        pytest.raises(SystemExit),
    ):
        module.main()
    answer: dict[str, Any] = json.loads(said.getvalue().splitlines()[-1])
    return answer
