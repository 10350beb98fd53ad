"""The stable codes of errors, read from dpsql's own source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import dpsql
from dpsql import errors

SOURCE = Path(dpsql.__file__).parent
_CODE = re.compile(r"[a-z]+(-[a-z]+)*")
_PLACED = ("refuse", "invalid", "build")  # functions that take the code by position
_BUILT = {"bad-": {"bad-epsilon", "bad-delta"}}  # f"bad-{name}"


def raised() -> dict[str, list[str]]:
    """Every code that the source raises, with the places where it does."""
    found: dict[str, list[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                for code in codes_of(node):
                    place = f"{file.relative_to(SOURCE)}:{node.lineno}"
                    found.setdefault(code, []).append(place)
    return found


def codes_of(call: ast.Call) -> Iterator[str]:
    """The codes that a call passes on, if it makes an error."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    for value in given:
        yield from _texts(value)
    if name in _PLACED and len(call.args) >= 3:
        for arg in call.args[1:]:
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                assert _CODE.fullmatch(arg.value), f"is {arg.value!r} a code?"
                yield arg.value
                break
    kind = getattr(errors, name, None) if isinstance(call.func, ast.Name) else None
    if not given and isinstance(kind, type) and issubclass(kind, errors.Error):
        yield kind.default_code


def _texts(value: ast.expr) -> Iterator[str]:
    """The codes an expression can be: a constant, a choice of two, or a known pattern."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.JoinedStr):
        start = value.values[0]
        assert isinstance(start, ast.Constant)
        yield from sorted(_BUILT[str(start.value)])
    else:  # an error passed on, whose code is found where it was made
        assert isinstance(value, (ast.Name, ast.Attribute)), ast.unparse(value)
