"""`--param` values: text of the shell turned into typed values of the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import click

_NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d{1,3})?\Z", re.ASCII)
MAX_DIGITS = 1_000
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


def read_params(params: Sequence[str]) -> Sequence[object] | Mapping[str, object] | None:
    """A list for `?`, a mapping for `:name`; None without any. UsageError if they are mixed."""
    named = [_NAMED.match(param) for param in params]
    if not params:
        return None
    if not any(named):
        return [read_value(param) for param in params]
    pairs = [match.groups() for match in named if match is not None]
    if len(pairs) < len(params):
        raise click.UsageError("--param: either all values have a name, or none has")
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise click.UsageError("--param: a name is given twice")
    return {name: read_value(text) for name, text in pairs}


def read_value(text: str) -> object:
    """A whole or decimal number, true, false, null; else text, for which 'quotes' are optional."""
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    if len(text) > MAX_DIGITS and (_INTEGER.match(text) or _DECIMAL.match(text)):
        raise click.UsageError("--param: a number of too many digits")
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return Decimal(text)
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
