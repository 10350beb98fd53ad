"""Error codes with the classes that carry them, read from the source."""

from __future__ import annotations

import ast

from dpsql import errors
from tests.e2e.error_codes import SOURCE, codes_of
from tools.reference.markdown import table

_BY_FUNCTION = {"refuse": "RefusedQuery", "invalid": "InvalidQuery"}
_EXITS = {
    0: "ok",
    1: "a check said no",
    2: "usage, or the policy file is wrong",
    3: "refused, syntax errors included",
    4: "budget",
    5: "engine or ledger cannot be reached or failed",
    70: "a fault of dpsql",
    130: "interrupted",
}


def page() -> str:
    """The index: every code, its class and its exit code, with a link to its paragraph."""
    rows = []
    for code, kinds in sorted(_kinds().items()):
        exits = sorted({getattr(errors, kind).exit_code for kind in kinds})
        link = f"[{code}](../errors.md#{code})"
        rows.append((link, ", ".join(sorted(kinds)), ", ".join(map(str, exits))))
    return (
        "# Error codes\n\nWhat each means, why, and the way out: follow the link. The classes are"
        " PEP 249's, in `dpsql.errors`; `error.code` is the code, `error.exit_code` the exit code"
        " of the command line.\n\n"
        + table(("exit code", "meaning"), ((str(n), text) for n, text in _EXITS.items()))
        + "\n"
        + table(("code", "class", "exit code"), rows)
    )


def _kinds() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                for code in codes_of(node):
                    kind = _kind(node, file.parent.name)
                    found.setdefault(code, set()).update({kind} if kind else ())
    return found


def _kind(call: ast.Call, room: str) -> str | None:
    """The class a call raises or builds; None where it is not written there."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if _is_error(name):
        return name
    if name == "build" and isinstance(call.args[0], ast.Name) and _is_error(call.args[0].id):
        return call.args[0].id
    if name == "error" and room == "policy":
        return "PolicyError"
    return _BY_FUNCTION.get(name)


def _is_error(name: str) -> bool:
    kind = getattr(errors, name, None)
    return isinstance(kind, type) and issubclass(kind, errors.Error)
