"""Floats without -0.0: of equal values there is then one."""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.reader import bare


def normal(node: exp.Expr) -> bool:
    """CASE WHEN ... THEN x + 0.0 END: adding makes -0.0 a 0.0, so that equal floats are one."""
    node = bare(node)
    if not isinstance(node, exp.Case) or node.args.get("default") is not None:
        return False
    return all(_plus_zero(bare(branch.args["true"])) for branch in node.args["ifs"])


def _plus_zero(node: exp.Expr) -> bool:
    other = node.args["expression"] if isinstance(node, exp.Add) else None
    return isinstance(other, exp.Literal) and not other.is_string and other.this == "0.0"
