"""`dpsql init`'s questions, on a terminal. Each is asked again until its answer can be read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from dpsql.commands.output import note
from dpsql.core.domain import Kind
from dpsql.errors import Error, InterfaceError
from dpsql.render.terminal import style_of
from dpsql.render.text import printable, wrapped
from dpsql.setup import names
from dpsql.setup.budgets import DELTA, EPSILON, meaning, propose, short_meaning
from dpsql.setup.columns import Ranges, identifiers, rangeable
from dpsql.setup.draft import BudgetDraft, ColumnDraft, TableDraft
from dpsql.setup.files import Columns, Keys
from dpsql.setup.flags import key_columns, reference, unit_text
from dpsql.setup.guessed_keys import propose_primary, propose_references
from dpsql.setup.paths import Way, unit_candidates, ways
from dpsql.setup.shape import Shape
from dpsql.setup.typed import read_range, read_values

T = TypeVar("T")


def ask(question: str, read: Callable[[str], T], *, default: str = "") -> T:
    """One line of the owner's, read; an Error's own words and hint, and once more.

    The default '' is an empty answer and not shown.
    """
    while True:
        text = click.prompt(
            style_of(sys.stderr).symbols(question),
            default=default,
            show_default=bool(default),
            err=True,
        )
        try:
            return read(str(text).strip())
        except Error as problem:
            say(f"{problem.message}. {problem.hint}".rstrip(". "), indent="    ")


def say(text: str, *, indent: str = "") -> None:
    """A paragraph on stderr."""
    style = style_of(sys.stderr)
    note(wrapped(text, min(style.width, 100) - 2, indent=indent))


def heading(text: str) -> None:
    note("")
    note(style_of(sys.stderr).paint(text, "bold"))


# ---- files -----------------------------------------------------------------------------------


def names_confirmed() -> bool:
    """Whether the names just shown are names: a row of data among them would be given away."""
    return click.confirm("Are these the columns' names, and no row of data?", err=True)


def keys_of_files(columns: Columns, given: Keys) -> Keys:
    """Primary keys and references; what flags named is not asked again."""
    heading("Keys")
    say(
        "The tables are loaded into a DuckDB file that enforces the keys you confirm. With a key "
        "per person, and foreign keys that lead to it, answers have less noise."
    )
    guessed = propose_primary(columns)
    primary = dict(given.primary)
    for table, types in columns.items():
        if table in primary:
            continue
        note(f"  {table}: {', '.join(f'{name} {kind}' for name, kind in types.items())}")
        primary[table] = ask(
            f"  key of {table} (columns with commas, - for none)",
            lambda text, table=table: key_columns(columns, table, text, flag="key"),  # type: ignore[misc]
            default=", ".join(guessed.get(table, ())) or "-",
        )
    primary = {table: key for table, key in primary.items() if key}
    references = list(given.references)
    for one in propose_references(columns, primary):
        known = any((r.table, r.column) == (one.table, one.column) for r in references)
        if not known and click.confirm(f"  {one}: a foreign key?", default=True, err=True):
            references.append(one)
    while True:
        more = ask(
            "  another foreign key, as visits.person_id=persons.person_id (Enter: none)",
            lambda text: reference(columns, text, flag="foreign key") if text else None,
        )
        if more is None:
            return Keys(primary, tuple(references))
        references.append(more)


# ---- the unit and the tables -----------------------------------------------------------------


def unit(shape: Shape) -> tuple[str, str]:
    """Table and column that say who is protected."""
    heading("Who is protected?")
    say(
        "Name the column that holds the id of a person (or household, or firm), best in the table "
        "with one row each. All rows that lead to it are protected together."
    )
    candidates = unit_candidates(shape.catalog)
    for number, (table, column) in enumerate(candidates[:9], 1):
        reach = ways(shape.catalog, table, column)
        others = [key for key, way in reach.items() if way.steps and key != table]
        led = f"foreign keys lead here from {', '.join(others)}" if others else "a key"
        note(f"  {number}  {printable(f'{table}.{column}')}: {printable(led)}")
    if not candidates:
        note(
            f"  the database enforces no key; columns: {printable(', '.join(shape.places()[:40]))}"
        )

    def read(text: str) -> tuple[str, str]:
        if not text:
            raise InterfaceError(
                "an answer is needed here",
                hint="one of the numbers above, or table.column, such as persons.id"
                if candidates
                else "table.column, such as persons.id: the column of their id",
            )
        if text.isdecimal() and 1 <= int(text) <= len(candidates):
            return candidates[int(text) - 1]
        return shape.place(text, flag="unit")

    return ask("unit (number or table.column)", read)


def unit_word(table: str, column: str) -> str:
    return ask("one of them is called", lambda text: text, default=names.unit_word(table, column))


def tables(shape: Shape, found: Mapping[str, Way], word: str) -> dict[str, str]:
    """What to do with tables that no single way of foreign keys leads to the unit."""
    if not found:
        return {}
    heading(f"Tables without a way to the {word}")
    say(
        "`omit`: it does not exist for analysts. `public`: about no one, read exactly. Or the "
        f"column that holds the {word}'s id, or COLUMN -> table.key."
    )
    said = {}
    for key, way in found.items():
        if way.steps:
            note(f"  {key} leads there by {' or by '.join(way.steps)}")
        elif way.named:
            note(f"  {key} has no foreign key there; {', '.join(way.named)} is called so")
        else:
            note(f"  {key}: {printable(', '.join(shape.tables[key].columns))}")
        said[key] = ask(
            f"  {key}",
            lambda text, key=key: unit_text(shape, key, text, flag="table"),  # type: ignore[misc]
            default="omit",
        )
    return said


# ---- ranges and values -----------------------------------------------------------------------


def how_ranges() -> tuple[Ranges, str | None]:
    """Where ranges come from, and the ε of a private scan if it is to find them."""
    heading("Ranges and values")
    say(
        "A sum clamps each value to its column's range; noise is as wide. Give what you know, "
        "never what you look up: the largest value is somebody's. Listed values are groups that "
        "always show."
    )
    note("  a  ask me, column by column")
    note("  t  take what types and CHECKs in the schema say")
    note("  p  find ranges by a private scan, paid for with ε")

    def read(text: str) -> str:
        if text not in ("a", "t", "p"):
            raise InterfaceError(f"{text!r} is none of a, t, p", hint="answer with one letter")
        return text

    answer = ask("ranges", read, default="a")
    if answer == "p":
        epsilon = ask(
            "ε of the whole scan",
            lambda text: _tried(text, propose(owner=("owner", text))),
            default="1",
        )
        return "none", epsilon
    return ("ask" if answer == "a" else "from-types"), None


def columns(shape: Shape, drafts: Mapping[str, TableDraft]) -> dict[tuple[str, str], ColumnDraft]:
    """Ranges and values of the columns about which nothing is known, table by table."""
    note("")
    say(
        "MIN..MAX for numbers and dates, a,b,c for text, `hide`, Enter to leave it out, and "
        "a full stop for the next table."
    )
    said: dict[tuple[str, str], ColumnDraft] = {}
    for key, draft in drafts.items():
        if draft.state != "private":
            continue
        ids = identifiers(shape, key, draft.unit)
        settled = {column.name for column in draft.columns if column.written}
        for name, column in shape.tables[key].columns.items():
            text_kind = column.type.kind is Kind.TEXT
            if name in ids or name in settled or not (text_kind or rangeable(column)):
                continue

            def read(text: str, column: object = column, key: str = key) -> ColumnDraft | str:
                return _column(shape, key, str(getattr(column, "name", "")), text)

            answer = ask(f"  {key}.{name} ({column.type_text})", read)
            if answer == ".":
                break
            if isinstance(answer, ColumnDraft):
                said[(key, name)] = answer
    return said


def _column(shape: Shape, key: str, name: str, text: str) -> ColumnDraft | str:
    column = shape.tables[key].columns[name]
    plain = ColumnDraft(name, column.type_text)
    if text in ("", "."):
        return text
    if text == "hide":
        return ColumnDraft(name, column.type_text, hidden=True)
    if column.type.kind is Kind.TEXT or (column.type.kind is Kind.INTEGER and ".." not in text):
        values = read_values(text, column.type, what=name)
        return ColumnDraft(plain.name, plain.type_text, values=values)
    ends = read_range(text, column.type, what=name)
    return ColumnDraft(plain.name, plain.type_text, range=ends)


# ---- bounds and budgets ----------------------------------------------------------------------


def bounds(word: str, groups: int | None, rows: int | None) -> tuple[int, int]:
    """`max_groups` and `max_rows_per_group`, for tables with many rows of a unit."""
    heading(f"How much of one {word} counts")
    say(f"Noise grows with both. Choose what most {word}s keep to; what lies beyond is left out.")

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise InterfaceError(f"{text!r} is no whole number from 1", hint="such as 3")
        return int(text)

    if groups is None:
        groups = ask(f"groups one {word} may be in", read, default="3")
    if rows is None:
        rows = ask(f"rows of one {word} that count in one group", read, default="5")
    return groups, rows


def budgets(word: str, owner: tuple[str, str] | None) -> BudgetDraft:
    """One analyst's ε, all analysts' ε and δ, with what they mean."""
    heading("Budgets")
    say(
        f"ε is how much answers may tell about one {word}, over all questions. "
        f"{meaning(EPSILON)}. In short:"
    )
    for value in ("0.5", "2", "5"):
        note(style_of(sys.stderr).symbols(f"  {short_meaning(value)}"))
    each = ask("ε of each analyst", lambda text: _tried(text, propose(text)), default=EPSILON)
    total = ask(
        "ε of all together, if they collude",
        lambda text: _tried(text, propose(each, DELTA, text, owner)),
        default=propose(each, DELTA, None, owner).total[0],
    )
    say(f"δ is the chance that this fails: keep it far below 1 / the number of {word}s.")
    return ask("δ of each analyst", lambda text: propose(each, text, total, owner), default=DELTA)


def _tried(text: str, _: object) -> str:
    """The text, after something that takes it was made of it."""
    return text
