# Every target can be repeated and goes on from whatever state it finds; what its commands print is kept in .cache/log.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON_FOLDERS := ansible_collections/crucible/kafka/plugins loadtests scripts tests molecule playbooks benchmarks

# sudo asks for its password only where it needs one.
SUDO_PASSWORD := $(shell [ "$$(id -u)" = 0 ] || sudo -n true 2> /dev/null || echo --ask-become-pass)
PLAYBOOK := ansible-playbook $(SUDO_PASSWORD)

# What the lab's cluster is (docs/security.md): make demo SECURITY=scram
SECURITY ?= $(or $(CRUCIBLE_SECURITY),plaintext)
export CRUCIBLE_SECURITY := $(SECURITY)
SHOP := $(CURDIR)/.lab/$(or $(CRUCIBLE_LAB),0)/shop.properties

.PHONY: help bootstrap lab demo test mutation failover lifecycle lint clean distclean requirements \
    lint-yaml lint-ansible lint-python lint-types lint-variables

help:
	@echo 'make demo      three hosts on this machine, Kafka on them, a shop under load, a broker killed'
	@echo 'make lab       the three bare hosts alone'
	@echo 'make test      everything that must pass'
	@echo 'make lint      the linters alone'
	@echo 'make mutation  what the unit tests do not notice (CORE=gate: one core; docs/testing.md)'
	@echo 'make failover  the whole matrix of faults, under load'
	@echo 'make lifecycle a cluster from ZooKeeper 3.9 to KRaft 4.4, grown, repaired and shrunk, under one load'
	@echo 'make clean     remove the hosts, networks, disks, images and routes'

bootstrap:
	@scripts/bootstrap $(PACKAGES)

lab: bootstrap
	@scripts/step 'Starting three bare hosts' $(PLAYBOOK) playbooks/lab/up.yml

demo: export KAFKA_CLIENT_CONFIG := $(SHOP)
demo: lab
	@scripts/step 'Deploying Kafka on them' ansible-playbook site.yml
	@scripts/step 'Writing how the shop logs in' ansible-playbook playbooks/client_properties.yml -e client_user=shop -e client_file=$(SHOP)
	@python loadtests/first_shop.py
	@python loadtests/demo_run.py
	@sed "s/LAB/$${CRUCIBLE_LAB:-0}/; s/=WAY/=$(SECURITY)/" docs/after-demo.txt

test: PACKAGES := chromium libnss-wrapper
test: bootstrap
	@scripts/run_tests.py $(STEPS)

# CORE="gate config/slo" takes these cores alone.
mutation: bootstrap
	@scripts/mutation.py $(CORE)

failover: bootstrap
	@status=0; for mode in kraft zookeeper; do CRUCIBLE_MODE=$$mode molecule test --scenario-name failover || status=1; done; exit $$status

lifecycle: bootstrap
	@molecule test --scenario-name lifecycle

# All of them, whatever the first says: make --keep-going lint
lint: lint-yaml lint-ansible lint-python lint-types lint-variables

lint-yaml: bootstrap
	@scripts/step 'yamllint' yamllint --strict .

lint-ansible: bootstrap
	@scripts/step 'ansible-lint' ansible-lint

lint-python: bootstrap
	@scripts/step 'ruff' ruff check

lint-types: bootstrap
	@scripts/step 'mypy' mypy $(wildcard $(PYTHON_FOLDERS))

lint-variables: bootstrap
	@scripts/step 'Comparing defaults, argument_specs and docs' scripts/variables.py --check

clean:
	@! [ -d .lab ] || { scripts/bootstrap && scripts/stop_clients.py && scripts/step 'Removing all labs' $(PLAYBOOK) playbooks/lab/clean.yml; }

# Downloads and the Python environment too: back to a fresh clone.
distclean: clean
	@rm -rf .cache .venv .ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-emit-find-links --no-header --output-file requirements.txt
requirements: bootstrap
	@$(COMPILE) requirements.in
	@cd loadtests && $(COMPILE) ../pyproject.toml --constraint ../requirements.txt
	@cd benchmarks && $(COMPILE) requirements.in
