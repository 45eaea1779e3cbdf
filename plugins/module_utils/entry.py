"""What Crucible's admin modules have in common as Ansible modules: how they reach the cluster, and how they fail."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from .admin import CLIENT_OPTIONS, IMPORT_ERROR, AdminError, Endpoint, unusable_option
from .broker_config import SECRET

if TYPE_CHECKING:
    # Mitogen ships what is imported by an absolute name; the relative imports in this package are invisible to it.
    from ansible_collections.crucible.kafka.plugins.module_utils import address as address
    from ansible_collections.crucible.kafka.plugins.module_utils import admin as admin
    from ansible_collections.crucible.kafka.plugins.module_utils import admin_access as admin_access
    from ansible_collections.crucible.kafka.plugins.module_utils import broker_config as broker_config
    from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster
    from ansible_collections.crucible.kafka.plugins.module_utils import config_types as config_types
    from ansible_collections.crucible.kafka.plugins.module_utils import health as health


FILES = ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile")
"""Options that name a file, which may be below ~ of who runs the module."""


def admin_module(timeout_s: float = 10.0, **arguments: dict[str, Any]) -> AnsibleModule:
    """A module with its own arguments and the common ones, of which `timeout_s` has a default for each module."""
    common = {
        "bootstrap_servers": {"type": "list", "elements": "str", "required": True},
        "client": {"type": "dict", "default": {}, "no_log": True},
        "timeout_s": {"type": "float", "default": timeout_s},
        "answer_timeout_s": {"type": "float", "default": 5.0},
    }
    module = AnsibleModule(argument_spec={**common, **arguments}, supports_check_mode=True)
    # Ansible would mask every value in `client` wherever it occurs in the result: a user named kafka in each host name.
    client = module.params["client"]
    module.no_log_values.intersection_update(str(value) for key, value in client.items() if _may_be_secret(key))
    if IMPORT_ERROR:
        module.fail_json(
            msg=f"{sys.executable} on {platform.node()} lacks kafka-python 3 ({IMPORT_ERROR}): install it there "
            "(python3 -m pip install 'kafka-python>=3'), or set kafka_admin_python to a Python that has it, "
            "or kafka_admin_host to a host that has it."
        )
    if why := unusable_option(client):
        module.fail_json(msg=f"kafka_admin_client: {why}")
    client |= {name: str(Path(value).expanduser()) for name, value in client.items() if name in FILES and value}
    return module


def _may_be_secret(option: str) -> bool:
    """Whether a value may be one: by its name, as the address of a proxy with a login, or under a misspelt name."""
    return bool(SECRET.search(option)) or "proxy" in option or option not in CLIENT_OPTIONS


def endpoint(module: AnsibleModule) -> Endpoint:
    """The cluster that the module's arguments name; an answer may take `timeout_s`."""
    params = module.params
    return Endpoint(params["bootstrap_servers"], params["client"], params["timeout_s"])


def answer_endpoint(module: AnsibleModule) -> Endpoint:
    """The same where a question is asked again, or of several: one answer may take `answer_timeout_s`."""
    params = module.params
    return Endpoint(params["bootstrap_servers"], params["client"], params["answer_timeout_s"])


@contextmanager
def fail_on_admin_error(module: AnsibleModule) -> Iterator[None]:
    """Let the module fail with the sentence of an AdminError raised inside the block."""
    try:
        yield
    except AdminError as error:
        module.fail_json(msg=str(error))


def refuse(variable: str, sentences: Sequence[str]) -> None:
    """Raise an AdminError with the sentences about a variable, if there are any; nothing has been done yet."""
    if sentences:
        raise AdminError("\n".join([f"{variable}: nothing was changed, because of these:", *sentences]))


def line_diff(before: Iterable[object], after: Iterable[object]) -> dict[str, str]:
    """What `--diff` shows: a line for each thing as it was and as it is."""
    return {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}
