"""`SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(...)`: GoogleSQL's words, strictly read."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal, NoReturn

from sqlglot import exp

from dpsql.binding.accuracy_options import AIM_HINTS, AIMS, read_aims_in
from dpsql.binding.context import Context
from dpsql.binding.interval_ends import REPORT_FORMAT
from dpsql.core import nearest
from dpsql.core.ir import Options
from dpsql.core.numbers import read_delta, read_epsilon
from dpsql.errors import InvalidQuery

_NAMES = (
    "epsilon",
    "delta",
    "max_groups_contributed",
    "max_rows_contributed",
    "min_privacy_units_per_group",
    "group_selection_strategy",
    "privacy_unit_column",
    "clip_estimate",
    *AIMS,
    "bounds",
    "post_process",
)
MAX_COUNT = 2**40
_ON_AGGREGATE = "write it on the aggregate: COUNT(*, report_format => 'JSON')"
_STRATEGIES = ("PUBLIC_GROUPS", "LAPLACE_THRESHOLD")
POST_PROCESS = ("none", "additive", "consistent")
"""As drawn; totals that add up; that, and counts of at least 0."""
_HINTS = {
    "epsilon": "write a positive number: epsilon = 0.5",
    "delta": "write a small probability: delta = 1e-7",
    "max_groups_contributed": "write a whole number, at least 1",
    "max_rows_contributed": "write a whole number, at least 1",
    "min_privacy_units_per_group": "write a whole number, 0 or more",
    "group_selection_strategy": " or ".join(_STRATEGIES),
    "clip_estimate": "true or false",
    "bounds": "bounds = 'auto' or bounds = 'declared'",
    "privacy_unit_column": "the unit's column, as the policy has it; may be left out",
    "post_process": " or ".join(POST_PROCESS),
    **AIM_HINTS,
}


def read_options(
    node: exp.Select, context: Context, is_unit: Callable[[exp.Expr], bool]
) -> Options:
    """The options of one SELECT; `Options()` where it has none.

    `is_unit`: does an expression of the SELECT name the privacy unit? `privacy_unit_column` may say
    what the policy says, and nothing else.
    """
    hint = node.args.get("hint")
    if hint is None:
        return Options()
    if "privacy" not in hint.meta:
        context.refuse(node, "unsupported-clause", "optimizer hints are not available")
    found: dict[str, exp.Expr] = {}
    for pair in hint.meta["privacy"]:
        name, value = _pair(pair, context)
        if name in found:
            context.invalid(pair, "bad-option", f"option {name} is given twice")
        found[name] = value
    column = found.get("privacy_unit_column")
    if column is not None and not (isinstance(column, exp.Column) and is_unit(column)):
        context.refuse(
            column,
            "unsupported-option",
            f"privacy_unit_column is not the {context.policy.unit} of the policy",
            "leave it out: the policy says whose row it is",
        )
    return Options(
        epsilon=_epsilon(found.get("epsilon"), context),
        delta=_delta(found.get("delta"), context),
        max_groups=_count("max_groups_contributed", found, 1, context),
        max_rows=_count("max_rows_contributed", found, 1, context),
        min_units=_count("min_privacy_units_per_group", found, 0, context),
        public_groups=_strategy(found.get("group_selection_strategy"), context),
        clip_estimate=_truth("clip_estimate", found, context),
        aims=read_aims_in(found, context),
        bounds=_bounds(found.get("bounds"), context),
        post_process=_post_process(found.get("post_process"), context),
    )


def finds_bounds(node: exp.Select, context: Context) -> bool:
    """May a bound that nobody declares be found privately here? Read before aggregates are."""
    hint = node.args.get("hint")
    for pair in hint.meta.get("privacy", ()) if hint is not None else ():
        name, value = _pair(pair, context)
        if name == "bounds":
            return _bounds(value, context) != "declared"
    return context.policy.bounds.automatic


def _pair(pair: exp.Expr, context: Context) -> tuple[str, exp.Expr]:
    if not isinstance(pair, (exp.EQ, exp.PropertyEQ)) or not pair.this.name:
        context.invalid(pair, "bad-option", "options are written name = value")
    name = pair.this.name.lower()
    if name not in _NAMES:
        context.refuse(
            pair,
            "unsupported-option",
            f"there is no option {name}",
            _ON_AGGREGATE
            if name == REPORT_FORMAT
            else nearest.hint(name, _NAMES, f"options: {', '.join(_NAMES)}"),
        )
    return name, pair.expression


def _text(value: exp.Expr, context: Context, what: str) -> str:
    literal = value.this if isinstance(value, exp.Neg) else value
    if not isinstance(literal, exp.Literal):
        _bad(value, what, context)
    return ("-" if isinstance(value, exp.Neg) else "") + str(literal.this)


def _epsilon(value: exp.Expr | None, context: Context) -> Fraction | None:
    if value is None or isinstance(value, exp.Null):
        return None
    try:
        return read_epsilon(_text(value, context, "epsilon"))
    except InvalidQuery as problem:
        context.invalid(value, problem.code, problem.message, _HINTS["epsilon"])


def _delta(value: exp.Expr | None, context: Context) -> Fraction | None:
    if value is None or isinstance(value, exp.Null):
        return None
    try:
        return read_delta(_text(value, context, "delta"))
    except InvalidQuery as problem:
        context.invalid(value, problem.code, problem.message, _HINTS["delta"])


def _count(name: str, found: dict[str, exp.Expr], least: int, context: Context) -> int | None:
    value = found.get(name)
    if value is None or isinstance(value, exp.Null):
        return None
    text = _text(value, context, name)
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= MAX_COUNT:
        _bad(value, name, context)
    return int(text)


def _strategy(value: exp.Expr | None, context: Context) -> bool:
    if value is None:
        return False
    word = value.name.upper()
    if word not in _STRATEGIES:
        _bad(value, "group_selection_strategy", context, nearest.hint(word, _STRATEGIES))
    return word == "PUBLIC_GROUPS"


def _truth(name: str, found: dict[str, exp.Expr], context: Context) -> bool:
    value = found.get(name)
    if value is None or isinstance(value, exp.Null):
        return False
    if not isinstance(value, exp.Boolean):
        _bad(value, name, context)
    return bool(value.this)


def _bounds(value: exp.Expr | None, context: Context) -> Literal["", "auto", "declared"]:
    if value is None or isinstance(value, exp.Null):
        return ""
    text = _text(value, context, "bounds").lower()
    if text == "auto":
        return "auto"
    if text != "declared":
        _bad(value, "bounds", context)
    return "declared"


def _post_process(value: exp.Expr | None, context: Context) -> str | None:
    if value is None:
        return None
    word = value.name.lower()
    if word not in POST_PROCESS:
        _bad(value, "post_process", context, nearest.hint(word, POST_PROCESS))
    return word


def _bad(value: exp.Expr, what: str, context: Context, hint: str = "") -> NoReturn:
    context.invalid(
        value, "bad-option", f"{what} has a value that cannot be used", hint or _HINTS[what]
    )
