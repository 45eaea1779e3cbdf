"""Make mitogen's linear strategy known to Ansible by name, wherever the virtual environment's site-packages are.

ansible.cfg wants a folder for strategy plugins, and mitogen's lies under a path that carries the Python version.
Source: https://mitogen.networkgenomics.com/ansible_detailed.html
"""

import ansible_mitogen.affinity
import ansible_mitogen.loaders
import ansible_mitogen.strategy

# Mitogen pins each process to a processor, and what a task starts inherits that: lab hosts, brokers, load generators.
# On two processors all of them would share one. The base policy pins nothing.
ansible_mitogen.affinity.policy = ansible_mitogen.affinity.Policy()

Linear = ansible_mitogen.loaders.strategy_loader.get("linear", class_only=True)


class StrategyModule(ansible_mitogen.strategy.StrategyMixin, Linear):  # type: ignore[misc, valid-type] # mitogen publishes no types
    """Ansible's linear strategy, run over mitogen's connections."""
