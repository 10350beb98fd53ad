"""What the total forms rest on, asked of the engine itself when a database is opened.

`functions/` writes forms that cannot raise because of what DuckDB does with the risky parts in
them: 1 / 0.0 is an infinity, GREATEST skips NULL, TRY_CAST gives NULL. A new version or a setting
of the owner's connection (`ieee_floating_point_ops`, `integer_division`) can change that, and then
one row would raise. One statement without a table asks all of it, in about a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dpsql.errors import EngineFailed

if TYPE_CHECKING:
    import duckdb

# zero 0.0, one 1.0, minus -1.0, huge 1e308, nan; i 0, big 2^63-1; none NULL; s '12x'; d infinity
_ROW = (
    "SELECT * FROM (VALUES (0e0, 1e0, -1e0, 1e308, 'nan'::DOUBLE, 'inf'::DOUBLE, 0,"
    " 9223372036854775807, NULL::DOUBLE, '12x', 'infinity'::DATE, DATE '2020-02-29', 2.5))"
    " AS v(zero, one, minus, huge, nan, inf, i, big, none, s, d, leap, half)"
)
PROBES: tuple[tuple[str, object], ...] = (
    # floats pass through NaN and the infinities and raise nowhere
    ("one / zero", "inf"),
    ("minus / zero", "-inf"),
    ("isnan(zero / zero)", "true"),
    ("huge * 10", "inf"),
    ("huge + huge", "inf"),
    ("exp(huge)", "inf"),
    ("isnan(sqrt(minus))", "true"),
    ("isnan(ln(minus))", "true"),
    ("ln(zero)", "-inf"),
    ("isnan(asin(huge))", "true"),
    ("isnan(sin(inf))", "true"),
    ("pow(huge, 2e0)", "inf"),
    ("isnan(pow(minus, 0.5e0))", "true"),
    ("isnan(one % zero)", "true"),
    # whole numbers: divisions that are NULL, sums that are wide
    ("1 // NULLIF(i, 0)", None),
    ("1 % NULLIF(i, 0)", None),
    ("1 / 2", "0.5"),
    ("typeof(1 / 2)", "DOUBLE"),
    ("typeof(big // 2)", "BIGINT"),
    ("CAST(big AS HUGEINT) * CAST(big AS HUGEINT)", "85070591730234615847396907784232501249"),
    # NaN and NULL in comparisons and clamps
    ("nan = nan", "true"),
    ("nan > inf", "true"),
    ("nan BETWEEN 0 AND 100", "false"),
    ("LEAST(GREATEST(nan, zero), one)", "1.0"),
    ("LEAST(GREATEST(none, zero), one)", "0.0"),
    ("isfinite(nan) OR isfinite(inf)", "false"),
    ("none > 0", None),
    # casts that give NULL, and how they round
    ("TRY_CAST(s AS INTEGER)", None),
    ("TRY_CAST(s AS DATE)", None),
    ("TRY_CAST(nan AS BIGINT)", None),
    ("TRY_CAST(inf AS HUGEINT)", None),
    ("TRY_CAST(huge AS DECIMAL(38, 2))", None),
    ("TRY_CAST(big AS INTEGER)", None),
    ("CAST(2.5e0 + zero AS BIGINT)", "2"),
    ("CAST(half AS BIGINT)", "3"),
    ("round(2.5e0 + zero)", "3.0"),
    ("round(-2.5e0 + zero)", "-3.0"),
    # moments
    ("isfinite(d)", "false"),
    ("date_part('year', d)", None),
    ("date_diff('day', d, leap)", None),
    ("leap + INTERVAL 1 YEAR", "2021-02-28 00:00:00"),
    ("date_trunc('month', leap)", "2020-02-01 00:00:00"),
    ("isodow(leap)", "6"),
    # texts
    ("substring(s, -2, 1)", "2"),
    ("strpos(s, '2x')", "2"),
    ("split_part(s, 'q', 2)", ""),
    ("lpad(s, 2, 'y')", "12"),
    ("unicode('' || left(s, 0))", "-1"),
    ("s LIKE '12!x' ESCAPE '!'", "true"),
    ("concat(s, CAST(none AS VARCHAR))", "12x"),
    ("typeof(hash(s))", "UBIGINT"),
)
_VERIFIED: set[str] = set()
"""Versions whose instances with our own settings were asked in this process."""


def statement(probes: tuple[tuple[str, object], ...]) -> str:
    """The probes as text, in one row."""
    return f"SELECT {', '.join(f'CAST({sql} AS VARCHAR)' for sql, _ in probes)} FROM ({_ROW})"


def refuse_drift(connection: Any, version: str, *, ours: bool) -> None:
    """EngineFailed `engine-drift` where the engine differs from what dpsql was verified on.

    `ours`: the instance has our settings, so one look a version and process is enough.
    """
    if ours and version in _VERIFIED:
        return
    drifted = _drifted(connection)
    if drifted:
        raise EngineFailed(
            f"DuckDB {version} does not compute {drifted[0]} as dpsql was verified on",
            code="engine-drift",
            hint="use the default settings of the connection that is passed as engine=, such as"
            " ieee_floating_point_ops and integer_division, or another version of DuckDB",
        )
    if ours:
        _VERIFIED.add(version)


def _drifted(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The probes that differ; all that fail, asked one by one, if any fails."""
    import duckdb

    try:
        found = connection.execute(statement(PROBES)).fetchone() or ()
        return [sql for (sql, want), got in zip(PROBES, found, strict=True) if got != want]
    except duckdb.Error:
        return [probe[0] for probe in PROBES if _differs(connection, probe)]


def _differs(connection: duckdb.DuckDBPyConnection, probe: tuple[str, object]) -> bool:
    import duckdb

    try:
        found = connection.execute(statement((probe,))).fetchone() or ()
    except duckdb.Error:
        return True
    return found != (probe[1],)
