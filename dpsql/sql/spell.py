"""A parsed query back as text, privacy words included: the inverse of `parser.parse`."""

from __future__ import annotations

import re

from sqlglot import exp

_MARK = "dpsql_options_"
_MARKED = re.compile(rf"SELECT (DISTINCT |ALL )?{_MARK}(\d+), ")


def spell(root: exp.Expr) -> str:
    """DuckDB SQL that parses to `root` again, whatever dialect it was written in."""
    tree = root.copy()
    options: list[str] = []
    for select in tree.find_all(exp.Select):
        hint = select.args.get("hint")
        if hint is not None:
            words = ", ".join(_option(pair) for pair in hint.meta.get("privacy", ()))
            select.set("hint", None)
            # The words follow SELECT directly, where no node of the tree can stand.
            mark = exp.column(f"{_MARK}{len(options)}")
            select.set("expressions", [mark, *select.expressions])
            options.append(words)
    for call in tree.find_all(exp.AggFunc):
        for name, value in call.meta.get("named", {}).items():
            text = f"{call.this.sql('duckdb')}, {name} => {value.sql('duckdb')}"
            call.set("this", exp.Var(this=text))
    return _MARKED.sub(lambda found: _opening(found, options), tree.sql("duckdb"))


def _opening(found: re.Match[str], options: list[str]) -> str:
    words = options[int(found[2])]
    return f"SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS({words}) {found[1] or ''}"


def _option(pair: exp.Expr) -> str:
    return f"{pair.this.name} = {pair.expression.sql('duckdb')}"
