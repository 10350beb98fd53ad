"""GoogleSQL's privacy words and positional parameters, read from the tokens before parsing.

    SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5, ...) ...
    SELECT WITH ERROR 5 PERCENT CONFIDENCE 95 PERCENT ...
    SUM(x, contribution_bounds_per_row => (0, 100))
    WHERE age > ?

They are taken out of the token stream, so that any of sqlglot's parsers (compiled or not) reads
the rest, and are hung on the nodes they belong to afterwards: options as an `exp.Hint` with
`meta["privacy"]` on the SELECT, named arguments as `meta["named"]` on the aggregate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import Token, TokenType, exp

from dpsql.sql.error_phrase import error_phrase

_MARK = "dpsql:options"
# Elsewhere a named argument would be dropped unseen, so it counts as misplaced.
_WITH_BOUNDS = (
    exp.Count,
    exp.CountIf,
    exp.Sum,
    exp.Avg,
    exp.Variance,
    exp.VariancePop,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.CovarPop,
    exp.CovarSamp,
    exp.Corr,
    *(exp.RegrSlope, exp.RegrIntercept, exp.RegrR2, exp.RegrCount),
    *(exp.RegrAvgx, exp.RegrAvgy, exp.RegrSxx, exp.RegrSyy, exp.RegrSxy),
    *(exp.Median, exp.PercentileCont, exp.PercentileDisc, exp.Quantile),
    *(exp.ApproxQuantile, exp.ApproxQuantiles, exp.Min, exp.Max),
)

# sqlglot leaves these without their place in the text, in some dialects.
_UNPLACED = (
    *(exp.PercentileCont, exp.PercentileDisc, exp.Quantile, exp.ApproxQuantile),
    *(exp.Min, exp.Max),
)

ReadExpression = Callable[[str], exp.Expr]
"""Parses the text of one expression."""


@dataclass
class Clauses:
    """What was taken out, by the position (start offset) of the token it belongs to."""

    options: dict[int, str] = field(default_factory=dict)
    """SELECT → text between the parentheses of OPTIONS(...)."""
    named: dict[int, dict[str, str]] = field(default_factory=dict)
    """Function name → its named arguments' texts."""
    parameters: set[int] = field(default_factory=set)
    """Positions of `?`."""
    calls: dict[int, Token] = field(default_factory=dict)
    """What stands behind an open parenthesis → the token before it."""


def take_out(tokens: Sequence[Token], text: str) -> tuple[list[Token], Clauses]:
    """The tokens less the clauses. A mark stands as first projection where options were."""
    kept: list[Token] = []
    clauses = Clauses()
    calls: list[int] = []  # position of the token before each open parenthesis
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if _opens_options(tokens, index):
            index = _take_options(tokens, index, text, kept, clauses)
            continue
        if (phrase := error_phrase(tokens, index)) is not None:
            index = _mark_options(tokens, *phrase, token, kept, clauses)
            continue
        if token.token_type == TokenType.L_PAREN:
            calls.append(kept[-1].start if kept else -1)
            if kept and index + 1 < len(tokens):
                clauses.calls[tokens[index + 1].start] = kept[-1]
        elif token.token_type == TokenType.R_PAREN and calls:
            calls.pop()
        elif token.token_type == TokenType.PLACEHOLDER:
            clauses.parameters.add(token.start)
            token = _string(f"?{token.start}", token)
        elif calls and _opens_named(tokens, index):
            end = _argument_end(tokens, index + 3)
            value = text[tokens[index + 3].start : tokens[end - 1].end + 1]
            name = tokens[index + 1].text.lower()
            clauses.named.setdefault(calls[-1], {})[name] = value
            index = end
            continue
        kept.append(token)
        index += 1
    return kept, clauses


def put_back(root: exp.Expr, clauses: Clauses, read: ReadExpression) -> exp.Expr | None:
    """Hang the clauses on their nodes. Returns a node that holds a misplaced one, or None."""
    left = Clauses(dict(clauses.options), dict(clauses.named), set(clauses.parameters))
    nodes = list(root.walk())
    _place(nodes, clauses.calls)
    for node in nodes:
        start = node.meta.get("start") if node.meta else None
        if isinstance(node, exp.Select):
            _put_options(node, left, read)
        if isinstance(node, exp.Var):
            _put_unit(node, left)
        if start is None:
            continue
        if start in left.parameters and isinstance(node, exp.Literal):
            left.parameters.discard(start)
            placeholder = exp.Placeholder()
            placeholder.update_positions(node)
            node.replace(placeholder)
        elif start in left.named and isinstance(node, _WITH_BOUNDS):
            arguments = left.named.pop(start)
            node.meta["named"] = {name: read(value) for name, value in arguments.items()}
    return root if left.options or left.named or left.parameters else None


def _put_unit(node: exp.Var, left: Clauses) -> None:
    """`date_trunc(?, x)`: the parser makes a word of the mark, without its place."""
    mark = str(node.this)
    start = int(mark[1:]) if mark[:1] == "?" and mark[1:].isdecimal() else -1
    if start in left.parameters:
        left.parameters.discard(start)
        placeholder = exp.Placeholder()
        placeholder.meta.update(start=start, end=start)
        node.replace(placeholder)


def _place(nodes: Sequence[exp.Expr], calls: Mapping[int, Token]) -> None:
    """Positions of calls that have none, inner ones first: from that of their first argument."""
    for node in reversed(nodes):
        if isinstance(node, _UNPLACED) and "start" not in node.meta:
            starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
            if starts and (name := calls.get(min(starts))) is not None:
                node.update_positions(name)


def _put_options(node: exp.Select, left: Clauses, read: ReadExpression) -> None:
    first = node.expressions[0] if node.expressions else None
    if not isinstance(first, exp.Literal) or first.this != _MARK:
        return
    text = left.options.pop(first.meta.get("start", -1), None)
    if text is None:
        return
    node.set("expressions", node.expressions[1:])
    hint = exp.Hint(expressions=[])
    tuple_ = read(f"({text},)") if text.strip() else exp.Tuple(expressions=[])
    hint.meta["privacy"] = [part for part in tuple_.expressions if not isinstance(part, exp.Null)]
    node.set("hint", hint)


# ---- tokens ----------------------------------------------------------------------------------


def _opens_options(tokens: Sequence[Token], index: int) -> bool:
    return (
        index + 2 < len(tokens)
        and tokens[index].token_type == TokenType.SELECT
        and tokens[index + 1].token_type == TokenType.WITH
        and tokens[index + 2].text.upper() == "DIFFERENTIAL_PRIVACY"
    )


def _take_options(
    tokens: Sequence[Token], index: int, text: str, kept: list[Token], clauses: Clauses
) -> int:
    select = tokens[index]
    kept.append(select)
    at, inside = index + 3, ""
    if (
        at + 1 < len(tokens)
        and tokens[at].text.upper() == "OPTIONS"
        and tokens[at + 1].token_type == TokenType.L_PAREN
    ):
        end = _closing(tokens, at + 1)
        inside = text[tokens[at + 1].end + 1 : tokens[end].start] if end < len(tokens) else ""
        at = end + 1
    return _mark_options(tokens, at, inside, select, kept, clauses)


def _mark_options(
    tokens: Sequence[Token],
    at: int,
    inside: str,
    select: Token,
    kept: list[Token],
    clauses: Clauses,
) -> int:
    """A mark as the first projection; DISTINCT stays before it. Where to read on."""
    if not kept or kept[-1] is not select:
        kept.append(select)
    while at < len(tokens) and tokens[at].token_type in (TokenType.DISTINCT, TokenType.ALL):
        kept.append(tokens[at])
        at += 1
    clauses.options[select.start] = inside
    kept.append(_string(_MARK, select))
    kept.append(Token(TokenType.COMMA, ",", select.line, select.col, select.start, select.start))
    return at


def _opens_named(tokens: Sequence[Token], index: int) -> bool:
    """`, name => ...`"""
    return (
        index + 3 < len(tokens)
        and tokens[index].token_type == TokenType.COMMA
        and tokens[index + 2].token_type == TokenType.FARROW
    )


def _argument_end(tokens: Sequence[Token], index: int) -> int:
    """Index of the comma or parenthesis that ends the argument starting at `index`."""
    depth = 0
    while index < len(tokens):
        kind = tokens[index].token_type
        if depth == 0 and kind in (TokenType.COMMA, TokenType.R_PAREN):
            return index
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        index += 1
    return index


def _closing(tokens: Sequence[Token], index: int) -> int:
    """Index of the parenthesis that closes the one at `index` (len(tokens) if none)."""
    depth = 0
    while index < len(tokens):
        kind = tokens[index].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth == 0:
            return index
        index += 1
    return index


def _string(text: str, at: Token) -> Token:
    return Token(TokenType.STRING, text, at.line, at.col, at.start, at.end)
