"""Where the data and the ledger are: URLs, with relative paths resolved at the policy's folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from dpsql.policy.fields import text
from dpsql.policy.nodes import Node
from dpsql.policy.suggest import suggest

_ENGINES = {
    "duckdb": "duckdb",
    "postgresql": "postgresql",
    "postgres": "postgresql",  # libpq reads both
    "spark": "spark",
    "sc": "spark",
}
_LEDGERS = ("sqlite", "postgresql", "postgresql+psycopg2", "postgres")
_MEMORY = ("", ":memory:")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
DEFAULT_LEDGER = "dpsql-ledger.db"


@dataclass(frozen=True, slots=True)
class Database:
    """`engine` is duckdb, postgresql or spark. `path` is a DuckDB file, absolute; None: in memory.

    The URL may hold a password and is kept out of the repr.
    """

    engine: str
    path: Path | None
    url: str = field(repr=False)


def read_database(node: Node, base: Path) -> Database:
    """`duckdb:///relative`, `duckdb:////absolute`, `duckdb:///:memory:`; postgresql, spark, sc."""
    url = text(node)
    scheme, rest = _split(node, url, tuple(_ENGINES), "duckdb:///file.duckdb")
    if scheme != "duckdb":
        return Database(_ENGINES[scheme], None, url)
    path = _file(node, rest, base, "duckdb")
    return Database("duckdb", path, url)


def read_ledger(node: Node, base: Path) -> str:
    """A SQLAlchemy URL; a SQLite path comes back absolute, memory as `sqlite://`."""
    url = text(node)
    scheme, rest = _split(node, url, _LEDGERS, "sqlite:///ledger.db")
    if scheme != "sqlite":
        return url
    path = _file(node, rest, base, "sqlite")
    if "?" in rest:
        raise node.where.error("a ledger's path may not hold `?`", code="bad-value")
    if _ESCAPE.search(rest):
        # Taken as SQLAlchemy reads it, `%2f` would name a directory; taken as written, another
        # ledger than SQLAlchemy's readers mean, which has forgotten what was spent.
        raise node.where.error(
            "a ledger's path may not hold percent escapes",
            code="bad-value",
            hint="write each character as it is, as in a database's path",
        )
    return "sqlite://" if path is None else sqlite_url(path)


def sqlite_url(path: Path) -> str:
    """SQLAlchemy's URL of an absolute path, which may hold any character; see `sqlite_path`."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")


def sqlite_path(url: str) -> Path | None:
    """The path that `sqlite_url` was given; None for any other URL."""
    head, mark, rest = url.partition("sqlite:///")
    return Path(unquote(rest)) if mark and not head and rest else None


def absolute(base: Path, relative: str) -> Path:
    """`relative` seen from `base`, without touching the disk and without following links."""
    return Path(os.path.abspath(base / relative))


def _split(node: Node, url: str, known: tuple[str, ...], example: str) -> tuple[str, str]:
    scheme, mark, rest = url.partition("://")
    if not mark:
        raise node.where.error("expected a URL", code="bad-value", hint=f"write it like {example}")
    if scheme not in known:
        raise node.where.error(
            f"unknown kind of URL {scheme!r}",
            code="bad-value",
            hint=suggest(scheme, known, what="kind"),
        )
    if scheme not in ("duckdb", "sqlite") and not rest.strip("/"):
        raise node.where.error("the URL names no host", code="bad-value")
    return scheme, rest


def _file(node: Node, rest: str, base: Path, scheme: str) -> Path | None:
    if rest.removeprefix("/") in _MEMORY:
        return None
    if not rest.startswith("/"):
        raise node.where.error(
            "a file's URL has three slashes, four if the path is absolute",
            code="bad-value",
            hint=f"write {scheme}:///{rest}",
        )
    return absolute(base, rest[1:])
