"""`dpsql audit`: the engine attacked with invented people, on the owner's policy."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import format_option, policy_option, price_options
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.commands.words import Word
from dpsql.errors import InterfaceError

if TYPE_CHECKING:
    from dpsql.audit.run import Claim, Finding, Method
    from dpsql.policy import Policy
    from dpsql.render.terminal import Style

FIELDS = (
    *("table", "question", "of", "claimed", "measured", "visible", "canary", "blocks", "problem"),
)
GROSS = 2
"""An excess by more than that factor is called so."""
DEFAULT = Fraction(1), Fraction(1, 10**6)
SAID_NO = 1


@click.command("audit")
@click.option("--table", "tables", metavar="T", multiple=True, help="Only this one; repeatable.")
@click.option(
    "--ask", metavar="TEXT", default="", help="Only questions with this in them: 'SUM(income)'."
)
@click.option(
    "--blocks",
    metavar="N",
    type=click.IntRange(40, 1_000_000),
    default=5000,
    show_default=True,
    help="Independent experiments a question. More see smaller errors.",
)
@click.option(
    "--method",
    type=Word(["blocks", "one-run"]),
    default="blocks",
    show_default=True,
    help="blocks: answers with all canaries against answers with none. one-run: one answer, each"
    " canary in it by the toss of a coin.",
)
@click.option(
    "--confidence",
    metavar="C",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.999,
    show_default=True,
    help="How sure a verdict `above` is, over the whole audit.",
)
@price_options
@format_option()
@policy_option
def command(
    tables: tuple[str, ...],
    ask: str,
    blocks: int,
    method: Method,
    confidence: float,
    epsilon: str | None,
    delta: str | None,
    form: str,
    policy: str,
) -> int:
    """Measure how much answers really give away, and hold it against the claimed ε.

    The policy's tables are made again in memory, from their schema alone, and filled with invented
    people, some at the ends of the declared ranges, some far outside, with more rows and groups
    than count. The answers of the whole engine with and without them are told apart as well as can
    be; from how often that succeeds follows a lower bound on the true ε. No row of the database is
    read, nothing is charged. A bound above the claim is a proof of an error; one below it is what
    to expect, and proves nothing (the proofs are in docs/proofs).

    ε and δ are the policy's per_query unless given. Exit 1 where a bound lies above the claim,
    or nothing could be tried.

    \b
    Example:
      dpsql audit --table persons --ask 'SUM(income)'
      dpsql audit --table persons --ask 'COUNT(*)' --blocks 500 --method one-run
    """
    from dpsql.audit.run import Audit
    from dpsql.opening import open_engine
    from dpsql.policy import load

    output = Output(None, binary=False)
    loaded = load(policy)
    claim = _claim(loaded, epsilon, delta, 1 - confidence)
    names = _private(loaded, tables)
    engine = open_engine(loaded)
    try:
        catalog = engine.catalog()
    finally:
        engine.close()
    audit = Audit(loaded, catalog, claim, blocks, method, ask)
    with _progress() as tell:
        findings = list(audit.run(names, tell))
    records = [{name: _told(getattr(finding, name)) for name in FIELDS} for finding in findings]
    if form == "table":
        output.text(map(output.style.symbols, _in_words(findings, claim, output.style)))
    else:
        output.text(grid_lines(record_grid(FIELDS, records), form, output.style))
    tried = any(finding.measured is not None for finding in findings)
    return 0 if tried and not any(finding.broken for finding in findings) else SAID_NO


def _claim(policy: Policy, epsilon: str | None, delta: str | None, alpha: float) -> Claim:
    from dpsql.audit.run import Claim
    from dpsql.core.numbers import read_delta, read_epsilon

    usual = policy.budgets.per_query
    return Claim(
        read_epsilon(epsilon) if epsilon is not None else usual.epsilon or DEFAULT[0],
        read_delta(delta) if delta is not None else usual.delta or DEFAULT[1],
        alpha,
    )


def _private(policy: Policy, wanted: Sequence[str]) -> list[str]:
    """The tables to audit: all private ones, or those named."""
    from dpsql.core.nearest import hint
    from dpsql.policy.identifiers import same_name

    private = [name for name, table in policy.tables.items() if not table.public]
    if not wanted:
        return private
    found = []
    for name in wanted:
        known = same_name(name, private)
        if known is None:
            raise InterfaceError(
                f"--table: the policy has no private table {name!r}",
                code="unknown-table",
                hint=hint(name, private),
            )
        found.append(known)
    return list(dict.fromkeys(found))


def _in_words(findings: Sequence[Finding], claim: Claim, style: Style) -> Iterator[str]:
    from dpsql.render.numbers import amount, count
    from dpsql.render.table import Grid, text_table

    rows = [
        (
            finding.table,
            finding.question,
            _symbol(finding),
            amount(finding.claimed),
            "" if finding.measured is None else f"{finding.measured:.3g}",
            finding.problem or ("ABOVE" if finding.broken else "within"),
        )
        for finding in findings
    ]
    head = ("table", "asked", "of", "claimed", "measured at least", "verdict")
    yield from text_table(Grid(head, rows), style)
    yield ""
    broken = [finding for finding in findings if finding.broken]
    tried = [finding for finding in findings if finding.measured is not None]
    sure = f"{100 * (1 - claim.alpha):.6g} % sure"
    if broken:
        for finding in broken:
            yield f"{finding.table}, {finding.question}: told apart by {finding.canary}"
        yield style.paint(
            f"{len(broken)} of {count(len(tried), 'claim')} broken ({sure}): stop answering, and"
            " report it (SECURITY.md)",
            "red",
        )
    elif not tried:
        yield style.paint("nothing could be tried", "yellow")
        yield (
            "asked are COUNT, SUM, AVG, VAR_POP and MEDIAN of private tables' columns with a"
            " declared range; --ask keeps those whose text holds it: leave it out to see them all"
        )
    else:
        yield style.paint(
            f"{count(len(tried), 'claim')}, none broken (a verdict ABOVE would be {sure})", "green"
        )
        yield from _power(tried, style)


def _power(tried: Sequence[Finding], style: Style) -> Iterator[str]:
    """What could have shown at all with so many experiments: public numbers, no answer."""
    from dpsql.render.text import wrapped

    for symbol in ("ε", "δ"):
        known = [(one, one.visible) for one in tried if _symbol(one) == symbol]
        seen = sorted({visible for _, visible in known if visible is not None})
        if not seen:
            continue
        claimed = known[0][0].claimed
        text = f"of {symbol} = {claimed:.3g} an excess shows, at best, {_from(seen[0])}"
        if seen[-1] > 1.05 * seen[0]:
            text += f"; where a question has fewer blocks, {_from(seen[-1])}"
        text += "; what is smaller is not seen"
        few = seen[-1] > GROSS * claimed
        text += ": at this price so few --blocks see a gross one alone" if few else ""
        yield style.paint(wrapped(text, style.width), "yellow" if few else "dim")


def _told(value: object) -> object:
    """For JSON and CSV, which know no infinity: nothing is visible."""
    return None if value == math.inf else value


def _from(visible: float) -> str:
    return "not at all" if math.isinf(visible) else f"from {visible:.3g} on"


def _symbol(finding: Finding) -> str:
    return "ε" if finding.of == "epsilon" else "δ"


class _progress:  # noqa: N801 - read as a function
    """A line on stderr that says what is being tried; without a terminal one at the start alone."""

    def __enter__(self) -> _progress:
        from dpsql.render.terminal import style_of

        self._style = style_of(sys.stderr) if sys.stderr is not None else None
        self._shown = 0
        return self

    def __call__(self, text: str) -> None:
        if self._style is None:
            return
        if not self._style.interactive:
            if text.startswith("1 of "):  # the first one: no line is rewritten here
                click.echo(f"{text.split(':')[0][5:]} questions to try", err=True)
            return
        line = self._style.symbols(text)[: self._style.width - 1]
        click.echo(f"\r{line.ljust(self._shown)}", nl=False, err=True)
        self._shown = len(line)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo(f"\r{' ' * self._shown}\r", nl=False, err=True)
