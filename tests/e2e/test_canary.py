"""Nothing but the answer: a value planted in the data is in nothing that an analyst can see.

One person's row holds a text and a number that are nowhere else. Every query, also those that fail
at that very row, is asked through every face; everything said, logged, warned, written to a file
or kept in an exception (its chain, its traceback with the locals of every frame) is searched.
The owner's own log is the one place that may hold them.

Noise is fresh: the lone key may pass its threshold (at most 1e-7 in each of some ten releases), and
digits may come out as the number's fourteen (less than 1e-8).
"""

from __future__ import annotations

import logging
import struct
import traceback
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import dpsql
from dpsql.cli import main
from dpsql.core.exact import Exact

TEXT = "Rumpelstilzchen"
NUMBER = 74_815_162_342_108
CANARIES = (TEXT, str(NUMBER), f"{NUMBER:,}", hex(NUMBER), repr(TEXT.encode())[2:-1])

POLICY = """
version: 1
database: duckdb:///people.duckdb
ledger: sqlite:///ledger.db
unit: person
releases: {reuse: budget}
budgets:
  per_query: {epsilon: 1, delta: 1e-7}
  max_per_query: {epsilon: 1e9, delta: 1e-2}
  default: {epsilon: 1e11, delta: 0.1}
bounds: {max_groups: 2, max_rows_per_group: 2}
limits: {timeout: 20s}
tables:
  people:
    unit: id
    columns:
      age: {min: 0, max: 90}
      paid: {min: 0, max: 100}
  broken: {unit: id, columns: {age: {min: 0, max: 90}}}
  cities: {public: true}
  ruins: {public: true}
"""

QUERIES = [
    "SELECT COUNT(*) FROM people",
    "SELECT name, COUNT(*), SUM(paid) FROM people GROUP BY name",
    "SELECT paid, COUNT(*) FROM people GROUP BY paid ORDER BY paid DESC",
    "SELECT name || paid AS k, AVG(age) FROM people GROUP BY k HAVING AVG(age) > 1",
    "SELECT SUM(paid), AVG(paid), STDDEV(paid) FROM people WHERE paid > 1000",
    "SELECT CORR(age, paid) FROM people WHERE name LIKE 'Rumpel%'",
    "SELECT COUNT(*) FROM people WHERE CAST(name AS INTEGER) > 0",
    "SELECT COUNT(*) FROM people WHERE 1 // (CAST(paid AS BIGINT) - 74815162342107) > 0",
    "SELECT SUM(age) FROM broken",
    "SELECT COUNT(*) FROM broken WHERE age > 3",
    "SELECT n, (SELECT COUNT(*) FROM people) AS m FROM ruins",
    "SELECT CAST('x' AS INTEGER) AS x, COUNT(*) FROM people",
    "SELECT name FROM people",
    "SELECT MAX(name) FROM people",
    "SELECT nam FROM people",
    "SELECT COUNT(* FROM people",
    "EXPLAIN ANALYZE SELECT COUNT(*) FROM people",
    "SUMMARIZE people",
    "SELECT c.city, COUNT(p.id) FROM cities c LEFT JOIN people p ON p.name = c.city GROUP BY 1",
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty people; the person with the canaries is one. `broken` and `ruins` raise at that row."""
    with duckdb.connect(str(tmp_path / "people.duckdb")) as owner:
        owner.execute("CREATE TABLE people (id BIGINT, name VARCHAR, age INT, paid DOUBLE)")
        owner.execute(
            "INSERT INTO people SELECT range, 'n' || range % 3, range % 90, range FROM range(59)"
        )
        owner.execute(f"INSERT INTO people VALUES (59, '{TEXT}', 33, {NUMBER})")
        owner.execute(
            "CREATE VIEW broken AS SELECT id, CAST(CASE WHEN paid > 1000 THEN name ELSE '5' END AS"
            " INT) AS age FROM people"
        )
        owner.execute("CREATE VIEW ruins AS SELECT age AS n FROM broken")
        owner.execute("CREATE TABLE cities AS SELECT 'n' || range AS city FROM range(3)")
    (tmp_path / "dpsql.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


class Heard(logging.Handler):
    """All that any logger says, down to DEBUG, but for the owner's."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert not record.name.startswith("dpsql.owner")
        self.said.append(self.format(record))


def told(error: BaseException) -> list[str]:
    """All an exception holds: texts, attributes, the chain, and the locals of every frame."""
    found = [str(error), repr(error), repr(error.args), repr(vars(error))]
    found += traceback.TracebackException.from_exception(
        error, capture_locals=True, compact=False
    ).format(chain=True)
    links, seen = [error], []
    while links:
        link = links.pop()
        if any(link is one for one in seen):
            continue
        seen.append(link)
        links += [one for one in (link.__cause__, link.__context__) if one is not None]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if frame.f_globals.get("__name__", "").startswith(("dpsql", "duckdb")):
                found += [f"{name} = {value!r}" for name, value in frame.f_locals.items()]
        found += [str(link), repr(link), repr(getattr(link, "__notes__", ""))]
    return found


def shown(answer: dpsql.Cursor) -> list[str]:
    """All a cursor holds after a query."""
    privacy = answer.privacy
    parts: list[Any] = [answer.description, answer.fetchall(), answer, vars(answer), privacy]
    found = [repr(part) for part in parts] + [str(privacy), answer._repr_html_()]
    if privacy is not None:
        found += [repr(privacy.releases), repr(privacy.columns), repr(vars(privacy))]
    return found


def clean(texts: list[str], what: str, sql: str = "") -> None:
    """No canary but those the analyst wrote."""
    for text in texts:
        for canary in CANARIES:
            if canary in text and canary not in sql:
                raise AssertionError(f"{canary} in {what}: ...{text[:300]}")


def ask(connection: dpsql.Connection, sql: str) -> list[str]:
    found = []
    for way in ("explain", "execute"):
        cursor = connection.cursor()
        try:
            if way == "explain":
                explained = cursor.explain(sql)
                found += [repr(explained), explained.to_text(sql=True), explained._repr_html_()]
                found.append(str(explained.to_dict()))
            else:
                found += shown(cursor.execute(sql))
        except dpsql.Error as error:
            found += told(error)
    return found


@pytest.fixture
def heard():
    handler = Heard()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("sql", QUERIES)
def test_python(place: Path, heard: Heard, capfd: Any, sql: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with dpsql.connect("dpsql.yaml", analyst="ann") as connection:
            found = ask(connection, sql)
            found += [repr(connection), repr(connection.budget()), repr(connection.tables())]
    out, err = capfd.readouterr()
    found += [str(one.message) for one in warned]
    clean([*found, *heard.said, out, err], "what Python sees", sql)


COMMANDS: list[list[str]] = [
    ["tables"],
    ["budget", "show"],
    ["budget", "--format", "json"],
    ["releases", "list"],
    ["releases", "show", "1"],
    ["ledger", "show"],
    ["ledger", "show", "--outcome", "refused"],
    ["ledger", "verify"],
    ["ledger", "export"],
    ["check"],
]


def test_the_command_line_and_all_files(place: Path) -> None:
    """Every query by `query` and `explain`; then what the other commands say, and every file."""
    run, said = CliRunner(), []
    for sql in QUERIES[::2]:  # each is asked in Python above
        for command in (["query", sql], ["query", "--format", "json", sql], ["explain", sql]):
            done = run.invoke(main, [*command, "--analyst", "ann"])
            assert done.exit_code in (0, 3, 5), done.output
            clean([done.output, done.stderr], f"dpsql {command[0]}", sql)
    for command in COMMANDS:
        whose = ["--analyst", "ann"] if command[0] in ("tables", "budget", "releases") else []
        done = run.invoke(main, [*command, *whose])
        said.append(done.output + done.stderr)
    written = [path for path in place.rglob("*") if path.is_file()]
    assert {"ledger.db", "dpsql.yaml", "people.duckdb"} <= {path.name for path in written}
    asked = "".join(QUERIES)
    clean(said, "a command", asked)
    for path in written:
        if path.name.startswith("people.duckdb"):
            continue
        data = path.read_bytes()
        assert TEXT.encode() not in data, path.name
        assert NUMBER.to_bytes(8, "little") not in data, path.name
        assert struct.pack("<d", NUMBER) not in data, path.name


STAGES = [
    "dpsql.pipeline.execute.run",
    "dpsql.pipeline.execute.integers",
    "dpsql.pipeline.perturb.run",
    "dpsql.pipeline.perturb.build",
    "dpsql.pipeline.storage.pack",
    "dpsql.pipeline.postprocess.run",
    "dpsql.mechanisms.laplace.LaplaceMechanism.release",
]
FAULTS = [ValueError, MemoryError, KeyboardInterrupt, RecursionError, OverflowError]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_ours(
    place: Path, heard: Heard, monkeypatch: Any, capfd: Any, stage: str, fault: type[BaseException]
) -> None:
    """Whatever breaks with the value in its hands: the text, the frames and the chain are clean."""

    def broken(*_: object, **__: object) -> None:
        exact = (TEXT, NUMBER)
        raise fault(f"cannot hold {exact}")

    sql = "SELECT COUNT(*) + 1 AS n FROM people"
    with dpsql.connect("dpsql.yaml", analyst="ann") as connection:
        monkeypatch.setattr(stage, broken)
        with pytest.raises((dpsql.Error, KeyboardInterrupt)) as caught:
            connection.cursor().execute(sql)
    out, err = capfd.readouterr()
    clean([*told(caught.value), *heard.said, out, err], f"a fault in {stage}")


def test_a_time_limit_looks_like_any_other_failure(place: Path, monkeypatch: Any) -> None:
    """Type, text, attributes, chain and traceback, line by line."""
    from dpsql.dialects import duckdb as dialect

    def failing(problem: Exception) -> list[str]:
        def broken(*_: object) -> None:
            raise problem

        with dpsql.connect("dpsql.yaml", analyst="ann") as connection:
            with monkeypatch.context() as patch:
                patch.setattr(dialect, "heeding_interrupts", broken)
                patch.setattr(
                    dialect, "deadline", lambda *_: dialect.contextlib.nullcontext(passed)
                )
                with pytest.raises(dpsql.EngineFailed) as caught:
                    connection.cursor().execute(QUERIES[0])
            chain = caught.value.__cause__, caught.value.__context__
            frames = traceback.extract_tb(caught.value.__traceback__)
            lines = [f"{frame.name}:{frame.lineno}" for frame in frames]
            return [repr(caught.value), str(vars(caught.value)), repr(chain), *lines]

    passed = dialect.threading.Event()
    passed.set()
    late = failing(duckdb.InterruptException("interrupted"))
    assert late == failing(duckdb.ConversionException(f"could not convert {TEXT}"))
    assert late == failing(duckdb.OutOfMemoryException("failed to allocate"))
    assert late == failing(MemoryError())


def test_exact_values_hide_what_they_hold() -> None:
    for text in (repr(Exact(TEXT)), str(Exact(NUMBER)), f"{[Exact(TEXT)]}"):
        clean([text], "an Exact")


# ---- the search can fail -----------------------------------------------------------------------


def test_the_engines_words_are_found(place: Path, monkeypatch: Any) -> None:
    """With the constant message taken out, the canary is in what is said."""
    from dpsql.dialects import duckdb as dialect
    from dpsql.errors import EngineFailed

    monkeypatch.setattr(
        dialect.DuckDBEngine, "_failed", lambda self, problem: EngineFailed(str(problem))
    )
    with (
        dpsql.connect("dpsql.yaml", analyst="ann") as connection,
        pytest.raises(AssertionError, match="Rumpelstilzchen in"),
    ):
        clean(ask(connection, "SELECT SUM(age) FROM broken"), "an error")


def test_a_frame_is_found() -> None:
    def inner() -> None:
        secret = TEXT
        raise dpsql.EngineFailed("constant" + secret[:0])

    with pytest.raises(dpsql.EngineFailed) as caught:
        inner()
    with pytest.raises(AssertionError, match="Rumpelstilzchen in"):
        clean(told(caught.value), "a frame")


def test_the_owners_log_has_it(place: Path, caplog: Any) -> None:
    """There it belongs: the owner can find out what failed."""
    log = logging.getLogger("dpsql.owner")
    log.addHandler(caplog.handler)
    with dpsql.connect("dpsql.yaml", analyst="ann") as connection:
        ask(connection, "SELECT SUM(age) FROM broken")
    log.removeHandler(caplog.handler)
    assert TEXT in caplog.text
