"""Make mitogen's linear strategy known to Ansible by name, wherever the virtual environment's site-packages are.

ansible.cfg wants a folder for strategy plugins, and mitogen's lies under a path that carries the Python version.
Source: https://mitogen.networkgenomics.com/ansible_detailed.html
"""

import functools
import gc

import ansible.collections.list
import ansible_mitogen.affinity
import ansible_mitogen.loaders
import ansible_mitogen.module_finder
import ansible_mitogen.strategy

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

# What Ansible has loaded stays, and what it makes for each task is gone soon: looking through all of it again and again
# took a fifth of a run, here and in each worker that it forks.
gc.freeze()
gc.set_threshold(100_000, 50, 100)

Linear = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, Linear):  # type: ignore[misc, valid-type] # mitogen publishes no types
    """Ansible's linear strategy, run over mitogen's connections."""
