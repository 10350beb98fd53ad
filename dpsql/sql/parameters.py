"""Put bound parameters into the tree as literals, typed and checked, before anything is bound."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlglot import exp

from dpsql.core import nearest
from dpsql.errors import InvalidQuery
from dpsql.sql.plain_values import Parameters as Parameters  # its usual place
from dpsql.sql.plain_values import plain_value

MAX_TEXT = 10_000
MAX_DIGITS = 38


def substitute(root: exp.Expr, parameters: Parameters) -> exp.Expr:
    """Replace `?` (by position), `:name`, `$name` and `$1` by literal nodes, in place."""
    unnamed = [p for p in root.find_all(exp.Placeholder) if not p.this]
    named: list[exp.Expr] = [p for p in root.find_all(exp.Placeholder) if p.this]
    named += root.find_all(exp.Parameter)  # @name
    if parameters is None or (not unnamed and not named and len(parameters) == 0):
        if unnamed or named:
            raise _count(len(unnamed) + len(named), 0)
        return root
    if isinstance(parameters, (str, bytes)):
        raise InvalidQuery(
            "parameters are a sequence or a mapping, not a string",
            code="bad-parameter",
            hint='cursor.execute(sql, ["Berlin"])',
        )
    if isinstance(parameters, Mapping):
        _by_name(unnamed, named, parameters)
        return root
    if not isinstance(parameters, Sequence):
        raise InvalidQuery(
            f"parameters are a sequence or a mapping, not a {type(parameters).__name__}",
            code="bad-parameter",
        )
    _by_position(unnamed, named, parameters)
    return root


def _by_name(
    unnamed: list[exp.Placeholder], named: Sequence[exp.Expr], parameters: Mapping[str, object]
) -> None:
    if unnamed:
        raise InvalidQuery("`?` needs parameters by position, not by name", code="bad-parameter")
    wanted = {_name(node) for node in named}
    if missing := sorted(wanted - set(parameters)):
        raise InvalidQuery(
            f"no value was given for :{missing[0]}",
            code="bad-parameter",
            hint=nearest.hint(missing[0], map(str, parameters)),
        )
    if extra := sorted(str(name) for name in set(parameters) - wanted):
        raise InvalidQuery(
            f"the query has no parameter :{extra[0]}",
            code="bad-parameter",
            hint=nearest.hint(extra[0], sorted(wanted)),
        )
    for node in named:
        _put(node, parameters[_name(node)], f":{_name(node)}")


def _by_position(
    unnamed: list[exp.Placeholder], named: Sequence[exp.Expr], parameters: Sequence[object]
) -> None:
    if named and all(_name(node).isdigit() for node in named) and not unnamed:
        if {int(_name(node)) for node in named} != set(range(1, len(parameters) + 1)):
            raise _count(len({_name(node) for node in named}), len(parameters))
        for node in named:
            _put(node, parameters[int(_name(node)) - 1], f"${_name(node)}")
        return
    if named:
        raise InvalidQuery("named parameters need a mapping of values", code="bad-parameter")
    if len(unnamed) != len(parameters):
        raise _count(len(unnamed), len(parameters))
    in_text_order = sorted(unnamed, key=lambda node: node.meta["start"])
    for index, (node, value) in enumerate(zip(in_text_order, parameters, strict=True), 1):
        _put(node, value, f"number {index}")


def _name(node: exp.Expr) -> str:
    return str(node.name or node.this)


def _count(wanted: int, given: int) -> InvalidQuery:
    return InvalidQuery(
        f"the query has {wanted} parameter(s), {given} value(s) were given",
        code="bad-parameter",
        hint="one value for each `?`, in order, or one for each :name",
    )


def _put(node: exp.Expr, value: object, which: str) -> None:
    literal = _literal(value, which)
    literal.update_positions(node)
    node.replace(literal)


def writable(text: str) -> bool:
    """False for half a surrogate pair: no engine and no ledger can be sent it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _literal(given: object, which: str) -> exp.Expr:
    value = plain_value(given)
    kind = type(value)  # not isinstance: of what follows, only Python's own types are written
    if value is None:
        return exp.Null()
    if kind is bool:
        return exp.Boolean(this=value)
    if isinstance(value, str) and kind is str:
        if len(value) > MAX_TEXT or "\0" in value or not writable(value):
            raise _bad(which, f"text of at most {MAX_TEXT:,} characters without NUL is accepted")
        return exp.Literal.string(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise _bad(which, "timestamps with a time zone are not supported")
        if kind is not dt.datetime:
            raise _bad(which, f"this {kind.__name__} is no moment to the microsecond")
        return exp.cast(exp.Literal.string(value.isoformat(" ")), exp.DType.TIMESTAMP)
    if isinstance(value, dt.date) and kind is dt.date:
        return exp.cast(exp.Literal.string(value.isoformat()), exp.DType.DATE)
    return _number(value, which)


def _number(value: object, which: str) -> exp.Expr:
    kind = type(value)
    if isinstance(value, int) and kind is int:
        if abs(value) >= 10**MAX_DIGITS:
            raise _bad(which, f"integers of at most {MAX_DIGITS} digits are accepted")
        text = str(abs(value))
    elif isinstance(value, float) and kind is float and math.isfinite(value):
        size = repr(abs(value))
        text = size if "e" in size else f"{size}e0"
    elif isinstance(value, Decimal) and kind is Decimal and _writable_decimal(value):
        text = f"{value.copy_abs():f}"
        if len(text) > MAX_DIGITS:
            raise _bad(which, f"decimals of at most {MAX_DIGITS} digits are accepted")
    else:
        raise _unfit(value, which)
    literal = exp.Literal.number(text)
    negative = value < 0 or (isinstance(value, float) and math.copysign(1, value) < 0)
    return exp.Neg(this=literal) if negative else literal


def _writable_decimal(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) < MAX_DIGITS


def _unfit(value: object, which: str) -> InvalidQuery:
    """Names the kind of value, never the value."""
    if isinstance(value, (list, tuple, set, frozenset)):
        how = "write IN (?, ?, ...), one placeholder for each value"
        return _bad(which, "a placeholder stands for one value, not for several", how)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bad(which, "bytes cannot be bound: columns of bytes cannot be compared here")
    if isinstance(value, (dt.time, dt.timedelta)):
        word = "time of day" if isinstance(value, dt.time) else "duration"
        return _bad(which, f"a {word} cannot be bound: no column of that type can be compared here")
    if isinstance(value, (float, Decimal)):
        return _bad(which, "NaN, infinities and numbers beyond 38 digits cannot be bound")
    return _bad(which, f"a {type(value).__name__} cannot be bound")


def _bad(which: str, why: str, hint: str = "") -> InvalidQuery:
    usual = "None, bool, int, float, Decimal, str, date and datetime can be bound"
    return InvalidQuery(f"parameter {which}: {why}", code="bad-parameter", hint=hint or usual)
