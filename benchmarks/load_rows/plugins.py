"""locust-plugins' Kafka user, in an environment of its own: the project does not need the package."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.load_rows.contender import PROGRAMS, ROOT, Contender

PLACE = ROOT / ".cache" / "bench-venv"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"


def contenders() -> tuple[Contender, Contender]:
    """The user as it comes, and with the one setting that helps it most."""
    locust = _locust()

    def contender(name: str, user: str) -> Contender:
        command = [str(locust), "--headless", "--only-summary", "--users", "1"]
        return Contender(name, lambda _: [*command, "--locustfile", str(PROGRAMS / "plugin_user.py"), user])

    return contender("locust-plugins' Kafka user", "AsItComes"), contender("… with linger.ms=0", "Tuned")


def _locust() -> Path:
    """The `locust` of the environment, which is made if it is not there or was made of something else."""
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest() + sys.version
    noted = PLACE / "stamp"
    if not noted.exists() or noted.read_text() != stamp:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True)
        pip = [str(PLACE / "bin" / "pip"), "--quiet", "--disable-pip-version-check", "install", "--require-hashes"]
        subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)
        noted.write_text(stamp)
    return PLACE / "bin" / "locust"
