"""The package as a user installs it: from a wheel, into an environment that does not know the checkout."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from mock_cluster import MockCluster

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "loadtests" / "kafka_load"
DISTRIBUTIONS = {
    "kafka": "kafka-python",
    "markupsafe": "jinja2",
    "opentelemetry": "opentelemetry-api",
    "pydantic_core": "pydantic",
    "zmq": "pyzmq",
}
"""Where what is imported has another name than the distribution that brings it."""
LOCUSTFILE = '''
"""A locustfile of a user's own."""

from kafka_load.locust_adapter.users import AnalyticsReader, ProducerUser
from kafka_load.plugin import install

install()


class Returns(ProducerUser):
    topic = "orders"
    rate = 50.0
'''


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves files beside its sources."""
    source = tmp_path_factory.mktemp("source")
    shutil.copy(PROJECT / "pyproject.toml", source)
    shutil.copytree(PACKAGE, source / PACKAGE.relative_to(PROJECT), ignore=shutil.ignore_patterns("__pycache__"))
    built = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(built), str(source)], check=True)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel, which finds its dependencies but not the checkout."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    here = sysconfig.get_path("purelib", vars={"base": str(place)})
    # A folder that a .pth file names is searched; its own .pth files, which know the checkout, are not read.
    (Path(here) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--ignore-installed", str(wheel)], check=True)
    return place / "bin"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, check=False, cwd=folder, env=plain, capture_output=True, text=True, timeout=300)
    print(done.stdout, done.stderr)
    return done


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def imported() -> set[str]:
    """The distributions of everything that the package imports, but for the standard library."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    others = found - set(sys.stdlib_module_names) - {"kafka_load"}
    return {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in others}


def test_whatever_it_imports_is_declared(wheel: Path) -> None:
    required = metadata(wheel).get_all("Requires-Dist") or []
    declared = {re.split(r"[^A-Za-z0-9._-]", one)[0] for one in required}
    assert imported() - declared == set()


def test_whatever_it_declares_is_what_the_project_is_tested_with(environment: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "python"), "check"]
    assert run(pip, environment).returncode == 0


def test_the_checkout_is_not_seen(environment: Path, tmp_path: Path) -> None:
    program = "import kafka_load; print(kafka_load.__file__)"
    done = run([str(environment / "python"), "-c", program], tmp_path)
    assert str(PROJECT) not in done.stdout
    assert str(environment.parent) in done.stdout


def test_kafka_load_works_from_any_folder(environment: Path, tmp_path: Path) -> None:
    program = str(environment / "kafka-load")
    assert "compare" in run([program, "--help"], tmp_path).stdout
    assert run([program, "mark", "kill_broker", "kafka2"], tmp_path).stderr == (
        "kafka-load: there is no run in kafka-load-results\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_locustfile_of_the_users_own_runs_outside_the_checkout(
    environment: Path, shop: MockCluster, tmp_path: Path
) -> None:
    (tmp_path / "returns.py").write_text(LOCUSTFILE)
    options = ["--bootstrap-servers", shop.bootstrap, "--max-late-ms=120000", "--session-timeout-ms=3000"]
    own = ["--users", "2", "--run-time", "4s", "--min-records", "1"]
    command = [str(environment / "python"), "-m", "locust", "-f", "returns.py", "--headless", *own, *options]
    assert run(command, tmp_path).returncode == 0
    results = tmp_path / "kafka-load-results" / "latest"
    assert json.loads((results / "verdict.json").read_text())["produced"]["acknowledged"] > 0
    assert "Plotly" in (results / "report.html").read_text()
    program = str(environment / "kafka-load")
    assert run([program, "report", "latest"], tmp_path).returncode == 0
    assert run([program, "compare", "latest", "latest"], tmp_path).returncode == 0


def test_the_shop_comes_with_it(environment: Path, shop: MockCluster, tmp_path: Path) -> None:
    options = ["--bootstrap-servers", shop.bootstrap, "--max-late-ms=120000", "--session-timeout-ms=3000"]
    command = [str(environment / "kafka-load"), "run", "--headless", "--profile", "smoke", "--run-time", "4s", *options]
    assert run(command, tmp_path).returncode == 0
    verdict = json.loads((tmp_path / "kafka-load-results" / "latest" / "verdict.json").read_text())
    assert {group["group"] for group in verdict["groups"]} >= {"warehouse-group", "analytics-group"}


def test_without_the_projects_inventory_it_asks_for_the_brokers(environment: Path, tmp_path: Path) -> None:
    done = run([str(environment / "kafka-load"), "run", "--headless", "--profile", "smoke"], tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == (
        "locust: give --bootstrap-servers or KAFKA_BOOTSTRAP_SERVERS: only inside the project's folder an Ansible"
        " inventory says where the cluster is"
    )
