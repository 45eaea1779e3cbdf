"""The lab's strategy renders templates as Ansible's own does, although its workers share what they have compiled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The same text under settings that give it another meaning, so that what one compiled must not serve the other; and
# the same again, which is taken from what was compiled before.
PLAY = r"""
- hosts: all
  gather_facts: false
  vars: {digits: ['1', '2']}
  tasks:
    - name: Render it
      ansible.builtin.template:
        src: "{{ playbook_dir }}/lines.j2"
        dest: "{{ playbook_dir }}/{{ item.name }}-{{ inventory_hostname }}"
        trim_blocks: "{{ item.trim_blocks }}"
        mode: "0644"
      loop: [{name: trimmed, trim_blocks: true}, {name: whole, trim_blocks: false}, {name: again, trim_blocks: true}]

    - name: Replace in an expression, and in a template
      ansible.builtin.copy:
        content: "{{ 'a1' | regex_replace('([a-z])', '\\1\\1') }} {{ 'a1' is regex('\\d$') }}"
        dest: "{{ playbook_dir }}/replaced-{{ inventory_hostname }}"
        mode: "0644"
      when: "'a1' is regex('\\d$')"
"""
LINES = "{% for digit in digits %}\n{{ digit }}\n{% endfor %}\nend of {{ inventory_hostname }}\n"


@pytest.mark.parametrize("strategy", ["linear", "mitogen_linear"])
def test_templates_are_rendered_alike(strategy: str, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "lines.j2").write_text(LINES)
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "--inventory=one,two,", "--connection=local"]
    done = subprocess.run(
        [*command, f"--extra-vars=ansible_python_interpreter={sys.executable}", str(tmp_path / "play.yml")],
        check=False,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_STRATEGY": strategy},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for host in ("one", "two"):
        assert (tmp_path / f"trimmed-{host}").read_text() == f"1\n2\nend of {host}\n"
        assert (tmp_path / f"whole-{host}").read_text() == f"\n1\n\n2\n\nend of {host}\n"
        assert (tmp_path / f"again-{host}").read_text() == f"1\n2\nend of {host}\n"
        assert (tmp_path / f"replaced-{host}").read_text() == "aa1 True"


# What Ansible's own strategy gives to a worker, and the lab's does in Ansible's own process where it can.
TASKS = r"""
- hosts: all
  gather_facts: false
  vars: {own: "{{ inventory_hostname }}"}
  tasks:
    - name: Skip for one host, and keep that
      ansible.builtin.command: "echo {{ own }}"
      changed_when: own == "two"
      when: own == "two"
      register: skipped_for_one
      notify: Tell

    - name: Skip by a variable that nobody has
      ansible.builtin.fail:
        msg: "{{ nobody_has_this }}"
      when: nobody_has_this is defined

    - name: Set a fact from what was kept
      ansible.builtin.set_fact:
        kept: "{{ skipped_for_one is skipped }}"
        worker: "{{ lookup('ansible.builtin.pipe', 'echo $PPID') }}"
      register: setting

    - name: Include for each host its own
      ansible.builtin.include_tasks: "{{ own }}.yml"
      vars: {given: "{{ kept }}"}

    - name: Set facts once for all
      ansible.builtin.set_fact: {once: "{{ own }}"}
      run_once: true

    - name: Rescue what an assertion refuses
      block:
        - name: Refuse one host
          ansible.builtin.assert:
            that: own != once
            fail_msg: "{{ own }} is refused"
      rescue:
        - name: Tell why
          ansible.builtin.debug:
            msg: "{{ ansible_failed_result.msg }}, {{ setting is changed }}, {{ included_fact }}"

    - name: Fail where a condition cannot be judged
      ansible.builtin.debug: {msg: never}
      when: nobody_has_this > 1
      ignore_errors: true

    - name: Loop
      ansible.builtin.debug: {msg: "{{ item }}"}
      loop: [1, 2]
      when: item == 1

    - name: Count the workers
      ansible.builtin.debug:
        msg: "{{ 'one process' if worker == hostvars['one'].worker == hostvars['two'].worker else 'workers' }}"
      run_once: true
  handlers:
    - name: Tell
      ansible.builtin.debug: {msg: told}
"""
INCLUDED = "- ansible.builtin.set_fact: {{included_fact: '{host} was given {{{{ given }}}}'}}\n"


def test_what_needs_no_worker_ends_as_it_does_with_one(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(TASKS)
    for host in ("one", "two"):
        (tmp_path / f"{host}.yml").write_text(INCLUDED.format(host=host))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "--inventory=one,two,", "--connection=local"]
    said = {}
    for strategy in ("linear", "mitogen_linear"):
        done = subprocess.run(
            [*command, f"--extra-vars=ansible_python_interpreter={sys.executable}", str(tmp_path / "play.yml")],
            check=False,
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_STRATEGY": strategy, "ANSIBLE_ANY_ERRORS_FATAL": "0", "ANSIBLE_FORKS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said[strategy] = done.stdout
    assert "one is refused, False, one was given True" in said["linear"]
    assert "msg: workers" in said["linear"]
    assert said["mitogen_linear"] == said["linear"].replace("msg: workers", "msg: one process")
