"""Faults in the stepwise clamp of floats: three intervals, a value for each."""

from __future__ import annotations

_LO, _HI = "CAST('-50.0' AS DOUBLE)", "CAST('5000.0' AS DOUBLE)"
_INSIDE = f't0."cost" BETWEEN {_LO} AND {_HI} THEN'
_BELOW = f"AND {_LO} THEN 0"
_ABOVE = "THEN 10342400 END"
_SCALED = "TRY_CAST(t0.\"cost\" * CAST('2048.0' AS DOUBLE) AS BIGINT)"

_LAST = "TRY_CAST(t0.\"cost\" * CAST('2048.0' AS DOUBLE) AS BIGINT) + 102400 END"
_LARGEST = "1.7976931348623157e+308"

_INTERVALS = {
    f"steps: {name}": ("steps", old, new)
    for name, (old, new) in {
        "inside reaches higher": (_INSIDE, _INSIDE.replace("5000.0", "5000.1")),
        "inside reaches lower": (_INSIDE, _INSIDE.replace("-50.0", "-50.1")),
        "inside is open": (_INSIDE, f't0."cost" >= {_LO} THEN'),
        "inside is turned round": (_INSIDE, f't0."cost" BETWEEN {_HI} AND {_LO} THEN'),
        "inside tests another column": (_INSIDE, _INSIDE.replace("cost", "visit_id")),
        "inside tests the scaled value": (
            _INSIDE,
            _INSIDE.replace('t0."cost"', "t0.\"cost\" * CAST('0.5' AS DOUBLE)"),
        ),
        "inside is negated": (_INSIDE, "NOT " + _INSIDE),
        "inside or anything": (_INSIDE, _INSIDE.replace(" THEN", " OR TRUE THEN")),
        "inside by text": (_INSIDE, _INSIDE.replace(_HI, "'5000.0'")),
        "inside up to infinity": (_INSIDE, _INSIDE.replace("5000.0", "inf")),
        "inside up to NaN": (_INSIDE, _INSIDE.replace("5000.0", "nan")),
        "scaled more": (_SCALED, _SCALED.replace("2048.0", "4096.0")),
        "scaled by itself": (_SCALED, _SCALED.replace("CAST('2048.0' AS DOUBLE)", 't0."cost"')),
        "another column's value": (_SCALED, _SCALED.replace("cost", "visit_id")),
        "a cast that may fail": (_SCALED, _SCALED.removeprefix("TRY_")),
        "a test that is text": (_BELOW, f'AND {_LO} THEN 0 WHEN t0."dept" THEN 1'),
        "a test whose cast may fail": (
            _BELOW,
            f'AND {_LO} THEN 0 WHEN CAST(t0."dept" AS BIGINT) > 0 THEN 1',
        ),
        "left a float": (_SCALED, "t0.\"cost\" * CAST('2048.0' AS DOUBLE)"),
        "shift changed": ("+ 102400", "+ 102401"),
        "shift the other way": ("+ 102400", "- 102400"),
        "below is lower": (_BELOW, f"AND {_LO} THEN -1"),
        "below is its own value": (_BELOW, f'AND {_LO} THEN t0."cost"'),
        "above is higher": (_ABOVE, "THEN 10342401 END"),
        "above is a column": (_ABOVE, 'THEN t0."visit_id" END'),
        "else added": (_ABOVE, "THEN 10342400 ELSE 10342401 END"),
        "a branch more": (_ABOVE, 'THEN 10342400 WHEN t0."cost" IS NULL THEN 99999999 END'),
    }.items()
}

# The ELSE is NULL for whatever reaches it: it is an attempt, and no finite number is left.
_ENDS = {
    f"last step: {name}": ("last step", old, new)
    for name, (old, new) in {
        "finite values beyond the last test": (f"CAST('{_LARGEST}'", "CAST('1e300'"),
        "finite values before the first test": (f"CAST('-{_LARGEST}'", "CAST('-1e300'"),
        "a gap between two tests": (
            f"BETWEEN CAST('5000.0' AS DOUBLE) AND CAST('{_LARGEST}'",
            f"BETWEEN CAST('5000.1' AS DOUBLE) AND CAST('{_LARGEST}'",
        ),
        "a test of another column": (
            f"\"cost\" BETWEEN CAST('5000.0' AS DOUBLE) AND CAST('{_LARGEST}'",
            f"\"visit_id\" BETWEEN CAST('5000.0' AS DOUBLE) AND CAST('{_LARGEST}'",
        ),
        "a test is dropped": (
            f"WHEN t0.\"cost\" BETWEEN {_HI} AND CAST('{_LARGEST}' AS DOUBLE) THEN 10342400",
            "",
        ),
        "a test is negated": (
            f"WHEN t0.\"cost\" BETWEEN {_HI} AND CAST('{_LARGEST}'",
            f"WHEN NOT t0.\"cost\" BETWEEN {_HI} AND CAST('{_LARGEST}'",
        ),
        "a cast that may fail": (f"ELSE {_LAST}", f"ELSE {_LAST.removeprefix('TRY_')}"),
        "an attempt of another column": (_LAST, _LAST.replace("cost", "visit_id")),
        "an attempt of a constant": (
            _LAST,
            _LAST.replace('t0."cost" *', "CAST('1.0' AS DOUBLE) *"),
        ),
        "times nothing": (f"ELSE {_LAST}", f"ELSE {_LAST.replace('2048.0', '0.0')}"),
        "times infinity": (f"ELSE {_LAST}", f"ELSE {_LAST.replace('2048.0', 'inf')}"),
        "times a column": (
            f"ELSE {_LAST}",
            "ELSE " + _LAST.replace("CAST('2048.0' AS DOUBLE)", 't0."cost"'),
        ),
        "left a float": (f"ELSE {_LAST}", f"ELSE {_LAST.replace('BIGINT', 'DOUBLE')}"),
        "moved by a column": (f"ELSE {_LAST}", "ELSE " + _LAST.replace("102400", 't0."visit_id"')),
        "a constant": (f"ELSE {_LAST}", "ELSE 10342401 END"),
        "filled": (f"ELSE {_LAST}", f"ELSE COALESCE({_LAST.removesuffix(' END')}, 10342401) END"),
        "clamped sum over no rows": ("COUNT(v0) AS n0", "SUM(v0 * 0 + 1) AS n0"),
    }.items()
}

STEPS = {**_INTERVALS, **_ENDS}
