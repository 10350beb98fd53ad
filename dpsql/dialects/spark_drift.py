"""What the total forms in Spark rest on, asked of the session when it is opened.

As `duckdb_drift`: one statement without a table, under the settings that are pinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROW = (
    "SELECT * FROM VALUES (CAST(0 AS DOUBLE), CAST(1 AS DOUBLE), CAST(-1 AS DOUBLE),"
    " CAST('NaN' AS DOUBLE), CAST('Infinity' AS DOUBLE), CAST(2.5 AS DOUBLE), 9223372036854775807,"
    " CAST(NULL AS DOUBLE), '12x', DATE '2020-02-29', CAST(2.5 AS DECIMAL(10, 1)), '\\\\')"
    " AS v(zero, one, minus, nan, inf, half, big, none, s, leap, exact, slash)"
)
PROBES: tuple[tuple[str, str | None], ...] = (
    # NaN, infinities and NULL in comparisons and clamps
    ("nan = nan", "true"),
    ("nan > inf", "true"),
    ("nan BETWEEN minus AND one", "false"),
    ("isnan(nan)", "true"),
    ("none > zero", None),
    ("least(greatest(none, zero), one)", "0.0"),
    ("least(greatest(nan, zero), one)", "1.0"),
    ("-zero = zero", "true"),
    # divisions and casts that are NULL instead of raising
    ("try_divide(one, zero)", None),
    ("try_cast(s AS INT)", None),
    ("try_cast(s AS DATE)", None),
    ("try_cast(nan AS BIGINT)", None),
    ("try_cast(big AS INT)", None),
    ("try_add(big, 1L)", None),
    ("try_multiply(big, 2L)", None),
    # rounding: towards zero in a cast, half up and half to even by name
    ("CAST(half AS BIGINT)", "2"),
    ("CAST(exact AS BIGINT)", "2"),
    ("round(exact, 0)", "3"),
    ("round(-exact, 0)", "-3"),
    ("bround(exact, 0)", "2"),
    ("rint(half)", "2.0"),
    ("floor(-half)", "-3"),
    # whole numbers
    ("typeof(big + 0L)", "bigint"),
    (
        "CAST(big AS DECIMAL(38, 0)) * CAST(big AS DECIMAL(38, 0))",
        "85070591730234615847396907784232501249",
    ),
    ("-7 div 2", "-3"),
    ("-7 % 2", "-1"),
    # moments
    ("typeof(CAST(leap AS TIMESTAMP_NTZ))", "timestamp_ntz"),
    ("date_part('YEAR', leap)", "2020"),
    ("date_part('DAYOFWEEK_ISO', leap)", "6"),
    ("CAST(date_trunc('MONTH', leap) AS STRING)", "2020-02-01 00:00:00"),
    ("add_months(leap, 12)", "2021-02-28"),
    ("datediff(leap, DATE '2020-01-01')", "59"),
    ("current_timezone()", "UTC"),
    # texts
    ("left(s, 2)", "12"),
    ("substr(s, 2, 1)", "2"),
    ("instr(s, '2x')", "2"),
    ("lpad(s, 2, 'y')", "12"),
    ("'1_x' LIKE '1!_x' ESCAPE '!'", "true"),
    ("s LIKE '1!_x' ESCAPE '!'", "false"),
    ("length(slash)", "1"),
    ("concat(s, CAST(NULL AS STRING))", None),
    ("'a' < 'B'", "false"),
    ("'${spark.master}'", "${spark.master}"),
    ("length('\u00e9')", "1"),
    ("octet_length('\u00e9')", "2"),
    ("typeof(xxhash64(s, big))", "bigint"),
)


def statement(probes: tuple[tuple[str, str | None], ...]) -> str:
    return f"SELECT {', '.join(f'CAST({sql} AS STRING)' for sql, _ in probes)} FROM ({_ROW}) AS p"


def refuse_drift(session: SparkSession) -> None:
    """EngineFailed `engine-drift` where Spark computes otherwise than it was verified to."""
    (found,) = session.sql(statement(PROBES)).collect()
    for (sql, want), got in zip(PROBES, found, strict=True):
        if got != want:
            OWNER_LOG.error("Spark: %s is %s here", sql, got)
            raise EngineFailed(
                f"this Spark does not compute {sql} as dpsql was verified on",
                code="engine-drift",
                hint="use an unmodified Spark 4",
            )
