"""The steps of `dpsql init`: source, schema, decisions, draft, private scan, file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from dpsql.commands import init_dialogue as dialogue
from dpsql.commands.init_open import open_file, open_server
from dpsql.commands.output import note
from dpsql.commands.part_file import part_file
from dpsql.core.files import Layout
from dpsql.dialects.duckdb_files import FilesEngine
from dpsql.dialects.engine import Engine
from dpsql.errors import InterfaceError, OperationalError, PolicyError
from dpsql.policy import check, load_text
from dpsql.policy.schema import Policy
from dpsql.setup import flags as read
from dpsql.setup.assemble import Decisions, assemble, open_tables
from dpsql.setup.budgets import propose
from dpsql.setup.columns import Ranges, identifiers, rangeable
from dpsql.setup.draft import ColumnDraft, Draft, TableDraft
from dpsql.setup.files import Columns, Keys, is_csv, load, read_columns
from dpsql.setup.guessed_keys import propose_primary, propose_references
from dpsql.setup.in_place import Place, holds_parquet_alone, look_once, lost_of, places
from dpsql.setup.ledger_place import ledger_of
from dpsql.setup.names import unit_word
from dpsql.setup.shape import Shape, read_shape
from dpsql.setup.smartnoise import Imported, read_smartnoise, table_decisions, unit_of
from dpsql.setup.source import DatabaseFile, DatabaseServer, DataFiles, read_source, url_from
from dpsql.setup.write import policy_text

TYPES = (
    "Column types were taken from what the CSV files hold. They are schema, which analysts may "
    "know: load the files yourself where a type would tell too much."
)


class Run:
    """One `dpsql init`. `flags` are the command's, `asks` whether there is somebody to ask."""

    def __init__(
        self, sources: Sequence[str], output: Path, flags: Mapping[str, Any], asks: bool
    ) -> None:
        self._sources = tuple(sources)
        self._source = self._sources[0]
        self._output = output
        self._flags = flags
        self._asks = asks
        self._notes: tuple[str, ...] = ()

    def run(self) -> Iterator[str]:
        """Everything; the lines to show at the end. Raises subclasses of `Error` and click's."""
        self._spare(self._output, "the policy")
        if not self._output.absolute().parent.is_dir():
            raise InterfaceError(
                f"{self._output} cannot be written: there is no such folder",
                code="init-output",
                hint="name another by -o",
            )
        if self._in_place():
            return self._where_they_lie()
        source = read_source(self._source)
        if isinstance(source, DatabaseFile):
            return self._from(source.path)
        if isinstance(source, DatabaseServer):
            return self._served(source)
        path = self._database(source)
        new = not path.exists()
        try:
            self._load(source, path)
            return self._from(path)
        except BaseException:
            if new:  # a half-way database would be in the next try's way
                path.unlink(missing_ok=True)
            raise

    def _in_place(self) -> bool:
        """Whether the files stay what is queried: said, or Parquet of which no key is told."""
        said: bool | None = self._flags["in_place"]
        keyed = any(self._flags[name] for name in ("database", "keys", "foreign_key"))
        if said and keyed:
            raise InterfaceError(
                "--in-place leaves the files where they are, and files enforce no key",
                code="init-flag",
                hint="leave out --database, --key and --foreign-key, or --in-place",
            )
        if len(self._sources) > 1 and (keyed or said is False):
            raise InterfaceError(
                "several files are queried where they lie",
                code="init-flag",
                hint="to load them into a DuckDB file, name the folder that holds them",
            )
        if said is not None or keyed:
            return bool(said)
        return len(self._sources) > 1 or holds_parquet_alone(Path(self._source))

    def _where_they_lie(self) -> Iterator[str]:
        """From files that stay where they are."""
        for one in self._sources:
            if not Path(one).exists():
                read_source(one)  # which says what is wrong with it
        folder = self._output.absolute().parent
        found = places([Path(one) for one in self._sources], folder)
        self._confirm_lines(found)
        layout = Layout(None, {("main", name): one.source for name, one in found.items()}, {})
        lines = {name: one.lines() for name, one in found.items()}
        return self._of(FilesEngine(layout), "", "files", lines)

    def _confirm_lines(self, found: Mapping[str, Place]) -> None:
        """What a CSV's lines become is told before anything is written."""
        csv = {name: one for name, one in found.items() if one.source.format == "csv"}
        if not csv:
            return
        first = {name: look_once(one) for name, one in csv.items()}
        named = {name: dict(one.source.types or ()) for name, one in csv.items()}
        self._confirm_names(DataFiles(first, "files"), named)
        for name, one in csv.items():
            lines, fields = lost_of(one)
            if lines or fields:
                note(
                    f"{name}: {lines} lines are no row and {fields} fields are not of their type: "
                    "a field in quotes may not go on over a line's end. --database FILE loads them"
                )
        self._notes = (TYPES,)

    def _from(self, path: Path) -> Iterator[str]:
        database = url_from(self._output.absolute().parent, path, "duckdb")
        return self._of(open_file(path), database, str(path), {})

    def _served(self, source: DatabaseServer) -> Iterator[str]:
        spark = source.url.startswith(("sc:", "spark:"))
        if source.shown != source.url:
            where = "SPARK_CONNECT_AUTHENTICATE_TOKEN" if spark else "PGPASSWORD, or use ~/.pgpass"
            note(f"the {'token' if spark else 'password'} is not written down: set {where}")
        return self._of(open_server(source.url, spark=spark), source.shown, source.shown, {})

    def _of(
        self,
        engine: Engine,
        database: str,
        shown: str,
        files: Mapping[str, tuple[str, ...]],
    ) -> Iterator[str]:
        try:
            shape = read_shape(engine)
        finally:
            engine.close()
        if not shape.tables:
            raise InterfaceError(
                f"{shown} holds no table", code="init-source", hint="load data first"
            )
        said, scan = self._decide(shape)
        ledger = ledger_of(self._output)
        draft = assemble(shape, said, database=database, ledger=ledger)
        tables = {
            key: replace(table, files=files.get(key, ())) for key, table in draft.tables.items()
        }
        draft = replace(draft, tables=tables)
        policy = self._policy(draft, shape)
        if scan is not None:
            draft = self._scanned(draft, shape, policy, scan)
            self._policy(draft, shape)
        self._write(policy_text(draft))
        return iter(self._done(draft))

    # ---- files ---------------------------------------------------------------------------

    def _database(self, source: DataFiles) -> Path:
        given = self._flags["database"]
        path = Path(given) if given else self._output.absolute().parent / f"{source.stem}.duckdb"
        self._spare(path, "the database")
        return path

    def _load(self, source: DataFiles, path: Path) -> None:
        columns = read_columns(source.files)
        self._confirm_names(source, columns)
        primary = read.read_primary(columns, self._flags["keys"])
        references = read.read_references(columns, self._flags["foreign_key"])
        keys = Keys(primary, references)
        if self._asks:
            keys = dialogue.keys_of_files(columns, keys)
        elif self._flags["yes"]:
            primary = {**propose_primary(columns), **primary}
            known = {(one.table, one.column) for one in references}
            guessed = propose_references(columns, {t: k for t, k in primary.items() if k})
            keys = Keys(
                primary,
                (*references, *(one for one in guessed if (one.table, one.column) not in known)),
            )
        for table, key in keys.primary.items():
            if key:
                note(f"key of {table}: {', '.join(key)}")
        for one in keys.references:
            note(f"foreign key: {one}")
        load(source.files, columns, keys, path)
        if any(file.suffix.lower() == ".csv" for file in source.files.values()):
            self._notes = (TYPES,)
        note(f"loaded {', '.join(source.files)} into {path}")

    def _confirm_names(self, source: DataFiles, columns: Columns) -> None:
        """A CSV's first line becomes schema, which analysts see: the owner has to have seen it."""
        read_from = {table: file for table, file in source.files.items() if is_csv(file)}
        for table, file in read_from.items():
            note(
                f"columns of {table}, by the first line of {file.name}: {', '.join(columns[table])}"
            )
        if not read_from or self._flags["header"] or self._flags["yes"]:
            return
        if not (self._asks and dialogue.names_confirmed()):
            raise InterfaceError(
                "nobody has said that these are the columns' names, and no row of data",
                code="init-header",
                hint="if they are, say --header (or --yes); else write the names above the data",
            )

    # ---- decisions -----------------------------------------------------------------------

    def _decide(self, shape: Shape) -> tuple[Decisions, Fraction | None]:
        """What flags, the metadata of another system and the owner say; and the ε of a scan."""
        flags = self._flags
        imported = Imported()
        if flags["from_smartnoise"] is not None:
            imported = read_smartnoise(flags["from_smartnoise"], shape)
        unit = self._unit(shape, imported)
        word = flags["unit_word"]
        if word is None and self._asks:
            word = dialogue.unit_word(shape.tables[unit[0]].name, unit[1])
        word = word or unit_word(shape.tables[unit[0]].name, unit[1])
        named = table_decisions(imported) if imported.units else {}
        columns = read.read_columns(shape, flags["range_"], flags["values"], flags["hide"])
        said = Decisions(
            unit=unit,
            budgets=propose(),
            unit_word=word,
            tables={**named, **read.read_tables(shape, flags["tables"])},
            columns={**imported.columns, **columns},
            rows={**imported.rows, **read.read_rows(shape, flags["max_rows_per_unit"])},
            notes=(*self._notes, *imported.notes),
        )
        if self._asks:
            found = dialogue.tables(shape, open_tables(shape, said), word)
            said = replace(said, tables={**said.tables, **found})
        said, epsilon = self._ranges(shape, said)
        said = self._bounds(shape, said, word)
        return replace(said, budgets=self._budgets(word, epsilon)), (
            None if epsilon is None else Fraction(epsilon)
        )

    def _unit(self, shape: Shape, imported: Imported) -> tuple[str, str]:
        if self._flags["unit"] is not None:
            return shape.place(self._flags["unit"], flag="--unit")
        return unit_of(imported) if imported.units else dialogue.unit(shape)

    def _ranges(self, shape: Shape, said: Decisions) -> tuple[Decisions, str | None]:
        epsilon: str | None = self._flags["private_ranges"]
        how: Ranges | None = self._flags["ranges"]
        if how is None and epsilon is not None:
            how = "none"
        elif how is None and self._asks:
            how, epsilon = dialogue.how_ranges()
        how = how or "none"  # a sum as wide as a type is nothing but noise
        said = replace(said, ranges=how)
        if how == "ask":
            draft = assemble(shape, said, database="", ledger="")
            found = dialogue.columns(shape, draft.tables)
            said = replace(said, columns={**found, **said.columns})
        return said, epsilon

    def _bounds(self, shape: Shape, said: Decisions, word: str) -> Decisions:
        groups, rows = self._flags["max_groups"], self._flags["max_rows"]
        draft = assemble(shape, said, database="", ledger="")
        if self._asks and draft.max_rows_per_group > 1 and None in (groups, rows):
            groups, rows = dialogue.bounds(word, groups, rows)
        return replace(said, max_groups=groups, max_rows=rows)

    def _budgets(self, word: str, scan: str | None) -> Any:
        flags = self._flags
        owner = None if scan is None else (flags["owner"], scan)
        given = flags["epsilon"], flags["delta"], flags["total_epsilon"]
        if self._asks and given == (None, None, None):
            return dialogue.budgets(word, owner)
        each = {"epsilon": flags["epsilon"], "delta": flags["delta"]}
        said = {name: text for name, text in each.items() if text is not None}
        return propose(**said, total=flags["total_epsilon"], owner=owner)

    # ---- the file ------------------------------------------------------------------------

    def _policy(self, draft: Draft, shape: Shape) -> Policy:
        """The draft read back by the policy's own reader and held against the schema."""
        folder = self._output.absolute().parent
        policy = load_text(policy_text(draft), source=str(self._output), base=folder)
        for finding in check(policy, shape.catalog):
            if finding.level == "error":
                raise PolicyError(
                    f"{finding.where}: {finding.message}",
                    code="unfit",
                    hint=finding.hint or "decide otherwise about this table (--table)",
                )
        return policy

    def _scanned(self, draft: Draft, shape: Shape, policy: Policy, epsilon: Fraction) -> Draft:
        from dpsql.setup.private_ranges import Found, Target, said_of, scan

        targets = [
            Target(table.name, name)
            for key, table in draft.tables.items()
            if table.state == "private"
            for name in _without_range(shape, key, table)
        ]
        if not targets:
            raise InterfaceError(
                "--private-ranges: every column that could have a range has one",
                code="init-flag",
                hint="leave the flag out: nothing was charged",
            )
        note(f"private scan of {len(targets)} columns at ε = {float(epsilon):g} in all ...")
        found = scan(policy, self._flags["owner"], epsilon, targets)
        by_place = dict(zip(((t.table, t.column) for t in targets), found, strict=True))

        def ranged(table: TableDraft, column: ColumnDraft) -> ColumnDraft:
            one: Found | None = by_place.get((table.name, column.name))
            if one is None:
                return column
            return replace(column, range=one.range, comment=said_of(one))

        tables = {
            key: replace(table, columns=tuple(ranged(table, column) for column in table.columns))
            for key, table in draft.tables.items()
        }
        paid = (
            f"Ranges marked `private scan` were found by private queries for ε = {float(epsilon):g}"
            f" in all, charged to `{self._flags['owner']}` in the ledger and so to the total."
        )
        return replace(draft, tables=tables, notes=(*draft.notes, paid))

    def _write(self, text: str) -> None:
        try:
            with part_file(self._output) as part:
                part.write_text(text, encoding="utf-8")
                self._spare(self._output, "the policy")
        except OSError as problem:
            raise OperationalError(
                f"{self._output} cannot be written: {problem.strerror}", code="output"
            ) from None

    def _spare(self, path: Path, what: str) -> None:
        if path.exists() and not self._flags["force"]:
            flag = "-o" if what == "the policy" else "--database"
            raise InterfaceError(
                f"{path} is there already",
                code="init-exists",
                hint=f"name another file for {what} by {flag}, or replace it by --force",
            )

    def _done(self, draft: Draft) -> list[str]:
        states = {"private": [], "public": [], "omit": []}  # type: dict[str, list[str]]
        for table in draft.tables.values():
            states[table.state].append(table.name)
        file = shlex.quote(str(self._output))
        lines = [f"wrote {self._output}"]
        lines += [f"  private by {draft.unit}: {', '.join(states['private'])}"]
        if states["public"]:
            lines.append(f"  public: {', '.join(states['public'])}")
        if states["omit"]:
            lines.append(f"  left out (the file says why): {', '.join(states['omit'])}")
        return [*lines, f"next: read it, then  dpsql check --policy {file}"]


def _without_range(shape: Shape, key: str, table: TableDraft) -> list[str]:
    """Columns that a scan is for: a range could clamp them, and nothing is said of them."""
    ids = identifiers(shape, key, table.unit)
    settled = {column.name for column in table.columns if column.written}
    return [
        name
        for name, column in shape.tables[key].columns.items()
        if rangeable(column) and name not in ids and name not in settled
    ]
