"""The commands that begin with a backslash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from os.path import expanduser
from typing import TYPE_CHECKING, TypeVar

from dpsql.accuracy.words import confidence
from dpsql.commands.budget import in_words as budget_in_words
from dpsql.commands.ledger_lines import in_words as ledger_in_words
from dpsql.commands.options import BINARY_FORMATS, TEXT_FORMATS
from dpsql.commands.output import grid_lines, note, record_grid
from dpsql.commands.tables import FIELDS, records_of
from dpsql.consistency.families import MODES
from dpsql.core import nearest
from dpsql.core.numbers import read_delta, read_epsilon
from dpsql.core.targets import (
    CONFIDENCE,
    read_confidence,
    read_error,
    read_magnitude,
    written,
)
from dpsql.errors import InterfaceError, InvalidQuery, RefusedQuery
from dpsql.history.filters import Filter
from dpsql.history.lines import lines_of
from dpsql.history.spending import spending
from dpsql.policy.price import allowed_delta, allowed_epsilon
from dpsql.render.numbers import amount
from dpsql.render.text import pairs
from dpsql.report import MAX_QUERIES
from dpsql.shell.completion import Suggestion, suggest
from dpsql.shell.desk import Desk, read_confirm
from dpsql.shell.scan import scan, unquoted
from dpsql.shell.vocabulary import Vocabulary

if TYPE_CHECKING:
    from dpsql.policy import Table

T = TypeVar("T")
FORMATS = (*TEXT_FORMATS, *BINARY_FORMATS)
LEDGER_LINES = 20
KEYS = (
    "A statement ends with ; and Enter. Tab completes, Alt-Enter runs what stands there as it is,",
    "Ctrl-C clears what stands there or cancels the query that runs.",
    "Ctrl-D on an empty line leaves, and so does \\q, within an unfinished statement, too.",
)


class Leave(Exception):  # a way out, no error
    """The analyst wants to leave."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: how it is written, what it does."""

    name: str
    usage: str
    words: str
    run: Callable[[Desk, str], None]


def run(desk: Desk, name: str, argument: str) -> None:
    """Raises our errors, click's UsageError, and `Leave`."""
    entry = _BY_NAME.get(name.casefold())
    if entry is None:
        raise InterfaceError(
            f"there is no command \\{name[:40]}",
            code="unknown-command",
            hint=nearest.hint(
                f"\\{name}",
                [f"\\{one.name}" for one in ENTRIES if one.words],
                "\\h lists the commands",
            ),
        )
    entry.run(desk, argument)


def complete_command(before: str, words: Vocabulary) -> list[Suggestion] | None:
    """Suggestions within a command; None where the text is none."""
    text = before.lstrip()
    if not text.startswith("\\"):
        return None
    name, blank, argument = text.partition(" ")
    if not blank:
        return [
            Suggestion(f"\\{one.name}", len(name), one.words)
            for one in ENTRIES
            if one.words and one.name.startswith(name[1:].casefold())
        ]
    match name[1:].casefold():
        case "explain":
            return suggest(argument, "", words)
        case "d":
            return _beginning(argument, words.tables, "table")
        case "format":
            return _beginning(argument, FORMATS, "format")
        case "post-process":
            return _beginning(argument, MODES, "totals")
    return []


def _beginning(typed: str, known: Iterable[str], about: str) -> list[Suggestion]:
    start = typed.strip().casefold()
    return [
        Suggestion(one, len(typed.lstrip()), about)
        for one in known
        if one.casefold().startswith(start)
    ]


# ---- showing ---------------------------------------------------------------------------------


def _help(desk: Desk, argument: str) -> None:
    rows = [(one.usage, one.words) for one in ENTRIES if one.words]
    lines = [*pairs(rows), "", *KEYS]
    desk.show(lambda style: (style.symbols(line) for line in lines))


def _describe(desk: Desk, argument: str) -> None:
    session = desk.session
    records = [*records_of(session.policy, session.engine.catalog())]
    if argument:
        table = _table_named(argument, session.policy.tables.values())
        records = [record for record in records if record["table"] == table.name]
        grid = record_grid(FIELDS[1:], records)
    else:
        counted = [
            {
                "table": table.name,
                "rows of": "no one (public)" if table.public else f"a {session.policy.unit}",
                "columns": sum(record["table"] == name for record in records),
            }
            for name, table in session.policy.tables.items()
        ]
        grid = record_grid(("table", "rows of", "columns"), counted)
    form = desk.settings.form if desk.settings.form in TEXT_FORMATS else "table"
    desk.show(lambda style: grid_lines(grid, form, style))


def _table_named(text: str, tables: Iterable[Table]) -> Table:
    wanted = tuple(unquoted(piece) for piece in scan(text) if piece.kind in ("word", "name"))
    known = {table.name: table for table in tables}
    for table in known.values():
        parts = tuple(part.casefold() for part in table.parts)
        if parts == wanted[-len(parts) :]:
            return table
    raise InvalidQuery(
        f"there is no table {text[:80]}",
        code="unknown-table",
        hint=nearest.hint(text, known, "\\d lists the tables"),
    )


def _budget(desk: Desk, argument: str) -> None:
    session = desk.session
    report, account = session.budget(), session.account(session.budget_spec)
    total = None if session.total is None else session.account(session.total)
    past = spending(session.ledger, account, session.analyst, MAX_QUERIES, total=total)
    desk.show(lambda style: budget_in_words(report, session.policy, style, past))


def _ledger(desk: Desk, argument: str) -> None:
    """Charges of this analyst, counted by themselves: entry numbers would count other people's."""
    if argument and not (argument.isdecimal() and len(argument) < 10):
        raise InterfaceError(f"\\ledger takes a number, not {argument[:40]}", code="usage")
    last = int(argument or LEDGER_LINES)
    lines = lines_of(desk.session.ledger, wanted=Filter(analyst=desk.session.analyst))
    counted = [replace(line, entry=number) for number, line in enumerate(lines, 1)]
    desk.show(lambda style: ledger_in_words(counted[-last:] if last else counted, style))


def _explain(desk: Desk, argument: str) -> None:
    sql = argument or desk.last
    if sql is None:
        raise InterfaceError(
            "there is no query to explain yet", code="usage", hint="\\explain SELECT ...;"
        )
    desk.explain(sql)


def _timing(desk: Desk, argument: str) -> None:
    raise RefusedQuery(
        "how long a query ran may depend on people's rows, so no time is shown",
        code="timing",
        hint="what is safe to know before running it, \\explain tells",
    )


def _send(desk: Desk, argument: str) -> None:
    """The splitter has sent what was unfinished: there is nothing, or too much was said."""
    if argument:
        raise InterfaceError(
            "\\g takes nothing", code="usage", hint="\\o FILE writes the next answer to a file"
        )
    raise InterfaceError("there is no unfinished statement to send", code="usage")


def _clear(desk: Desk, argument: str) -> None:
    if argument:
        raise InterfaceError("\\r takes nothing", code="usage")
    note("no statement is unfinished now")


def _leave(desk: Desk, argument: str) -> None:
    raise Leave


# ---- settings --------------------------------------------------------------------------------


def _epsilon(desk: Desk, argument: str) -> None:
    policy = desk.session.policy
    desk.settings.epsilon = _read(
        argument,
        desk.settings.epsilon,
        lambda text: allowed_epsilon(policy, read_epsilon(text)),
    )
    if argument and desk.settings.epsilon is not None:  # a price or an error, not both
        desk.settings.aims = replace(desk.settings.aims, error=None)
    _tell("ε", desk.settings.epsilon, desk.session.policy.budgets.per_query.epsilon)


def _error(desk: Desk, argument: str) -> None:
    error = _said(argument, desk.settings.aims.error, read_error)
    desk.settings.aims = replace(desk.settings.aims, error=error)
    if argument and error is not None:
        desk.settings.epsilon = None
    note("next queries at a price, not within an error" if error is None
         else f"next queries within {written(error)}, at the least ε")  # fmt: skip


def _magnitude(desk: Desk, argument: str) -> None:
    magnitude = _said(argument, desk.settings.aims.magnitude, read_magnitude)
    desk.settings.aims = replace(desk.settings.aims, magnitude=magnitude)
    note("percentages take a small paid look first" if magnitude is None
         else f"percentages are of {argument or 'what was said'}")  # fmt: skip


def _confidence(desk: Desk, argument: str) -> None:
    sure = _said(argument, desk.settings.aims.confidence, read_confidence)
    desk.settings.aims = replace(desk.settings.aims, confidence=sure)
    note(f"errors that are asked for hold with {confidence(CONFIDENCE if sure is None else sure)}")


def _post_process(desk: Desk, argument: str) -> None:
    word = argument.casefold()
    if word and word not in (*MODES, "default"):
        raise InterfaceError(
            f"there is no way of adding up called {argument[:40]}",
            code="usage",
            hint=nearest.hint(word, MODES, ", ".join(MODES)),
        )
    if word:
        desk.settings.post_process = None if word == "default" else word
    note(f"totals add up: {desk.settings.post_process or desk.session.post_process}")


def _clip_estimate(desk: Desk, argument: str) -> None:
    word = argument.casefold()
    if word not in ("", "on", "off"):
        raise InterfaceError(f"\\clip-estimate is on or off, not {argument[:40]}", code="usage")
    if word:
        desk.settings.aims = replace(desk.settings.aims, clips=True if word == "on" else None)
    note("a part of each query's ε estimates what clipping moves" if desk.settings.aims.clips
         else "what clipping moves is not estimated")  # fmt: skip


def _max_epsilon(desk: Desk, argument: str) -> None:
    most = _said(argument, desk.settings.aims.max_epsilon, read_epsilon)
    desk.settings.aims = replace(desk.settings.aims, max_epsilon=most)
    note("no query is refused for its price alone" if most is None
         else f"queries above ε = {amount(most)} are refused before any charge")  # fmt: skip


def _said(argument: str, now: T | None, read: Callable[[object], T]) -> T | None:
    """A setting as it will be: nothing said leaves it, `off` or `default` takes it away."""
    if not argument:
        return now
    return None if argument.casefold() in ("off", "default") else read(argument)


def _delta(desk: Desk, argument: str) -> None:
    policy = desk.session.policy
    desk.settings.delta = _read(
        argument, desk.settings.delta, lambda text: allowed_delta(policy, read_delta(text))
    )
    _tell("δ", desk.settings.delta, desk.session.policy.budgets.per_query.delta)


def _read(argument: str, now: str | None, check: Callable[[object], Fraction]) -> str | None:
    """The setting as it will be: nothing said leaves it, `default` takes it away."""
    if not argument:
        return now
    if argument.casefold() == "default":
        return None
    check(argument)
    return argument


def _tell(symbol: str, own: str | None, usual: Fraction | None) -> None:
    if own is None:
        none = "what each names: the policy has no default"
        own = none if usual is None else f"{amount(usual)}, the policy's default"
    note(f"next queries at {symbol} = {own}")


def _confirm(desk: Desk, argument: str) -> None:
    if argument:
        desk.settings.confirm = read_confirm(argument)
    limit = desk.limit()
    note(
        "asks before no query"
        if limit is None
        else f"asks before a query above ε = {amount(limit)}"
        + (", or of more than a quarter of what is left" if desk.heeds_left() else "")
    )


def _format(desk: Desk, argument: str) -> None:
    form = argument.casefold()
    if form and form not in FORMATS:
        raise InterfaceError(
            f"there is no format {argument[:40]}",
            code="usage",
            hint=nearest.hint(form, FORMATS, ", ".join(FORMATS)),
        )
    desk.settings.form = form or desk.settings.form
    note(f"format {desk.settings.form}")


def _output(desk: Desk, argument: str) -> None:
    if not argument:
        desk.settings.file = None
        note("the next answer comes here")
        return
    file = expanduser(argument)
    desk.checked_file(file)
    desk.settings.file = file
    note(f"the next answer goes to {file}")


ENTRIES = (
    Entry("d", "\\d [TABLE]", "the tables, or the columns of one", _describe),
    Entry("explain", "\\explain [QUERY;]", "cost and expected error of a query, or of the"
          " last; charges nothing", _explain),
    Entry("budget", "\\budget", "what is spent and what is left", _budget),
    Entry("ledger", "\\ledger [N]", f"your last {LEDGER_LINES} charges, or N; 0 for all", _ledger),
    Entry("epsilon", "\\epsilon [E|default]", "the price ε of each of the next queries", _epsilon),
    Entry("delta", "\\delta [D|default]", "its δ", _delta),
    Entry("error", "\\error [E|E%|COLUMN=E, ...|off]", "in place of a price: the error that"
          " will do", _error),
    Entry("confidence", "\\confidence [P|default]", "how surely it holds: 0.95, 90%", _confidence),
    Entry("magnitude", "\\magnitude [M|COLUMN=M, ...|off]", "of what an error in % is meant",
          _magnitude),
    Entry("maxepsilon", "\\maxepsilon [E|off]", "refuse what would cost more", _max_epsilon),
    Entry("clip-estimate", "\\clip-estimate [on|off]", "from the same ε, how many rows lie outside"
          " their ranges", _clip_estimate),
    Entry("confirm", "\\confirm [E|off|default]", "ask before a query that costs more than ε = E;"
          " default: more than usual, or a quarter of what is left", _confirm),
    Entry("post-process", "\\post-process [WORD|default]", f"how totals add up: {', '.join(MODES)}",
          _post_process),
    Entry("format", "\\format [NAME]", ", ".join(FORMATS), _format),
    Entry("o", "\\o [FILE]", "write the next answer to FILE; its ending names the format", _output),
    Entry("g", "\\g", "send the unfinished statement, as ; does", _send),
    Entry("r", "\\r", "clear the unfinished statement", _clear),
    Entry("h", "\\h", "this help", _help),
    Entry("q", "\\q", "leave", _leave),
    Entry("timing", "\\timing", "", _timing),
)  # fmt: skip

_BY_NAME = {entry.name: entry for entry in ENTRIES} | {
    alias: entry
    for entry in ENTRIES
    for alias in {"h": ("help", "?"), "q": ("quit", "exit")}.get(entry.name, ())
}
