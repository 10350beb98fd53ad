"""Calls of PostgreSQL's own functions: pg_catalog.word(...), default deny."""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import is_text
from dpsql.certify.foreign_shapes import Read, bare
from dpsql.certify.postgres_text import match
from dpsql.certify.postgres_words import CALLS, FORMATS, NAMES

_D = exp.DType


def call(node: exp.Expr, read: Read) -> exp.Expr:
    """pg_catalog.word(...)."""
    schema, called = node.this, node.args["expression"]
    require(
        isinstance(schema, exp.Identifier)
        and schema.this == "pg_catalog"
        and isinstance(called, exp.Anonymous),
        "functions are PostgreSQL's own",
    )
    word, parts = str(called.this).lower(), list(called.expressions)
    if word in ("hashint8extended", "hashtextextended"):
        return _hash(node, read)
    if word == "date_part":
        require(is_text(parts[0]), "a part is a constant")
        args = [parts[0].copy(), read(parts[1])]
        return exp.Anonymous(this="DATE_PART", expressions=args)
    if word == "date_trunc":
        require(is_text(parts[0]), "a unit is a constant")
        unit = exp.Var(this=str(parts[0].this).upper())
        return exp.TimestampTrunc(this=read(parts[1]), unit=unit)
    if word == "to_char":
        return _stamp(parts, read)
    built = CALLS.get((word, len(parts)))
    if built is None:
        refuse("a function is not on the list")
    return built([read(part) for part in parts])


def _stamp(parts: list[exp.Expr], read: Read) -> exp.Expr:
    require(len(parts) == 2 and is_text(parts[1]), "a format is a constant")
    form, value = str(parts[1].this), read(parts[0])
    if form in NAMES:
        return NAMES[form](this=value)
    shown, rest = "", form
    while rest:
        piece = re.match(r'"([^"\\%]*)"|(FM)?[A-Za-z0-9]+', rest)
        if piece is None:
            refuse("a format is a known one")
        text = piece.group()
        if text.startswith('"'):
            shown += piece.group(1)
        else:
            text = next((one for one in FORMATS if rest.startswith(one)), "")
            require(bool(text), "a format is a known one")
            shown += FORMATS[text]
        rest = rest[len(text) :]
    return exp.TimeToStr(this=value, format=exp.Literal.string(shown))


def _hash(node: exp.Expr, read: Read) -> exp.Expr:
    """A chain of hashes, each the seed of the next, as one hash of all that was hashed.

    It ends in the salt, or in the salt's own hash with seed 0: then the salt stands first.
    """
    parts: list[exp.Expr] = []
    first = None
    while True:
        node = bare(node)
        if isinstance(node, exp.Cast):
            break
        require(isinstance(node, exp.Dot), "hashes are chained")
        called = node.args["expression"]
        word, (value, seed) = str(called.this).lower(), called.expressions
        if word == "hashint8extended" and match("CAST('0' AS BIGINT)", seed) is not None:
            first = _salt(value)
            break
        found = match("COALESCE(_x, 0)", value)
        if word == "hashtextextended":
            found = match("COALESCE(CAST(_x AS TEXT), '') COLLATE \"C\"", value)
        elif word != "hashint8extended":
            refuse("a function is not on the list")
        if found is None:
            refuse("what is hashed is there")
        parts.insert(0, read(found["_x"]))
        node = seed
    parts = [first, *parts] if first is not None else [*parts, _salt(node)]
    inner = exp.Anonymous(this="HASH", expressions=parts)
    return exp.Anonymous(this="HASH", expressions=[inner])


def _salt(node: exp.Expr) -> exp.Expr:
    node = bare(node)
    big = isinstance(node, exp.Cast) and node.to.this is _D.BIGINT and is_text(node.this)
    require(big and re.fullmatch("-?[0-9]{1,19}", node.this.name) is not None, "a salt")
    number = exp.Literal.string(str(int(node.this.name) % 2**64))
    return exp.Cast(this=number, to=exp.DataType(this=_D.UBIGINT))
