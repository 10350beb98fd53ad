"""load(): the owner's file or dict, to a Policy, or one PolicyError that says where and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from datetime import date
from math import ceil
from pathlib import Path
from typing import TypeVar

from dpsql.errors import PolicyError
from dpsql.policy.fields import Fields, count, flag, text, word, wrong
from dpsql.policy.file_places import check_places
from dpsql.policy.nodes import Node, Scalar, Where, printable
from dpsql.policy.python_nodes import parse_python
from dpsql.policy.quantities import seconds, size
from dpsql.policy.read_budgets import read_budgets
from dpsql.policy.read_files import read_attached
from dpsql.policy.read_kept import check_cells, read_cells
from dpsql.policy.read_tables import read_tables
from dpsql.policy.schema import AUTO, Auto, Bounds, Limits, Policy
from dpsql.policy.urls import DEFAULT_LEDGER, absolute, read_database, read_ledger, sqlite_url
from dpsql.policy.yaml_nodes import parse_yaml

T = TypeVar("T")

VERSION = 1
MAX_BYTES = 16 * 2**20
_KEYS = (
    "version",
    "database",
    "attach",
    "ledger",
    "data_version",
    "releases",
    "limits",
    "checkpoints",
    "cells",
    "analysts_only",
    "budgets",
    "bounds",
    "unit",
    "tables",
)


def load(policy: str | os.PathLike[str] | Mapping[str, object] | Policy) -> Policy:
    """The policy in a YAML file (a path) or in a dict of the same shape.

    Every fault is a PolicyError with file, line and path (of a dict the path alone). Relative
    paths start at the file's folder, in a dict at the working directory. No file of the policy's
    is opened here. A Policy is returned as it is.
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, Mapping):
        return _read(parse_python(policy), Path(os.path.abspath(".")), None)
    if isinstance(policy, (str, os.PathLike)):
        path = os.fspath(policy)
        if isinstance(path, str):
            return load_text(_contents(path), source=path, base=Path(path).absolute().parent)
    raise PolicyError(
        f"a policy is a path or a dict, not a {type(policy).__name__}", code="wrong-type"
    )


def load_text(contents: str, *, source: str, base: Path) -> Policy:
    """The policy in YAML text; `source` names it in errors, relative paths start at `base`."""
    return _read(parse_yaml(contents, source), base, source)


def _contents(path: str) -> str:
    where = Where(printable(path))
    try:
        if (reason := _no_file(path)) is not None:
            raise where.error(
                f"the policy {reason}",
                code="no-policy",
                hint="name it by --policy, DPSQL_POLICY or ./dpsql.yaml; `dpsql init` writes "
                "one for your database",
            )
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except PermissionError:
        raise where.error(
            "the policy cannot be read: permission denied",
            code="no-policy",
            hint="this user needs read permission on it and on the folders above",
        ) from None
    except (OSError, ValueError):
        raise where.error("the policy cannot be read", code="no-policy") from None
    if len(raw) > MAX_BYTES:
        raise where.error("the policy is larger than 16 MiB", code="bad-yaml")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = Where(where.source, "", line)
        raise where.error(
            "the file is not UTF-8 text", code="bad-yaml", hint="a policy is a YAML file"
        ) from None


def _no_file(path: str) -> str | None:
    """Why there is no file to read; PermissionError where the folder may not be entered."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        raise
    except (OSError, ValueError):
        return "does not exist"
    if stat.S_ISREG(mode):
        return None
    return "is a folder" if stat.S_ISDIR(mode) else "is not a file"


def _read(root: Node, base: Path, source: str | None) -> Policy:
    """What is written is judged before what is missing: a typo explains more than an absence."""
    fields = Fields(root, _KEYS)
    _version(fields.get("version"))
    database = _if(fields.get("database"), lambda node: read_database(node, base))
    attached = _if(fields.get("attach"), lambda node: read_attached(node, base))
    ledger = _ledger(fields.get("ledger"), base, source)
    data_version = _if(fields.get("data_version"), _data_version)
    reuse = _reuse(fields.get("releases"))
    limits = _if(fields.get("limits"), _limits)
    checkpoints = _if(fields.get("checkpoints"), text)
    only = _if(fields.get("analysts_only"), flag)
    bounds = _if(fields.get("bounds"), _bounds)
    unit = _if(fields.get("unit"), text)
    tables = _if(fields.get("tables"), lambda node: read_tables(node, base))
    budgets = _if(fields.get("budgets"), read_budgets)
    if budgets is None:
        raise fields.missing("budgets", "nobody may ask anything without one")
    if tables is None:
        raise fields.missing("tables", "a table that is not listed does not exist for analysts")
    policy = Policy(
        version=VERSION,
        database=database,
        ledger=ledger,
        data_version=data_version or "1",
        releases_reuse=reuse,
        limits=limits or Limits(),
        checkpoints=None if checkpoints is None else str(absolute(base, checkpoints)),
        analysts_only=bool(only),
        budgets=budgets,
        bounds=bounds or Bounds(),
        unit=unit or "unit",
        tables=tables,
        source=source,
        attached=attached or {},
        cells=read_cells(fields.get("cells"), base, source),
    )
    check_places(policy, fields)
    check_cells(policy, fields)
    return policy


def _if(node: Node | None, read: Callable[[Node], T]) -> T | None:
    return None if node is None else read(node)


def _version(node: Node | None) -> None:
    if node is not None and count(node, 0) != VERSION:
        raise node.where.error(
            f"this dpsql reads version {VERSION} of the policy format", code="bad-value"
        )


def _ledger(node: Node | None, base: Path, source: str | None) -> str | None:
    if node is not None:
        return read_ledger(node, base)
    return None if source is None else sqlite_url(absolute(base, DEFAULT_LEDGER))


def _data_version(node: Node) -> str:
    """Any text; in a dict a whole number or a date is taken as its text."""
    if isinstance(node, Scalar) and node.text is None:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            return str(count(node, 0))
        if isinstance(node.value, date):
            return node.value.isoformat()
    return text(node)


def _reuse(node: Node | None) -> bool:
    if node is None:
        return True
    fields = Fields(node, ("reuse",))
    reuse = fields.get("reuse")
    if isinstance(reuse, Scalar) and reuse.text is None and reuse.value is False:
        return False  # a dict that a YAML 1.1 reader made of `off`
    return word(fields.need("reuse", "write {reuse: budget} or {reuse: off}"), _REUSE) == "budget"


_REUSE = ("budget", "off")


def _limits(node: Node) -> Limits:
    fields = Fields(node, ("timeout", "memory", "reply_quantum"))
    timeout, memory = fields.get("timeout"), fields.get("memory")
    quantum = fields.get("reply_quantum")
    longest = None if timeout is None else seconds(timeout)
    if timeout is not None and longest == 0:
        raise timeout.where.error("no query finishes in no time", code="bad-range")
    return Limits(
        timeout_seconds=None if longest is None else float(longest),
        memory=None if memory is None else size(memory),
        reply_quantum_ms=0 if quantum is None else ceil(seconds(quantum) * 1000),
    )


def _bounds(node: Node) -> Bounds:
    fields = Fields(node, ("max_groups", "max_rows_per_group", "min_units_per_group", "undeclared"))
    groups, rows = fields.get("max_groups"), fields.get("max_rows_per_group")
    units, undeclared = fields.get("min_units_per_group"), fields.get("undeclared")
    return Bounds(
        max_groups=None if groups is None else count(groups, 1),
        max_rows_per_group=None if rows is None else _rows(rows),
        min_units_per_group=0 if units is None else count(units, 0),
        automatic=undeclared is None or word(undeclared, ("auto", "refuse")) == "auto",
    )


def _rows(node: Node) -> int | Auto:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        if node.value != "auto":
            raise wrong(node, "a whole number or `auto`")
        return AUTO
    return count(node, 1)
