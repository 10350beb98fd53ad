"""The name of a function as the analyst wrote it: sqlglot knows many by a name of its own."""

from __future__ import annotations

import re

from sqlglot import exp

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,60}")
_USUAL: dict[type[exp.Expr], str] = {
    exp.GroupConcat: "string_agg",
    exp.Rand: "random",
    exp.RegexpLike: "matching by a regular expression",
}
"""Where the text does not tell: an operator, or a call whose place the parser did not keep."""


def written(node: exp.Expr, text: str) -> str:
    """The name in lower case: the word of `text` at the node's own place, else the usual one."""
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    start, end = node.meta.get("start"), node.meta.get("end")
    if isinstance(start, int) and isinstance(end, int):
        word = text[start : end + 1]
        if _NAME.fullmatch(word):
            return word.lower()
    if type(node) in _USUAL:
        return _USUAL[type(node)]
    return node.sql_name().lower() if isinstance(node, exp.Func) else str(node.key)
