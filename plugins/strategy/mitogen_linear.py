"""Make mitogen's linear strategy known to Ansible by name, wherever the virtual environment's site-packages are.

ansible.cfg wants a folder for strategy plugins, and mitogen's lies under a path that carries the Python version.
Source: https://mitogen.networkgenomics.com/ansible_detailed.html
"""

import functools
import gc
import tempfile
from collections.abc import Callable
from types import CodeType
from typing import Any

import ansible.collections.list
import ansible_mitogen.affinity
import ansible_mitogen.loaders
import ansible_mitogen.module_finder
import ansible_mitogen.strategy
from ansible import constants
from ansible._internal._templating._jinja_bits import AnsibleEnvironment, _TemplateCompileContext
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from jinja2 import FileSystemBytecodeCache

from ansible_collections.crucible.kafka.plugins.plugin_utils import in_process

# Mitogen pins each process to a processor, and what a task starts inherits that: lab hosts, brokers, load generators.
# On two processors all of them would share one. The base policy pins nothing.
ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()

# For each module that is used mitogen compiles all that it imports, and nearly all of that is the same each time:
# without this a quarter of a run goes there.
ansible_mitogen.module_finder.compile = functools.cache(compile)

# For each task mitogen looks through all collections that are installed, and reads the metadata of each: a fifth of a
# run. They are looked for once, here, before any worker is forked.
COLLECTIONS = tuple(ansible.collections.list.list_collection_dirs())
ansible.collections.list.list_collection_dirs = lambda: COLLECTIONS

# What decides, beside its text, what a template is compiled to.
SYNTAX = (
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
)
# A folder of this run alone, which nobody else may read and which Ansible removes at its end.
COMPILED = FileSystemBytecodeCache(tempfile.mkdtemp(prefix="jinja-", dir=constants.DEFAULT_LOCAL_TMP))
compile_template: Callable[..., CodeType] = AnsibleEnvironment.compile


def compile_once(environment: AnsibleEnvironment, source: Any, name: Any = None, filename: Any = None) -> CodeType:
    """Compile a template, or take it as another worker of this run compiled it.

    Each task of each host is a process of its own, which compiled every template that it needed anew: a third of a run.
    """
    if not isinstance(source, str):
        return compile_template(environment, source, name, filename)
    context = _TemplateCompileContext.current(optional=True)
    settings = [getattr(environment, of) for of in SYNTAX] + [context is not None and context.escape_backslashes]
    bucket = COMPILED.get_bucket(environment, repr((settings, str(source))), None, source)
    if bucket.code is None:
        bucket.code = compile_template(environment, source, name, filename)
        COMPILED.set_bucket(bucket)
    return bucket.code


AnsibleEnvironment.compile = compile_once

# Each worker loaded the filters, tests and lookups that its task needs anew, each of which is a module to find and to
# run: what is loaded here is there in all of them.
for plugins, name in ((filter_loader, "bool"), (test_loader, "defined"), (lookup_loader, "ansible.builtin.env")):
    plugins.get(name)

# What Ansible has loaded stays, and what it makes for each task is gone soon: looking through all of it again and again
# took a fifth of a run, here and in each worker that it forks.
gc.freeze()
gc.set_threshold(100_000, 50, 100)

Linear = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, Linear):  # type: ignore[misc, valid-type] # mitogen publishes no types
    """Ansible's linear strategy, run over mitogen's connections."""

    def _queue_task(self, host: Any, task: Any, task_vars: dict[str, Any], play_context: Any) -> None:
        """Give the task to a worker, unless this process can do it as well."""
        found = in_process.worth_trying(task) and in_process.run(self, host, task, task_vars, play_context)
        if not found:
            super()._queue_task(host, task, task_vars, play_context)
            return
        self._queued_task_cache[(host.name, task._uuid)] = {
            "host": host,
            "task": task,
            "task_vars": task_vars,
            "play_context": play_context,
        }
        self._tqm.send_callback("v2_runner_on_start", host, task)
        self._pending_results += 1
        self._final_q.send_task_result(found)
