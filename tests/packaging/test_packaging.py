"""What `python -m build` makes, installed in a clean environment. Needs a package index."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DPSQL"))}

pytestmark = pytest.mark.slow


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=CLEAN, capture_output=True, text=True
    )


def environment(folder: Path) -> Path:
    """A virtual environment with pip alone; its folder of programs."""
    made = run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    assert made.returncode == 0, made.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("build")
    bin = environment(folder / "builder")
    if run(bin / "pip", "install", "build", cwd=folder).returncode:
        pytest.skip("no package index can be reached")
    made = run(bin / "python", "-m", "build", "-o", folder / "dist", ROOT, cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The programs of an environment that has nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("clean")
    bin = environment(folder / "venv")
    done = run(bin / "pip", "install", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return bin


def tracked(folder: str) -> set[str]:
    """The files below a folder that are the project's own."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing says which files are the project's")
    own = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    found = run(*own, folder, cwd=ROOT)
    assert found.returncode == 0, found.stderr
    return set(found.stdout.split())


def test_the_wheel_is_the_package_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if ".dist-info/" not in name}
    assert package == tracked("dpsql")
    assert "dpsql/py.typed" in package
    assert any(name.startswith("dpsql/demo/data/") and name.endswith(".parquet") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_can_be_tested(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked(".") - names == set()
    assert names - tracked(".") == {"PKG-INFO"}


def test_it_installs_and_says_its_help(installed, tmp_path):
    for words in (["--help"], ["--version"], ["query", "--help"]):
        done = run(installed / "dpsql", *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "dpsql" in done.stdout
    assert run(installed / "python", "-m", "dpsql", "--help", cwd=tmp_path).returncode == 0


def test_the_tour_runs_and_its_folder_can_be_asked(installed, tmp_path):
    tour = run(installed / "dpsql", "demo", "--keep", "rand", cwd=tmp_path)
    assert tour.returncode == 0, tour.stderr
    assert "Question 5 of 5" in tour.stdout
    sql = "SELECT sex, COUNT(*) AS n FROM persons GROUP BY sex"
    asked = ["query", "--analyst", "grace", "--format", "csv", sql]
    answer = run(installed / "dpsql", *asked, cwd=tmp_path / "rand")
    assert answer.returncode == 0, answer.stderr
    head, *rows = answer.stdout.split()
    assert head == "sex,n"
    assert [row.partition(",")[0] for row in rows] == ["f", "m"]


def test_what_is_installed_fits_together(installed, tmp_path):
    done = run(installed / "pip", "check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    where = run(installed / "python", "-c", "import dpsql; print(dpsql.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(installed.parent))
