"""No seed, no seam: nothing in the package lets a caller choose the noise (issue 5, point 7).

What the tests use is a monkeypatch of `dpsql.mechanisms.entropy.words`, which is code of theirs.
Fork and thread safety: the gate `draws`.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import gates
import pytest

import dpsql
from dpsql.mechanisms import entropy
from dpsql.session import Session

PACKAGE = Path(dpsql.__file__).parent
SEED = ("seed", "rng", "random_state", "entropy_source", "prng")
MODULES = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def parameters(tree):
    """The names of arguments and fields of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def seeds(trees):
    return {
        (path.name, name) for path, tree in trees.items() for name in parameters(tree)
        if any(name.lower() == word or name.lower().endswith("_" + word) for word in SEED)
    }  # fmt: skip


def imports(trees):
    """(module, name imported) of everything that could make random numbers."""
    found = set()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [part.name for part in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{part.name}" for part in node.names]
            elif isinstance(node, ast.Attribute):
                names = [ast.unparse(node)]
            for name in names:
                if name.startswith(("random", "numpy.random", "np.random", "secrets")) or name in (
                    "os.urandom",
                    "os.getrandom",
                ):
                    found.add((path.relative_to(PACKAGE).as_posix(), name))
    return found


def test_no_argument_or_field_is_a_seed():
    assert len(MODULES) > 200
    assert seeds(MODULES) == set()
    assert seeds({Path("x.py"): ast.parse("def f(noise_seed: int): ...")}) == {
        ("x.py", "noise_seed")
    }


def test_one_module_asks_the_system():
    """What else is named `random...` is not: a test that only strings differ would not see."""
    found = imports(MODULES)
    noise = {(path, name) for path, name in found if name == "os.urandom"}
    assert noise == {("mechanisms/entropy.py", "os.urandom")}
    assert {name for _, name in found if name.startswith(("random", "numpy", "np."))} == set()
    assert imports({PACKAGE / "x.py": ast.parse("from random import gauss")})


def test_words_take_a_count_and_nothing_else(monkeypatch):
    monkeypatch.undo()  # the real function, not the fixed stream of this room
    assert list(inspect.signature(entropy.words).parameters) == ["count"]
    assert [n for n in vars(entropy) if not n.startswith("__")] == [
        "annotations", "os", "np", "NDArray", "words",
    ]  # fmt: skip


@pytest.mark.parametrize("call", [Session, Session.query, dpsql.connect])
def test_no_call_of_analysts_takes_a_seed(call):
    assert not {name for name in inspect.signature(call).parameters if name in SEED}


def test_no_variable_of_the_environment_fixes_the_noise(tmp_path):
    """Two processes under every name that such a seam might have draw different words."""
    environment = {f"DPSQL_{word.upper()}": "7" for word in (*SEED, "test", "testing", "noise")}
    environment |= {"PYTHONHASHSEED": "0", "SEED": "7"}
    code = "from dpsql.mechanisms import entropy; print(entropy.words(2).tolist())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        ).stdout
        for _ in range(2)
    }  # fmt: skip
    assert len(said) == 2


def test_the_environment_is_read_for_places_alone():
    """Every variable that the package reads, by name."""
    found = set()
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
                if word.startswith("DPSQL_") and word.isupper() and " " not in word:
                    found.add(word)
    assert not {name for name in found if any(part in name.lower() for part in SEED)}, found


def test_the_built_package_has_no_tests():
    """What is built is `dpsql` alone, so no fixture of ours can be imported (packaging/, slow)."""
    text = (gates.ROOT / "pyproject.toml").read_text()
    assert '[tool.hatch.build.targets.wheel]\npackages = ["dpsql"]\n' in text
    assert not any("tests" in path.parts for path in MODULES)
    for tree in MODULES.values():
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                name = getattr(node, "module", None) or node.names[0].name
                assert name.partition(".")[0] not in ("pytest", "hypothesis", "unittest", "tests")
