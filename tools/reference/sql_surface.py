"""What SQL is answered, from the allow-lists of the binder and of the part above the noise."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from sqlglot import exp

from dpsql import aggregates, functions
from dpsql.binding import (
    aggregate_calls,
    frames,
    grouping_sets,
    interval_ends,
    options,
    select,
    series,
    windows,
)
from dpsql.binding.inner_aggregates import FUNCTIONS
from dpsql.binding.refused_aggregates import REFUSED as REFUSED_AGGREGATES
from dpsql.checks import remainder
from dpsql.functions.refused import REFUSED as REFUSED_FUNCTIONS
from tools.reference.markdown import code, table

_INTRODUCTION = """# SQL, clause by clause

Two lists decide. **Below the noise line** stands what reads people's rows: it must have a bounded,
total form. **Above it** stands what reads answers (HAVING, ORDER BY, arithmetic on aggregates,
outer queries) and public tables: it is free and needs to be harmless only. What is on neither list
is refused by name.

Engines: all of it is answered on DuckDB, the one engine there is today; texts in the dialects of
PostgreSQL, Spark, BigQuery, Snowflake and the others that sqlglot reads land on the same forms.
What is refused is refused for every engine.
"""
_CASES = Path(__file__).parents[2] / "tests" / "cases" / "refuse"
_CASE = re.compile(
    r"(?:-- instead: (?P<instead>.*)\n)?"
    r"(?P<sql>[^-][\s\S]{1,200}?)\n"  # asked plainly, and short
    r"-- refuse: (?P<code>\S+) \(RefusedQuery, exit 3\)\n--   (?P<said>.*)\n"
    r"(?:--  .*\n)*(?:-- hint: .*; ask: (?P<ask>.*)\n)?"
)


def page() -> str:
    """Clauses, aggregates, functions and options, and an example of each refusal."""
    return "\n".join(
        (
            _INTRODUCTION,
            _clauses(),
            _relations(),
            _windows(),
            _grouping(),
            _aggregates(),
            _refused_aggregates(),
            _functions(),
            _refused_functions(),
            _above(),
            _options(),
            _refused(),
        )
    )


def _clauses() -> str:
    known = [name for name in exp.Select.arg_types if name != "operation_modifiers"]
    allowed = select.ALLOWED_CLAUSES
    assert allowed <= set(known)
    return (
        "## Clauses of a SELECT over people's rows\n\n"
        f"Read: {_words(n for n in known if n in allowed)}. Here `expressions` is the SELECT list,"
        " `hint` are the OPTIONS below, and `kind` (AS STRUCT) is refused with a word of its own."
        " `having`, `qualify`, `windows`, `order`, `limit` and `offset` act on the noisy answer."
        "\n\n"
        f"Refused (`unsupported-clause`): {_words(n for n in known if n not in allowed)}.\n"
    )


def _relations() -> str:
    """What FROM may hold beside people's rows."""
    return (
        "## FROM and joins\n\n"
        "Declared tables, subqueries and CTEs of people's rows; `INNER`, `CROSS`, `LEFT`, `RIGHT`,"
        " `SEMI` and `ANTI` joins with `ON`, `USING` or `NATURAL`, tables of people on the unit;"
        " `FULL JOIN` of two tables of people on the unit, as the first join. Public tables, and"
        " lists of constants as public tables: `VALUES`, constant SELECTs and their `UNION ALL`,"
        " `unnest([...])`, `range` and `generate_series` of numbers and of dates, of up to"
        f" {series.MAX_ROWS:,} rows. A column of a public table or list is a public key.\n"
    )


def _windows() -> str:
    """Windows over people's rows."""
    names = [*windows.NUMBERED.values(), *windows.PICKED.values(), *FUNCTIONS.values()]
    return (
        "## Windows within one person's rows\n\n"
        f"Partitioned by the unit: {_words(names)}; `WINDOW` and `QUALIFY`. Frames are `ROWS` up to"
        f" {frames.MAX_FRAME:,} rows away, or `RANGE` between `UNBOUNDED` and `CURRENT ROW`. A"
        " default of `lag` and `lead` is a constant of the column's type. What depends on how ties"
        " fall orders by all columns that are read.\n"
    )


def _grouping() -> str:
    """What GROUP BY may hold."""
    forms = ", ".join(code(name) for name in grouping_sets.SETS.values())
    return (
        "## GROUP BY\n\n"
        f"Columns, expressions, aliases, ordinals, `ALL`, {forms}, `WITH ROLLUP` and `()`, also"
        f" combined, up to {grouping_sets.MAX_SETS} sets; `GROUPING(key, ...)` tells totals from"
        " groups without a key. Each set is a release with the price of the query that asks for it"
        " alone.\n"
    )


def _refused_aggregates() -> str:
    rows = [(code(names), reason, way) for names, (_, reason, way) in REFUSED_AGGREGATES.items()]
    return (
        "## Aggregates that are refused over people's rows\n\n"
        + table(("aggregates", "why", "instead"), rows)
        + "\nAbove the noise line all of them are free.\n"
    )


def _refused_functions() -> str:
    rows = [
        (title, _names(functions.names_of(nodes, names)), reason, way)
        for title, (nodes, names, reason, way) in REFUSED_FUNCTIONS.items()
    ]
    return "## Functions that are refused over people's rows\n\n" + table(
        ("what", "names", "why", "instead"), rows
    )


def _aggregates() -> str:
    rows = [
        (
            code(_first_line(family)),
            _names(functions.names_of(family.nodes, _calls(family))),
            _doc(family),
        )
        for family in aggregates.FAMILIES
    ]
    text = "## Aggregates of people's rows\n\n" + table(("family", "names", "what it gives"), rows)
    return (
        text
        + "\nAn aggregate takes FILTER (WHERE ...), and these named arguments: "
        + f"`{aggregate_calls.BOUNDS_PER_ROW} => (low, high)`,"
        + f" `{interval_ends.REPORT_FORMAT} => 'JSON'`. The ends of its 95 % interval are"
        + f" {_names(interval_ends.FUNCTIONS)} of its name.\n"
    )


def _functions() -> str:
    rows = [
        (_first_line(family), _names(functions.names_of(family.nodes, family.calls)))
        for family in functions.REGISTRY
    ]
    return "## Functions of people's rows\n\n" + table(("family", "names"), rows)


def _above() -> str:
    below = {*functions.KNOWN, *functions.names_of(aggregates.NODES, aggregates.CALLS)}
    return (
        "## Functions above the noise line\n\n"
        f"Also on people's rows: {_names(n for n in remainder.KNOWN if n in below)}.\n\n"
        f"Above alone: {_names(n for n in remainder.KNOWN if n not in below)}.\n\n"
        f"On people's rows alone: {_names(sorted(below - set(remainder.KNOWN)))}.\n"
    )


def _options() -> str:
    rows = [(code(name), options._HINTS[name]) for name in options._NAMES]
    return "## `SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(name = value, ...)`\n\n" + table(
        ("option", "value"), rows
    )


def _refused() -> str:
    """The first example of each code that refuses what is understood."""
    rows: dict[str, tuple[str, str, str, str]] = {}
    for file in sorted(_CASES.glob("*.sql")):
        if found := _CASE.match(file.read_text("utf-8")):
            link = f"[{found['code']}](../errors.md#{found['code']})"
            query = code(" ".join(found["sql"].split()))
            instead = found["ask"] or found["instead"]
            answered = code(instead) if instead else "-"
            rows.setdefault(found["code"], (link, query, found["said"], answered))
    assert rows
    return (
        "## Refused, by example\n\nOne of each code that a short text meets; the tests hold these"
        " and the others word for word, and that what stands last is answered.\n\n"
        + table(("code", "example", "what is said", "answered instead"), rows.values())
    )


def _calls(family: aggregates.Family) -> list[str]:
    """Names of a family that the parser does not know."""
    calls = (exp.Anonymous(this=name, expressions=[exp.Null()]) for name in aggregates.CALLS)
    return [call.name for call in calls if aggregates.for_node(call) is family]


def _first_line(family: object) -> str:
    text = sys.modules[type(family).__module__].__doc__ or ""
    return text.partition("\n")[0].rstrip(".")


def _doc(family: object) -> str:
    return (type(family).__doc__ or "").partition("\n")[0]


def _names(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names) or "-"


def _words(names: Iterable[str]) -> str:
    return ", ".join(code(name.strip("_")) for name in names) or "nothing"
