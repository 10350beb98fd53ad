"""What the total forms in PostgreSQL rest on, asked of the server when it is connected to.

As `duckdb_drift`: one statement without a table, a few milliseconds, under the settings that every
statement of ours has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import psycopg2.extensions

_ROW = (
    "SELECT * FROM (VALUES (0::float8, 1::float8, -1::float8, 'NaN'::float8, 'Infinity'::float8,"
    " 2.5::float8, 9223372036854775807, NULL::float8, '12x'::text, 'infinity'::date,"
    " DATE '2020-02-29', 2.5::numeric, 'NaN'::numeric))"
    " AS v(zero, one, minus, nan, inf, half, big, none, s, d, leap, exact, odd)"
)
PROBES: tuple[tuple[str, str | None], ...] = (
    # NaN, infinities and NULL in comparisons and clamps
    ("nan = nan", "true"),
    ("nan > inf", "true"),
    ("nan BETWEEN -1 AND 1", "false"),
    ("abs(nan) < 'Infinity'::float8", "false"),
    ("abs(inf) < 'Infinity'::float8", "false"),
    ("abs(none) < 'Infinity'::float8", None),
    ("least(greatest(none, zero), one)", "0"),
    ("least(greatest(nan, zero), one)", "1"),
    ("NULLIF(odd, 'NaN'::numeric)", None),
    ("-zero = zero", "true"),
    # rounding: of floats half to even, of exact numbers half away from zero
    ("CAST(half AS bigint)", "2"),
    ("CAST(exact AS bigint)", "3"),
    ("CAST(-exact AS bigint)", "-3"),
    ("round(exact, 0)", "3"),
    ("trunc(-half)", "-2"),
    ("floor(-half)", "-3"),
    # whole numbers
    ("pg_typeof(big + 0)", "bigint"),
    ("CAST(big AS numeric) * CAST(big AS numeric)", "85070591730234615847396907784232501249"),
    ("-7 / 2", "-3"),
    ("-7 % 2", "-1"),
    ("div(-7::numeric, 2)", "-3"),
    ("-7::numeric % 2", "-1"),
    # moments
    ("isfinite(d)", "false"),
    ("d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'", "false"),
    ("date_part('year', leap)", "2020"),
    ("date_part('isodow', leap)", "6"),
    ("date_part('dow', leap)", "6"),
    ("date_part('week', leap)", "9"),
    ("date_trunc('month', CAST(leap AS timestamp))", "2020-02-01 00:00:00"),
    ("date_trunc('week', CAST(leap AS timestamp))", "2020-02-24 00:00:00"),
    ("CAST(leap AS timestamp) + INTERVAL '1 year'", "2021-02-28 00:00:00"),
    ("leap - DATE '2020-01-01'", "59"),
    # texts
    ("left(s, 2)", "12"),
    ("substr(s, 2, 1)", "2"),
    ("strpos(s, '2x')", "2"),
    ("split_part(s, 'q', 2)", ""),
    ("lpad(s, 2, 'y')", "12"),
    ("s LIKE '12!x' ESCAPE '!'", "true"),
    ("'a' < 'B' COLLATE \"C\"", "false"),
    ("length('\u00e9')", "1"),
    ("octet_length('\u00e9')", "2"),
    ("pg_typeof(hashint8extended(big, big))", "bigint"),
    ("pg_typeof(hashtextextended(s, big))", "bigint"),
)


def statement(probes: tuple[tuple[str, str | None], ...]) -> str:
    return f"SELECT {', '.join(f'CAST({sql} AS text)' for sql, _ in probes)} FROM ({_ROW}) AS p"


def refuse_drift(connection: psycopg2.extensions.connection) -> None:
    """EngineFailed `engine-drift` where the server computes otherwise than it was verified to."""
    from dpsql.dialects.postgres_open import BEGIN

    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        try:
            cursor.execute(statement(PROBES))
            found = cursor.fetchone() or ()
        finally:
            cursor.execute("ROLLBACK")
    for (sql, want), got in zip(PROBES, found, strict=True):
        if got != want:
            OWNER_LOG.error("PostgreSQL: %s is %s here", sql, got)
            raise EngineFailed(
                f"this PostgreSQL does not compute {sql} as dpsql was verified on",
                code="engine-drift",
                hint="use an unmodified PostgreSQL 14 to 18",
            )
