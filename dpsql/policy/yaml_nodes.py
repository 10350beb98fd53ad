"""YAML text to nodes, with line numbers and YAML 1.2's scalars.

PyYAML resolves scalars by YAML 1.1 (`no` is false, `1e-7` is text, 2020-01-01 a date object), so
only its scanner and composer are used; what a scalar means is decided here and, for dates, by the
key it stands under. Tags and merge keys are not read.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from dpsql.errors import PolicyError
from dpsql.policy.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Items,
    Keys,
    Node,
    Scalar,
    Value,
    Where,
    printable,
)

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?\Z", re.ASCII)
_LONGEST_NUMBER = 400


def parse_yaml(text: str, source: str) -> Node:
    """The document in `text`. Anything that is not one YAML document is a PolicyError."""
    import yaml

    class Loader(yaml.SafeLoader):
        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            """No implicit tags: a node's tag is '' unless the file writes one."""
            return ""

    where = Where(source)
    try:
        root = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise _broken(where, error) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise where.error(
            f"not valid YAML: {printable(reason)}",
            code="bad-yaml",
            hint="a policy is plain text, without control characters",
        ) from None
    except RecursionError:
        raise _too_deep(where) from None
    if root is None:
        raise where.error(
            "the file is empty", code="bad-yaml", hint="`dpsql demo --keep DIR` leaves an example"
        )
    return _Walk().node(root, Where(source, "", root.start_mark.line + 1), 0)


def plain_value(text: str) -> Value:
    """An unquoted scalar by YAML 1.2's core schema, numbers exact.

    Hexadecimal, octal, `.inf` and `.nan` stay text: no key takes them, and the key's own error
    names them better than a silently converted number would.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return Decimal(text)
    return text


class _Walk:
    """Copies PyYAML's graph into our tree: aliases are expanded, loops and bombs refused."""

    def __init__(self) -> None:
        self.seen = 0

    def node(self, raw: Any, where: Where, depth: int) -> Node:
        self.seen += 1
        if depth > MAX_DEPTH or self.seen > MAX_NODES:
            raise _too_deep(where)
        if raw.tag not in ("", "!"):
            raise where.error(
                f"YAML tags are not read: {printable(str(raw.tag))}",
                code="bad-yaml",
                hint="drop the tag; put text in quotes",
            )
        if raw.id == "mapping":
            return self.mapping(raw, where, depth)
        if raw.id == "sequence":
            items = (
                self.node(item, where.item(i, item.start_mark.line + 1), depth + 1)
                for i, item in enumerate(raw.value)
            )
            return Items(where, tuple(items))
        plain = raw.style is None
        return Scalar(where, plain_value(raw.value) if plain else raw.value, raw.value, plain)

    def mapping(self, raw: Any, where: Where, depth: int) -> Keys:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in raw.value:
            line = key.start_mark.line + 1
            if key.id != "scalar" or key.tag not in ("", "!"):
                raise Where(where.source, where.path, line).error(
                    "a key must be plain text", code="wrong-type"
                )
            inner = where.key(key.value, line)
            if key.value in entries:
                raise inner.error(
                    f"this key stands twice, first on line {lines[key.value]}",
                    code="duplicate-key",
                    hint="keep one of the two",
                )
            lines[key.value] = line
            entries[key.value] = self.node(value, inner, depth + 1)
        return Keys(where, entries)


def _too_deep(where: Where) -> PolicyError:
    return where.error("nested too deeply or far too large", code="bad-yaml")


def _broken(where: Where, error: Any) -> PolicyError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else None
    reason = error.problem or error.context or "it does not parse"
    return Where(where.source, "", line).error(
        f"not valid YAML: {reason}",
        code="bad-yaml",
        hint="indent with spaces, write `key: value`, and quote text that holds `: ` or `#`",
    )
