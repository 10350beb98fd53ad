"""Databases with their cells, for tests that change neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kept_world import SALT, make_cells, make_data, rules, session

from dpsql.mechanisms import entropy
from dpsql.session import Session


@pytest.fixture(autouse=True, scope="session")
def unhurried() -> Iterator[None]:
    """What is built is not waited for: tests change files by more than their times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dpsql.cells.build.SETTLED", 0.0)
        yield


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights": {"per_unit": 6},
    "one row": {"bounds": {"max_groups": 2, "max_rows_per_group": 1}},
    "many groups": {"bounds": {"max_groups": 50, "max_rows_per_group": 3}, "per_unit": 7},
}


@contextmanager
def _made(paths: pytest.TempPathFactory, settings: dict[str, Any]) -> Iterator[Session]:
    folder = paths.mktemp("kept")
    make_data(folder)
    policy = rules(folder, **settings)
    with pytest.MonkeyPatch.context() as patch:  # which cells are kept is not by chance
        patch.setattr(entropy, "words", lambda count: [SALT] * count)
        make_cells(policy)
    with session(policy) as found:
        yield found


@pytest.fixture(scope="package", params=SETTINGS)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    with _made(tmp_path_factory, SETTINGS[request.param]) as found:
        yield found


@pytest.fixture(scope="package")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with _made(tmp_path_factory, {}) as found:
        yield found
