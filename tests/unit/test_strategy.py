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
