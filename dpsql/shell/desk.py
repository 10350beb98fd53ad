"""Where statements are answered: settings, the question before a dear query, cancelling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from dpsql.accountant.charge import Charge
from dpsql.accountant.odometer import share
from dpsql.accuracy.measured import is_first
from dpsql.commands.options import BINARY_FORMATS, suffix_form
from dpsql.commands.output import Output, note, write_stdout
from dpsql.commands.query import write_answer
from dpsql.core.numbers import read_epsilon
from dpsql.core.targets import NOTHING, Aims, written
from dpsql.errors import Error, InterfaceError
from dpsql.explain import explain
from dpsql.guard import guarded
from dpsql.render.answers import footer, left
from dpsql.render.numbers import amount, percent
from dpsql.render.terminal import Style, style_of
from dpsql.session import Session

TENTH = Fraction(1, 10)
MUCH = 0.25
"""A query that takes more than this part of what is left is asked about."""

Confirm = Fraction | Literal["usual", "off"]


@dataclass(slots=True)
class Settings:
    """What holds for the statements to come. Prices are decimal text, None the policy's.

    `confirm`: the ε above which to ask first; `usual` is the policy's price of a query, and then
    what takes much of what is left is asked about, too. In a script, which nobody can answer, it is
    the script's own `epsilon` if that is more. `file` takes the next answer.
    """

    dialect: str = "duckdb"
    epsilon: str | None = None
    delta: str | None = None
    form: str = "table"
    file: str | None = None
    confirm: Confirm = "usual"
    aims: Aims = NOTHING
    """The error asked for in place of a price, and what may be spent."""
    post_process: str | None = None
    """How totals are made to add up; None is usual."""


def read_confirm(text: str) -> Confirm:
    """`default`, `off`, or an ε. InvalidQuery `bad-epsilon` for anything else."""
    match text.casefold():
        case "off":
            return "off"
        case "default":
            return "usual"
        case _:
            return read_epsilon(text)


class Desk:
    """One session and its settings. `ask` puts a yes-or-no question; None: nobody is there."""

    def __init__(
        self, session: Session, settings: Settings, ask: Callable[[str], bool] | None
    ) -> None:
        self.session = session
        self.settings = settings
        self.last: str | None = None
        self._shown = False
        self._first = False  # the statement takes a first look, whose answer decides the price
        self._ask = ask

    def answer(self, sql: str) -> int:
        """Ask, charge, print. Errors of ours alone; KeyboardInterrupt once it is cancelled.

        The exit code is 0, or that of the refusal where a first look's own answer is shown.
        """
        self.last, self._first = sql, False
        form, target = self._destination()
        before = self._spent()
        try:
            if not self._agreed(sql):
                note("not asked, nothing charged")
                return 0
            answer = self.session.query(sql, **self._unasked())
        except KeyboardInterrupt:
            self._cancelled(before)
            raise
        if self.settings.file is None and form in ("table", "markdown"):
            self.separate()
        write_answer(answer, form, target)
        note(footer(answer, self.session.policy))
        if self.settings.file is not None:
            note(f"written to {self.settings.file}")
            self.settings.file = None
        first = answer.privacy.first
        return 0 if first is None else first.exit_code

    def explain(self, sql: str) -> None:
        """What the statement would cost and do; nothing is charged."""
        self.last = sql
        found = explain(self.session, sql, **self._price())
        self.show(lambda style: [style.symbols(found.to_text())])

    def show(self, lines: Callable[[Style], Iterable[str]]) -> None:
        """Lines of our own on stdout, in its style."""
        output = Output(None, binary=False)
        self.separate()
        output.text(lines(output.style))

    def separate(self) -> None:
        """A blank line between what a script prints; a person's prompt stands there already."""
        if self._ask is None and self._shown:
            write_stdout("\n")
        self._shown = True

    def limit(self) -> Fraction | None:
        """The ε above which a statement is not run unasked. None: there is none."""
        confirm, policy = self.settings.confirm, self.session.policy
        if confirm == "off":
            return None
        if confirm != "usual":
            return confirm
        usual = policy.budgets.per_query.epsilon or self.session.budget_spec.epsilon * TENTH
        if self._ask is not None:
            return usual
        own = self.session.asked_for(self.settings.epsilon, None).epsilon
        return max(usual, own or usual)

    def heeds_left(self) -> bool:
        """Whether a query is asked about that takes much of what is left, too."""
        return self.settings.confirm == "usual" and self._ask is not None

    def status(self) -> str:
        """Who asks, what is left, and what was set: one line for the toolbar."""
        parts = [self.session.analyst]
        try:
            parts.append(left(self.session.budget(), self.session.policy))
        except Error as problem:
            parts.append(f"budget unknown [{problem.code}]")
        if self.settings.epsilon is not None:
            parts.append(f"next at ε = {self.settings.epsilon}")
        if (error := self.settings.aims.error) is not None:
            parts.append(f"next within {written(error)}")
        if self.settings.file is not None:
            parts.append(f"next to {self.settings.file}")
        parts.append("\\h helps")
        return style_of(sys.stdout).symbols(" · ".join(parts))

    def checked_file(self, file: str) -> None:
        """UsageError where an answer could not be written to the file."""
        form = suffix_form(file) or self.settings.form
        Output(file, binary=form in BINARY_FORMATS).spare(self.session.policy)

    # ---- parts ---------------------------------------------------------------------------

    def _price(self) -> dict[str, Any]:
        settings = self.settings
        given = {"epsilon": settings.epsilon, "delta": settings.delta}
        found = {name: value for name, value in given.items() if value is not None}
        return {
            **found,
            "aims": settings.aims,
            "dialect": settings.dialect,
            "post_process": settings.post_process,
        }

    def _unasked(self) -> dict[str, Any]:
        """The price, and of a percentage the most that is spent unasked, first look and answer."""
        given, limit = self._price(), self.limit()
        aims: Aims = given["aims"]
        if self._first and limit is not None and aims.max_epsilon is None:
            given["aims"] = replace(aims, max_epsilon=limit)
        return given

    def _destination(self) -> tuple[str, Output]:
        file, form = self.settings.file, self.settings.form
        if file is not None:
            form = suffix_form(file) or form
        binary = form in BINARY_FORMATS
        if binary and file is None and sys.stdout is not None and sys.stdout.isatty():
            raise InterfaceError(
                f"{form} is not for a terminal",
                code="usage",
                hint="\\o FILE writes the next answer to a file; \\format table shows it here",
            )
        target = Output(file, binary=binary)
        target.spare(self.session.policy)
        return form, target

    def _agreed(self, sql: str) -> bool:
        """Cheap, or covered by nobody's asking; else what the analyst says.

        The full price counts, as `explain` tells it, whether or not the answer is stored.
        """
        limit = self.limit()
        if limit is None:
            return True
        epsilon, part = self._cost_of(sql)
        if epsilon <= limit and not (self.heeds_left() and part > MUCH):
            return True
        found = explain(self.session, sql, **self._price(), advice=False)
        if not found.fits:
            return True  # it will be refused, in the words of the ledger
        price = f"ε = {amount(found.epsilon)}, δ = {amount(found.delta)}"
        if self._ask is None:
            raise InterfaceError(
                f"it costs {price}, more than ε = {amount(limit)}, and nobody can be asked",
                code="not-confirmed",
                hint=f"dpsql shell --confirm-above {amount(found.epsilon)}, or"
                f" \\confirm {amount(found.epsilon)} before it",
            )
        question = (
            f"This costs {price}, unless it repeats what was paid for:"
            f" {percent(found.share)} of {found.budget.partition(':')[2] or found.budget}'s budget;"
            f" {percent(found.remaining)} would be left. Run it?"
        )
        return self._ask(style_of(sys.stderr).symbols(question))

    def _cost_of(self, sql: str) -> tuple[Fraction, float]:
        """ε over the statement's private aggregates, and the part it takes of what is left.

        Equal aggregates share one draw.
        """
        session, settings = self.session, self.settings
        asked = session.asked_for(settings.epsilon, settings.delta, settings.aims)
        with guarded(), session.engine.snapshot():
            prepared = session.prepare(sql, None, dialect=settings.dialect, asked=asked)
        planned = prepared.planned
        self._first = is_first(planned)
        drawn = dict(zip(planned.fingerprints, planned.plans, strict=True)).values()
        if not drawn:
            return Fraction(0), 0.0
        account = session.account(session.budget_spec)
        items = [item for plan in drawn for item in plan.items]
        used = share(account.terms, account.spent)
        after = share(account.terms, account.spent + account.price(items))
        part = (after - used) / (1 - used) if used < 1 else 1.0
        return sum((plan.epsilon for plan in drawn), start=Fraction(0)), part

    def _spent(self) -> Charge:
        return self.session.account(self.session.budget_spec).spent

    def _cancelled(self, before: Charge) -> None:
        try:
            charged = self._spent() != before
        except Error:
            charged = True
        if charged:
            note("\ncancelled in the database; what it cost stays charged")
        else:
            note("\ncancelled before anything was charged")
