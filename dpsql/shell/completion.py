"""What may stand at the cursor: tables after FROM, columns of the statement's tables elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpsql.shell.place import (
    Place,
    defined_in,
    first_statement,
    last_statement,
    missing_brackets,
    place_after,
    qualifier_of,
    sources_of,
)
from dpsql.shell.scan import Piece, scan
from dpsql.shell.vocabulary import (
    AFTER_OPERAND,
    AFTER_TABLE,
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


def suggest(before: str, after: str, words: Vocabulary, *, asked: bool = True) -> list[Suggestion]:
    """Suggestions for the cursor between `before` and `after`, the likeliest first.

    `asked` False (the analyst merely types): none where everything would fit.
    """
    pieces = last_statement(scan(before))
    if pieces and pieces[-1].open and pieces[-1].kind != "name":
        return []
    typed = pieces.pop().text if pieces and _names(pieces[-1]) else ""
    solid = [piece for piece in pieces if piece.kind not in ("space", "comment")]
    rest = [
        piece for piece in first_statement(scan(after)) if piece.kind not in ("space", "comment")
    ]
    whole = [*solid, *missing_brackets(solid, rest), *rest]
    qualifier = qualifier_of(solid)
    if qualifier:
        solid = solid[: -2 * len(qualifier)]
    if _numeric(pieces):
        return []
    place = place_after(solid)
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
        yield from ((name, "table") for name in defined_in(whole) if not qualifier)
        yield from _tables(qualifier, words)
        return
    sources = dict(sources_of(whole))
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


def _names(piece: Piece) -> bool:
    return piece.kind == "word" or (piece.kind == "name" and piece.open)


def _numeric(pieces: Sequence[Piece]) -> bool:
    return bool(pieces) and pieces[-1].kind == "number"
