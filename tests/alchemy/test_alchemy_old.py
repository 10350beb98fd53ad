"""The same tests on SQLAlchemy 1.4, installed beside: `pytest -m slow tests/alchemy`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.slow
@pytest.mark.skipif(sa.__version__ < "2", reason="this is the run on 1.4")
def test_on_sqlalchemy_1_4(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*pip, str(tmp_path), "sqlalchemy>=1.4,<2"], check=True)
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}
    version = "import sqlalchemy; print(sqlalchemy.__version__)"
    found = subprocess.run(
        [sys.executable, "-c", version], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("1.4.")
    tests = [str(HERE), str(ROOT / "tests" / "ledger" / "test_ledger_releases.py")]
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4_000:]
    assert " passed" in done.stdout
