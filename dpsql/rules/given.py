"""A table made of releases, as the engine is given it: lists beside the text, one for each column.

    SELECT UNNEST(CAST($given_0_c0 AS VARCHAR[])) AS c0, ...

Where columns are known to name at most one row, the text makes it so, for whatever lists:

    SELECT c0, MIN(c1) AS c1, ... FROM (...) AS g GROUP BY 1       keys
    SELECT MIN(c0) AS c0, ... FROM (...) AS g HAVING COUNT(*) > 0  no key: at most one row
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.ir import Given, column_parameter
from dpsql.functions import parameter
from dpsql.rules.build import integer, named, select


def given(source: Given) -> exp.Select:
    """The rows of the source. Guarantee: public constants alone, no row of a table is read."""
    lists: list[exp.Expr] = [
        named(exp.Explode(this=parameter(column_parameter(source.step, name), f"{kind}[]")), name)
        for name, kind in source.columns
    ]
    rows = exp.Select(expressions=lists)
    if source.keys is None:
        return rows
    others = [name for name, _ in source.columns if name not in source.keys]
    columns: list[exp.Expr] = [named(exp.column(name), name) for name in source.keys]
    columns += [named(exp.Min(this=exp.column(name)), name) for name in others]
    result = select(columns, rows, "g")
    if source.keys:
        terms: list[exp.Expr] = [integer(place + 1) for place in range(len(source.keys))]
        result.set("group", exp.Group(expressions=terms))
    else:
        some = exp.GT(this=exp.Count(this=exp.Star(), big_int=True), expression=integer(0))
        result.set("having", exp.Having(this=some))
    return result
