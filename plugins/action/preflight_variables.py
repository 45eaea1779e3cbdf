"""Judges a host's variables by the argument_specs of the roles that will read them, without connecting to the host."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.crucible.kafka.plugins.module_utils import acl_plan, quota_plan, user_plan
from ansible_collections.crucible.kafka.plugins.module_utils.preflight import judged_config
from ansible_collections.crucible.kafka.plugins.module_utils.variables import Variable, depends_on, interface

ARGUMENTS = {
    "roles_path": {"type": "path", "required": True},
    "roles": {"type": "list", "elements": "str", "required": True},
    "judged_elsewhere": {"type": "list", "elements": "str", "default": []},
    "timing": {"type": "dict", "default": {}},
}

# Sentences about mistakes in a variable's value; none of them shows a secret.
JUDGES: Mapping[str, Callable[[Any], list[str]]] = {
    "kafka_users": user_plan.problems,
    "kafka_quotas": quota_plan.problems,
    "kafka_acls": acl_plan.problems,
}


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible publishes no types
    """Says by variable what is wrong with it, and what it is in its own type if it was written in another one.

    Every role validates its variables itself, but only when it is its turn: after others have changed the host.
    """

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return errors, corrected values and names of postponed variables, and the judged part of kafka_config."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        raw = task_vars or {}
        result |= {"changed": False, "errors": {}, "corrected": {}, "postponed": []}
        result["config"] = judged_config(arguments["timing"])
        for role in arguments["roles"]:
            try:
                variables = list(interface(Path(arguments["roles_path"]) / role))
            except OSError as error:
                raise AnsibleActionFail(
                    f"roles: {role} has no readable argument_specs ({error.filename}: {error.strerror})."
                ) from error
            for variable in variables:
                self._judge(variable, raw, _in_play(role, raw), result)
        for name in arguments["judged_elsewhere"]:
            result["errors"].pop(name, None)
        return result

    def _judge(self, variable: Variable, raw: Mapping[str, Any], in_play: bool, result: dict[str, Any]) -> None:
        name = variable.name
        if name not in raw:
            if variable.required and in_play:
                result["errors"][name] = f"it is not set. {variable.purpose}"
            return
        mentioned = depends_on(name, raw)
        if raw[name] == variable.default or any(other.startswith("__") for other in mentioned):
            return  # What roles and playbooks themselves say is tested with them.
        if "ansible_facts" in mentioned and "distribution" not in raw.get("ansible_facts", {}):
            result["postponed"].append(name)
        else:
            try:
                value = self._templar.template(raw[name])
            except AnsibleError as error:
                result["errors"][name] = f"it cannot be rendered: {' '.join(str(error).split())}"
                return
            if problem := variable.error(value):
                result["errors"][name] = problem
                return
            converted = variable.converted(value)
            if json.dumps(converted, default=str) != json.dumps(value, default=str):
                if variable.secret:  # A converted value is shown with what Ansible is told to show.
                    of = variable.option["type"]
                    told = "quote it, for it is not a text yet" if of == "str" else f"write it as a {of}, not as text"
                    result["errors"][name] = told
                    return
                result["corrected"][name] = converted
            if name in JUDGES and (mistakes := JUDGES[name](converted)):
                result["errors"][name] = "; ".join(mistakes)
            if name == "kafka_config":
                result["config"] |= judged_config(converted)


def _in_play(role: str, raw: Mapping[str, Any]) -> bool:
    """Whether the play has the role, whose required variables have to be there then."""
    return role in (name.rpartition(".")[2] for name in raw.get("ansible_play_role_names", ()))
