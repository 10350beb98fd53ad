"""What may stand at the cursor: tables after FROM, columns of the statement's tables elsewhere."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpsql.shell.scan import Piece, scan, unquoted
from dpsql.shell.vocabulary import (
    AFTER_OPERAND,
    AFTER_TABLE,
    KEYWORDS,
    OPERANDS,
    START,
    Vocabulary,
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` replaces the last `length` characters before the cursor; `about` says what it is."""

    text: str
    length: int
    about: str


class Place(enum.Enum):
    """What the grammar wants next."""

    START = "a query"
    TABLE = "a table"
    AFTER_TABLE = "an alias, or what follows a table"
    OPERAND = "a value"
    AFTER_OPERAND = "an operator, or the next clause"
    NOTHING = "a name or number of the analyst's own"


@dataclass(slots=True)
class _Frame:
    """One level of parentheses: the clause it is in, the last word in it, whether it selects."""

    place: Place
    last: Piece | None = None
    selects: bool = False


def suggest(before: str, after: str, words: Vocabulary, *, asked: bool = True) -> list[Suggestion]:
    """Suggestions for the cursor between `before` and `after`, the likeliest first.

    `asked` False (the analyst merely types): none where everything would fit.
    """
    pieces = _statement(scan(before))
    if pieces and pieces[-1].open and pieces[-1].kind != "name":
        return []
    typed = pieces.pop().text if pieces and _names(pieces[-1]) else ""
    solid = [piece for piece in pieces if piece.kind not in ("space", "comment")]
    rest = [piece for piece in _first(scan(after)) if piece.kind not in ("space", "comment")]
    whole = [*solid, *_closing(solid, rest), *rest]
    qualifier = _qualifier(solid)
    if qualifier:
        solid = solid[: -2 * len(qualifier)]
    if _numeric(pieces):
        return []
    place = _place(solid)
    found = _fitting(place, qualifier, whole, words, bare=not typed and not asked)
    return [Suggestion(s, len(typed), about) for s, about in _matching(typed, found)]


def _fitting(
    place: Place,
    qualifier: tuple[str, ...],
    whole: Sequence[Piece],
    words: Vocabulary,
    *,
    bare: bool,
) -> Iterator[tuple[str, str]]:
    """(text, about) of all that fits the place."""
    if place is Place.TABLE:
        yield from ((name, "table") for name in _defined(whole) if not qualifier)
        yield from _tables(qualifier, words)
        return
    sources = dict(_sources(whole))
    if qualifier:
        reference = sources.get(qualifier[-1], qualifier)
        columns = words.find(reference)
        yield from columns.types.items() if columns else ()
        return
    if bare:
        return
    match place:
        case Place.START:
            yield from _keywords(START)
        case Place.AFTER_TABLE:
            yield from _keywords(AFTER_TABLE)
        case Place.AFTER_OPERAND:
            yield from _keywords(AFTER_OPERAND)
        case Place.OPERAND:
            yield from _columns(sources, words)
            yield from ((alias, "table") for alias in sources)
            yield from words.functions.items()
            yield from _keywords(OPERANDS)


def _columns(
    sources: Mapping[str, tuple[str, ...]], words: Vocabulary
) -> Iterator[tuple[str, str]]:
    """Columns of the statement's tables, or of all where it names none yet."""
    tables = [found for name in sources.values() if (found := words.find(name)) is not None]
    seen: set[str] = set()
    for table in tables or words.tables.values():
        for column, kind in table.types.items():
            if column not in seen:
                seen.add(column)
                yield column, kind


def _tables(qualifier: tuple[str, ...], words: Vocabulary) -> Iterator[tuple[str, str]]:
    for written, table in words.tables.items():
        if not qualifier:
            yield written, "table"
        elif table.parts[:-1] == qualifier:
            yield written.rpartition(".")[2], "table"


def _keywords(phrases: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((phrase, "keyword") for phrase in phrases)


def _matching(typed: str, found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Those that begin as typed; keywords and functions in the case that was typed."""
    start = typed.lstrip('"').casefold()
    seen: set[str] = set()
    for text, about in found:
        if not text.lstrip('"').casefold().startswith(start) or text in seen:
            continue
        seen.add(text)
        ours = about in ("keyword", "function", "aggregate", "over answers")
        yield (text.lower() if ours and typed and typed == typed.lower() else text), about


# ---- reading the statement -------------------------------------------------------------------


def _names(piece: Piece) -> bool:
    return piece.kind == "word" or (piece.kind == "name" and piece.open)


def _statement(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of the last statement."""
    ends = [index for index, piece in enumerate(pieces) if piece.text == ";"]
    return list(pieces[ends[-1] + 1 :] if ends else pieces)


def _first(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.text == ";":
            return
        yield piece


def _closing(solid: Sequence[Piece], rest: Sequence[Piece]) -> list[Piece]:
    """The brackets that are not typed yet: `SELECT SUM(| FROM t` has its FROM outside of them."""
    depth = sum((piece.text == "(") - (piece.text == ")") for piece in (*solid, *rest))
    return [Piece("mark", ")")] * max(0, depth)


def _qualifier(solid: Sequence[Piece]) -> tuple[str, ...]:
    """The names before a `.` at the cursor: `u.` is ("u",), `main.users.` both."""
    names: list[str] = []
    rest = list(solid)
    while len(rest) > 1 and rest[-1].text == "." and rest[-2].kind in ("word", "name"):
        names.insert(0, unquoted(rest[-2]))
        del rest[-2:]
    return tuple(names)


def _numeric(pieces: Sequence[Piece]) -> bool:
    return bool(pieces) and pieces[-1].kind == "number"


def _place(solid: Iterable[Piece]) -> Place:
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


_SELECT = Piece("word", "SELECT")
_ALL = Piece("name", "*")
"""The star of COUNT(*), which is a value; that of a product is none."""

_CLAUSES = {
    **dict.fromkeys(("WHERE", "ON", "USING", "BY", "HAVING", "QUALIFY", "WHEN"), Place.OPERAND),
    **dict.fromkeys(("UNION", "EXCEPT", "INTERSECT", "WITH"), Place.START),
    **dict.fromkeys(("LIMIT", "OFFSET"), Place.NOTHING),
    "JOIN": Place.TABLE,
}


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


_VALUES = ("NULL", "TRUE", "FALSE", "END", "ASC", "DESC", ")")


def _is_operand(piece: Piece) -> bool:
    """Whether the piece ends a value, so that an operator or a clause follows."""
    if piece.kind == "word":
        return piece.upper in _VALUES or piece.upper not in KEYWORDS
    return piece.kind in ("name", "number", "string") or piece.text in _VALUES


def _sources(solid: Sequence[Piece]) -> Iterator[tuple[str, tuple[str, ...]]]:
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


def _defined(solid: Sequence[Piece]) -> Iterator[str]:
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
