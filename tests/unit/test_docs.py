"""What the documentation names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
# A path from the project's root in code, as `docs/load.md` or `molecule/*/`; and where a link leads.
FOLDERS = (
    "benchmarks",
    "docs",
    "inventory",
    "loadtests",
    "molecule",
    "playbooks",
    "plugins",
    "roles",
    "scripts",
    "tests",
)
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
MADE_LATER = ("inventory/production/", "loadtests/results/")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_paths_in_a_document_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [path for path in PATH.findall(text) if not f"{path}/".startswith(MADE_LATER)]
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []
    assert [link for link in LINK.findall(text) if not (document.parent / link).exists()] == []
