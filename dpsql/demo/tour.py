"""The tour: a policy, five private answers beside the true ones, three prices, an empty budget.

Every step is real: a session over the DuckDB file, a ledger on disk, noise from the operating
system's generator. A step that does not do what it shows raises, so the demo exits non-zero.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dpsql.answer import Answer
from dpsql.demo import questions
from dpsql.demo.owner import Truth, true_answers
from dpsql.demo.questions import QUESTIONS, Question
from dpsql.demo.show import compare, legend, picture
from dpsql.demo.workspace import POLICY, Workspace
from dpsql.errors import BudgetExceeded, InternalError, LedgerError
from dpsql.explain import explain
from dpsql.render.answers import answer_grid, cost
from dpsql.render.answers import left as what_is_left
from dpsql.render.numbers import count
from dpsql.render.terminal import Style
from dpsql.render.text import wrapped
from dpsql.session import Session

ANALYST = "ada"
LABEL = "people"


class Tour:
    """One run of the tour. `say` prints a line, `pause` waits between steps."""

    def __init__(
        self,
        place: Workspace,
        style: Style,
        *,
        say: Callable[[str], None],
        pause: Callable[[], None] = lambda: None,
        sql: bool = False,
    ) -> None:
        self._place = place
        self._style = style
        self._print = say
        self._pause = pause
        self._sql = sql
        self._width = min(style.width, 80)

    def run(self) -> None:
        """All steps in order. Raises subclasses of `Error` where one of them fails."""
        owner = [one.truth for one in (*QUESTIONS, questions.COMPARED)]
        owner.append(questions.PEOPLE_BY_KEY)
        self._truths = true_answers(self._place.database, owner)
        self._welcome()
        self._policy()
        session = Session(self._place.policy, ANALYST)
        try:
            answers = [self._question(session, n, one) for n, one in enumerate(QUESTIONS, 1)]
            self._is_repeat(answers[1], answers[-1])
            self._prices(session)
            self._refusal(session)
            self._verify(session)
        finally:
            session.close()
        self._your_turn()

    # ---- the steps -----------------------------------------------------------------------

    def _welcome(self) -> None:
        self._title("dpsql: private answers about real people")
        self._text(
            "The RAND Health Insurance Experiment, 1974 to 1982: 5,912 people, 20,190 years of "
            "their lives and their medical bills, in a DuckDB file."
        )
        if self._place.old_ledger is not None:
            self._text(f"An earlier tour's ledger was kept as {self._place.old_ledger.name}.")

    def _policy(self) -> None:
        self._pause()
        self._title("The owner's policy")
        for line in POLICY.read_text(encoding="utf-8").splitlines():
            body, mark, comment = line.partition("#")
            painted = body + (self._style.paint(mark + comment, "dim") if mark else "")
            self._say(f"  {painted}".rstrip())
        self._say()
        self._text(
            f"Now {ANALYST}, an analyst, asks five questions. In the column `true` the tour plays "
            "the owner and reads the raw file past dpsql; an analyst never sees it."
        )
        self._say(f"  {legend(self._style)}")

    def _question(self, session: Session, number: int, one: Question) -> Answer:
        self._pause()
        self._title(f"Question {number} of {len(QUESTIONS)}: {one.kind}")
        self._text(one.words)
        self._say()
        self._show_sql(one.sql)
        answer = session.query(one.sql)
        if self._sql:
            self._bounded(session, one.sql, answer)
        self._picture(answer, self._truths[one.truth], one.truths)
        self._bill(session, answer)
        self._say()
        self._text(self._withheld(answer) if one is questions.PRIVATE_KEY else one.lesson)
        return answer

    def _prices(self, session: Session) -> None:
        self._pause()
        self._title("One histogram at three prices")
        self._text(
            "A smaller ε says less about each person, costs less of the budget, and has more "
            "noise: small groups drown in it, and a count may come out negative. It is left as "
            "it was drawn, so that sums and averages of answers stay right. (Asked in the other "
            "order the last two would be free: what was paid for answers them better.)"
        )
        for epsilon in questions.EPSILONS:
            answer = session.query(questions.COMPARED.sql, epsilon=epsilon)
            self._say()
            self._say(self._style.paint(f"  ε = {epsilon}", "bold"))
            self._picture(answer, self._truths[questions.COMPARED.truth], ("true",))
        self._bill(session, answer)

    def _refusal(self, session: Session) -> None:
        self._pause()
        self._title("One question too many")
        self._show_sql(questions.REFUSED)
        try:
            session.query(questions.REFUSED)
        except BudgetExceeded as refusal:
            self._say(self._style.paint(f"  refused [{refusal.code}]", "red"))
            self._text(refusal.message)
            self._text(refusal.hint)
            self._text(
                f"`dpsql query` would exit with {refusal.exit_code}. No data was touched and "
                "nothing was charged."
            )
            return
        raise InternalError("the demo's budget did not refuse", code="demo-wrong")

    def _verify(self, session: Session) -> None:
        self._pause()
        self._title("The ledger")
        self._text(
            "Each charge was written to a hash-chained ledger before the data was touched. "
            "`dpsql ledger verify` recomputes every link, price and budget:"
        )
        report = session.ledger.verify()
        self._say()
        for line in str(report).splitlines():
            self._say(wrapped(self._style.symbols(line), self._width - 4, indent="  "))
        if not report.ok:
            raise LedgerError("the demo's ledger does not verify", code="ledger-broken")

    def _your_turn(self) -> None:
        self._pause()
        self._title("Your turn")
        me = program()
        if self._place.keep:
            policy = str(self._place.policy)
            self._text(f"The files are in {self._place.folder}. Ask them something:")
        else:
            policy = "rand/dpsql.yaml"
            self._text("Keep the files of a tour:")
            self._say(f"    {me} demo --keep rand")
            self._text("Then ask them something, or put the path of your own policy:")
        self._say()
        for line in commands(me, policy):
            self._say(f"    {line}")
        self._say()
        self._text(
            "For your own data: `dpsql init` writes a first policy for a DuckDB file, CSV or "
            "Parquet files, and `check` tells you what is missing."
        )

    # ---- parts ---------------------------------------------------------------------------

    def _picture(self, answer: Answer, truth: Truth, heads: tuple[str, ...]) -> None:
        grid = answer_grid(answer)
        found = compare(grid, truth, LABEL)
        key = grid.names[0] if len(grid.names) > 1 else ""
        for line in picture(found, heads, self._style, key=key):
            self._say(line)

    def _withheld(self, answer: Answer) -> str:
        shown = set(answer.table.column(0).to_pylist())
        people = {k: v[0] for k, v in self._truths[questions.PEOPLE_BY_KEY].items()}
        hidden = {key: number for key, number in people.items() if key not in shown}
        if not hidden or not shown:
            raise InternalError("the demo withheld nothing", code="demo-wrong")
        threshold = answer.privacy.releases[0].key_threshold
        single = sum(number == 1 for number in hidden.values())
        return (
            f"Years of schooling are not listed in the policy, so which ones occur is private too. "
            f"A group is shown only where its noisy number of people reaches {threshold}; that is "
            f"what δ pays for. The owner sees {count(len(people), 'group')}: "
            f"{len(hidden)} were withheld ({count(sum(hidden.values()), 'person')} in all), "
            f"{single} of them of a single person.".replace("persons", "people")
        )

    def _bill(self, session: Session, answer: Answer) -> None:
        remaining = answer.privacy.remaining
        assert remaining is not None
        paid = self._style.paint(cost(answer.privacy), "green" if answer.privacy.free else "bold")
        self._say()
        self._say(f"  {paid}")
        self._text(what_is_left(remaining, session.policy))

    def _bounded(self, session: Session, sql: str, answer: Answer) -> None:
        if answer.privacy.free:
            self._text("The database is sent nothing: the answer was kept.")
            self._say()
            return
        self._text("What the database is sent (bounded and exact; the noise comes after):")
        for release in explain(session, sql, advice=False).releases:
            for line in release.sql.splitlines():
                self._say(self._style.paint(f"  {line}", "dim"))
        self._say()

    def _is_repeat(self, first: Answer, again: Answer) -> None:
        same = sorted(first.table.to_pylist(), key=str) == sorted(again.table.to_pylist(), key=str)
        if not again.privacy.free or not same:
            raise InternalError("the demo's repeat was not free", code="demo-wrong")

    # ---- lines ---------------------------------------------------------------------------

    def _title(self, text: str) -> None:
        rule = "─" * (self._width - len(text) - 4)
        self._say()
        self._say(self._style.paint(f"── {text} {rule}", "bold"))
        self._say()

    def _show_sql(self, sql: str) -> None:
        for line in sql.splitlines():
            self._say(self._style.paint(f"    {line}", "cyan"))
        self._say()

    def _text(self, text: str) -> None:
        self._say(wrapped(self._style.symbols(text), self._width - 2, indent="  "))

    def _say(self, text: str = "") -> None:
        self._print(self._style.symbols(text))


def commands(program: str, policy: str) -> Sequence[str]:
    """The three commands to try: check, query, budget."""
    file = shlex.quote(policy)
    question = "SELECT sex, COUNT(*) FROM persons GROUP BY sex"
    return (
        f"{program} check --policy {file}",
        f'{program} query --policy {file} --analyst me \\\n        "{question}"',
        f"{program} budget --policy {file} --analyst me",
    )


def program() -> str:
    """How this very program is called: by name where the shell finds it, else by its path."""
    if shutil.which("dpsql"):
        return "dpsql"
    script = Path(sys.argv[0])
    if script.name == "dpsql" and script.is_file():
        return shlex.quote(os.path.relpath(script))
    return f"{shlex.quote(sys.executable)} -m dpsql"
