"""Flags that several commands share, so that they are the same everywhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from dpsql.commands.words import Word
from dpsql.errors import Error, InterfaceError, InvalidQuery

F = TypeVar("F", bound=Callable[..., Any])

TEXT_FORMATS = ("table", "csv", "json", "jsonl", "markdown")
ALIGNED_FORMATS = ("table", "markdown")
BINARY_FORMATS = ("parquet", "arrow")
DEFAULT_POLICY = "dpsql.yaml"


def policy_option(command: F) -> F:
    """--policy FILE > DPSQL_POLICY > ./dpsql.yaml."""
    return click.option(
        "--policy",
        metavar="FILE",
        envvar="DPSQL_POLICY",
        default=DEFAULT_POLICY,
        help="The owner's policy file. [DPSQL_POLICY; else ./dpsql.yaml]",
    )(command)


def analyst_option(command: F) -> F:
    """--analyst NAME > DPSQL_ANALYST, else a usage error."""
    return click.option(
        "--analyst",
        metavar="NAME",
        envvar="DPSQL_ANALYST",
        callback=_named,
        help="Who asks: the name whose budget pays. [DPSQL_ANALYST]",
    )(command)


def _named(_: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None:
        raise click.UsageError("say who asks: --analyst NAME, or set DPSQL_ANALYST")
    return value


def wrong_option(name: str, problem: Error, hint: str | None = None) -> InterfaceError:
    """The fault lies in an option's value: usage (exit 2), though SQL with it would be refused."""
    own = name.lstrip("-").replace("-", "_")  # as problems call it: `error must be above 0`
    said = problem.message
    message = name + said[len(own) :] if re.match(rf"{own}:? ", said) else f"{name}: {said}"
    return InterfaceError(message, code=problem.code, hint=problem.hint if hint is None else hint)


@contextmanager
def options_at_fault() -> Iterator[None]:
    """What only an option can mend, but only the query can show, is wrong usage, too."""
    try:
        yield
    except InvalidQuery as problem:
        if problem.code == "bad-parameter":
            way = "--param VALUE for each `?`, --param NAME=VALUE for each :NAME"
            hint = f"{problem.hint}; {way}" if problem.hint else way
            raise wrong_option("--param", problem, hint) from None
        if problem.code == "no-epsilon":
            raise wrong_option("--epsilon", problem, "add --epsilon 0.5, say") from None
        raise


def _price(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A number that no policy could take is wrong usage; one above the cap is refused later."""
    if value is not None:
        from dpsql.core.numbers import read_delta, read_epsilon

        read, example = (read_epsilon, "0.5") if option.name == "epsilon" else (read_delta, "1e-7")
        try:
            read(value)
        except InvalidQuery as problem:
            hint = f"write a positive decimal number such as {example}"
            raise wrong_option(f"--{option.name}", problem, hint) from None
    return value


def _dialect(_: click.Context, __: click.Parameter, value: str) -> str:
    if value != "duckdb":
        from dpsql.sql.parser import read_dialect

        try:
            read_dialect(value)
        except InvalidQuery as problem:
            raise wrong_option("--dialect", problem) from None
    return value


def price_options(command: F) -> F:
    """--epsilon and --delta, as exact decimal text."""
    delta = click.option("--delta", metavar="D", callback=_price, help="Its δ, such as 1e-7.")
    epsilon = click.option(
        "--epsilon",
        metavar="E",
        callback=_price,
        help="Price of each private query in it (a chain has several); the policy's if left out.",
    )
    return epsilon(delta(command))


def post_process_option(command: F) -> F:
    """--post-process WORD: how totals are made to add up."""
    return click.option(
        "--post-process",
        type=Word(("auto", "none", "additive", "consistent")),
        default=None,
        help="Totals that add up: auto (where it is proved), none (as drawn), additive (all totals"
        " of the statement), consistent (that, and counts of at least 0). Free.",
    )(command)


def _request_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from dpsql.ledger.requests import read_id

        try:
            read_id(value)
        except InvalidQuery as problem:
            raise wrong_option("--request-id", problem) from None
    return value


def request_id_option(command: F) -> F:
    """--request-id ID, for scripts that ask again after a failure."""
    return click.option(
        "--request-id",
        metavar="ID",
        callback=_request_id,
        help="Your own name for this request, a UUID say. Asked again under it, it is answered by"
        " what was paid for, and charged anew only if nothing was released.",
    )(command)


def dialect_option(command: F) -> F:
    """--dialect NAME, of the SQL that is read."""
    return click.option(
        "--dialect",
        metavar="NAME",
        default="duckdb",
        show_default=True,
        callback=_dialect,
        help="The SQL's dialect, by sqlglot's name: postgres, bigquery, snowflake, ...",
    )(command)


def sql_options(command: F) -> F:
    """The SQL (argument, -f FILE or -), its dialect and its parameters."""
    for decorator in (
        click.option(
            "--param",
            "params",
            metavar="[NAME=]VALUE",
            multiple=True,
            help="A value for :NAME or, without a name, for the next `?`. Numbers, true, false"
            " and null are read as such, 'quoted' and all else as text. Repeatable.",
        ),
        dialect_option,
        click.option(
            "-f", "--file", metavar="FILE", help="Read the SQL from a file (- for standard input)."
        ),
        click.argument("sql", required=False, metavar="SQL|-"),
    ):
        command = decorator(command)
    return command


def format_option(*more: str) -> Callable[[F], F]:
    """--format, with the text formats and the given others."""
    return click.option(
        "--format",
        "form",
        type=Word([*TEXT_FORMATS, *more]),
        default="table",
        show_default=True,
        help="How to print the answer.",
    )


def output_option(command: F) -> F:
    """-o FILE."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the answer to a file, not to stdout; .csv, .json, .jsonl, .md, .parquet,"
        " .arrow, .arrows and .feather name the format, any other name needs --format.",
    )(command)


def bars_option(command: F) -> F:
    """--bars, --no-bars; neither is None: what is usual for the format."""
    return click.option(
        "--bars/--no-bars",
        default=None,
        help="Error bars: `±` or [low, high] in table and markdown (usual there), columns NAME_low"
        " and NAME_high with the ends of the 95 % interval in all others (usually left out).",
    )(command)


_SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
}


def form_of(form: str, output: str | None) -> str:
    """The format: what --format says, else what the file's name says.

    UsageError where neither does: `answer.xlsx` would hold a text table that no Excel opens.
    """
    said = click.get_current_context().get_parameter_source("form")
    if output is None or said is not ParameterSource.DEFAULT:
        return form
    found = suffix_form(output)
    if found is None and _plain_file(output):
        raise click.UsageError(
            f"-o {output}: its name says no format: end it in {', '.join(_SUFFIXES)},"
            " or name one by --format"
        )
    return found or form


def _plain_file(output: str) -> bool:
    """A device or a pipe, such as /dev/stdout, has no suffix to name a format by."""
    path = Path(output)
    return path.is_file() or not path.exists()


def suffix_form(output: str) -> str | None:
    """The format that a file's name speaks of, if any."""
    return _SUFFIXES.get(Path(output).suffix.lower())


def read_sql(sql: str | None, file: str | None) -> str:
    """The SQL of exactly one source. Nothing is ever asked for: UsageError names the flag."""
    if (sql is None) == (file is None):
        raise click.UsageError("give the SQL once: as an argument, by -f FILE, or - to read stdin")
    source = file if file is not None else sql
    if sql is not None and sql != "-":
        if sql.casefold().endswith(".sql") and not any(map(str.isspace, sql)):
            raise click.UsageError(f"{sql} is no SQL; to read a file: -f {sql}")
        return sql
    try:
        if source == "-":
            return sys.stdin.read()
        return Path(str(source)).read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise click.UsageError(f"{source} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{source} is not UTF-8 text") from None
