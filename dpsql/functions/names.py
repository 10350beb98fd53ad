"""Names under which SQL calls functions: what a misspelt one is compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

_OPERATORS = frozenset(("and", "or", "xor", "case", "exists"))
_INTERNAL = ("ts_or_ds", "time_to_str", "str_to_", "booland", "boolor", "s_h_a", "regexp_i_")


def names_of(nodes: Collection[type[exp.Expr]], also: Iterable[str] = ()) -> tuple[str, ...]:
    """The names that parse as one of these nodes, and `also`; sqlglot's inner names left out."""
    known = {name.lower() for name, node in exp.FUNCTION_BY_NAME.items() if node in nodes}
    plain = (n for n in known - _OPERATORS if not n.startswith(_INTERNAL))
    return tuple(sorted({*plain, *also}))
