"""The statement at the cursor: what the grammar wants next, and the tables that it names."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dpsql.shell.scan import Piece, unquoted
from dpsql.shell.vocabulary import KEYWORDS


class Place(enum.Enum):
    """What the grammar wants next."""

    START = "a query"
    TABLE = "a table"
    AFTER_TABLE = "an alias, or what follows a table"
    OPERAND = "a value"
    AFTER_OPERAND = "an operator, or the next clause"
    NOTHING = "a name or number of the analyst's own"


_SELECT = Piece("word", "SELECT")
_ALL = Piece("name", "*")
"""The star of COUNT(*), which is a value; that of a product is none."""

_CLAUSES = {
    **dict.fromkeys(("WHERE", "ON", "USING", "BY", "HAVING", "QUALIFY", "WHEN"), Place.OPERAND),
    **dict.fromkeys(("UNION", "EXCEPT", "INTERSECT", "WITH"), Place.START),
    **dict.fromkeys(("LIMIT", "OFFSET"), Place.NOTHING),
    "JOIN": Place.TABLE,
}

_VALUES = ("NULL", "TRUE", "FALSE", "END", "ASC", "DESC", ")")


@dataclass(slots=True)
class _Frame:
    """One level of parentheses: the clause it is in, the last word in it, whether it selects."""

    place: Place
    last: Piece | None = None
    selects: bool = False


def last_statement(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of the last statement."""
    ends = [index for index, piece in enumerate(pieces) if piece.text == ";"]
    return list(pieces[ends[-1] + 1 :] if ends else pieces)


def first_statement(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.text == ";":
            return
        yield piece


def missing_brackets(solid: Sequence[Piece], rest: Sequence[Piece]) -> list[Piece]:
    """The brackets that are not typed yet: `SELECT SUM(| FROM t` has its FROM outside of them."""
    depth = sum((piece.text == "(") - (piece.text == ")") for piece in (*solid, *rest))
    return [Piece("mark", ")")] * max(0, depth)


def qualifier_of(solid: Sequence[Piece]) -> tuple[str, ...]:
    """The names before a `.` at the cursor: `u.` is ("u",), `main.users.` both."""
    names: list[str] = []
    rest = list(solid)
    while len(rest) > 1 and rest[-1].text == "." and rest[-2].kind in ("word", "name"):
        names.insert(0, unquoted(rest[-2]))
        del rest[-2:]
    return tuple(names)


def place_after(solid: Iterable[Piece]) -> Place:
    """What the grammar wants at the end."""
    wanted = Place.START
    for _, wanted in _walk(solid):  # noqa: B007 - the last one is asked for
        pass
    return wanted


def _walk(solid: Iterable[Piece]) -> Iterator[tuple[Piece, Place]]:
    """Each piece with what may stand after it."""
    frames = [_Frame(Place.START)]
    for piece in solid:
        frame = frames[-1]
        if piece.upper == "(":
            query = _wanted(frame) in (Place.TABLE, Place.START, Place.NOTHING)
            frames.append(_Frame(Place.START if query else Place.OPERAND))
        elif piece.upper == ")":
            frames = frames[:-1] or [_Frame(Place.START)]
            frame = frames[-1]
            options = frame.last is not None and frame.last.upper == "OPTIONS"
            frame.last = _SELECT if options else piece  # OPTIONS(...) stands before the columns
        else:
            _step(frame, piece)
        yield piece, _wanted(frames[-1])


def _step(frame: _Frame, piece: Piece) -> None:
    before, word = frame.last, piece.upper
    product = before is not None and _is_operand(before)
    frame.last = _ALL if word == "*" and not product else piece
    if word == "SELECT":
        frame.place, frame.selects = Place.OPERAND, True
    elif word == "FROM":
        # Not that of EXTRACT(year FROM d), nor that of IS DISTINCT FROM.
        distinct = before is not None and before.upper == "DISTINCT"
        if (frame.selects or frame.place is Place.START) and not distinct:
            frame.place = Place.TABLE
    elif word in _CLAUSES and not (word == "WITH" and frame.selects):
        frame.place = _CLAUSES[word]


def _wanted(frame: _Frame) -> Place:
    """What the frame's clause wants after its last piece."""
    last = frame.last
    word = "" if last is None else last.upper
    if word == "AS":
        return Place.NOTHING
    if frame.place is Place.TABLE:
        return Place.TABLE if word in ("FROM", "JOIN", ",") else Place.AFTER_TABLE
    if frame.place is Place.OPERAND and last is not None and _is_operand(last):
        return Place.AFTER_OPERAND
    return frame.place


def _is_operand(piece: Piece) -> bool:
    """Whether the piece ends a value, so that an operator or a clause follows."""
    if piece.kind == "word":
        return piece.upper in _VALUES or piece.upper not in KEYWORDS
    return piece.kind in ("name", "number", "string") or piece.text in _VALUES


def sources_of(solid: Sequence[Piece]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(alias or last name, full reference) of every table that stands in a FROM, in lower case."""
    wanted, index = Place.START, 0
    steps = list(_walk(solid))
    while index < len(steps):
        piece, after = steps[index]
        if wanted is not Place.TABLE or not _is_name(piece):
            wanted, index = after, index + 1
            continue
        reference, index = _reference(solid, index)
        alias = index + (index < len(solid) and solid[index].upper == "AS")
        named = alias < len(solid) and _is_name(solid[alias])
        yield (unquoted(solid[alias]) if named else reference[-1]), reference
        wanted = Place.AFTER_TABLE


def defined_in(solid: Sequence[Piece]) -> Iterator[str]:
    """The names that WITH gives to queries."""
    for name, word, bracket in zip(solid, solid[1:], solid[2:], strict=False):
        if _is_name(name) and (word.upper, bracket.upper) == ("AS", "("):
            yield name.text


def _reference(solid: Sequence[Piece], index: int) -> tuple[tuple[str, ...], int]:
    """A dotted name that starts at `index`, and the index after it."""
    parts = [unquoted(solid[index])]
    index += 1
    while index + 1 < len(solid) and solid[index].text == "." and _is_name(solid[index + 1]):
        parts.append(unquoted(solid[index + 1]))
        index += 2
    return tuple(parts), index


def _is_name(piece: Piece) -> bool:
    return piece.kind == "name" or (piece.kind == "word" and piece.upper not in KEYWORDS)
