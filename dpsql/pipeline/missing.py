"""Where the analyst wrote what an engine lacks: its writer sees the normal form alone.

The writer is the one table of what there is; it says which node of the normal form it has none of.
That is looked for in the analyst's own text: the same function, operator or cast, and of several
the one with most of the same columns and constants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import exp

from dpsql.dialects.writing import NotThere
from dpsql.errors import RefusedQuery
from dpsql.pipeline.stages import Parsed
from dpsql.sql.caret import build


@contextmanager
def placed(parsed: Parsed) -> Iterator[None]:
    """RefusedQuery with a caret for NotThere; without one where nothing in the text is like it."""
    try:
        yield
    except NotThere as problem:
        place = None if problem.node is None else written_at(problem.node, parsed.root)
        raise build(
            RefusedQuery, parsed.text, place, problem.code, problem.message, problem.hint
        ) from None


def written_at(wanted: exp.Expr, root: exp.Expr) -> exp.Expr | None:
    """The node under `root` that is most like `wanted`; None if none is of its kind."""
    kind, words = _kind(wanted), _words(wanted)
    alike = [node for node in root.find_all(type(wanted), exp.Cast) if _kind(node) == kind]
    return max(alike, key=lambda node: (words & _words(node)).total(), default=None)


def _kind(node: exp.Expr) -> tuple[object, ...]:
    if isinstance(node, exp.Cast):  # TRY_CAST is one, too
        return (exp.Cast, node.to.this)
    if isinstance(node, exp.Anonymous):
        return (exp.Anonymous, str(node.this).casefold())
    return (type(node),)


def _words(node: exp.Expr) -> Counter[str]:
    """Columns and constants in it, without what they are of."""
    return Counter(leaf.name.casefold() for leaf in node.find_all(exp.Column, exp.Literal))
