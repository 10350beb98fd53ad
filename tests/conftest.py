"""Of directories that have a `connect` of their own: one connection, one cursor on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dpsql


@pytest.fixture
def connection(connect: Callable[..., dpsql.Connection]) -> dpsql.Connection:
    return connect()


@pytest.fixture
def cursor(connection: dpsql.Connection) -> dpsql.Cursor:
    return connection.cursor()
