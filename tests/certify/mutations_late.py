"""Bounded cells that meet several rows of a unit, or another unit's: (statement, text, new)."""

from __future__ import annotations

from statements import Mutation

_PERSONS = 'JOIN "main"."persons" AS t1 ON t1."id" = a."u"'

LATE: dict[str, Mutation] = {
    # ---- met more than once
    "cells meet all regions": ("late", 'ON t1."city" = t2."city"', 'ON t1."age" > 3'),
    "cells meet a table without keys": ("late", '"main"."regions"', '"main"."aliases"'),
    "cells meet rows by another column": (
        "late",
        't1."city" = t2."city"',
        't1."city" = t2."region"',
    ),
    "cells meet many visits": (
        "late capped",
        _PERSONS,
        _PERSONS + ' JOIN "main"."visits" AS t9 ON t9."person_id" = a."u"',
    ),
    "cells meet lab rows": (
        "late",
        "WHERE NOT a.u IS NULL) AS b",
        'CROSS JOIN "main"."regions" AS t9 WHERE NOT a.u IS NULL) AS b',
    ),
    # ---- met by somebody else
    "cells meet other persons": ("late", 't1."id" = a."u"', 't1."age" = a."u"'),
    "cells meet persons by a count": ("late", 't1."id" = a."u"', 't1."id" = a."n0"'),
    "cells meet everybody": ("late", 't1."id" = a."u"', 't1."id" > a."u"'),
    "cells are under the key's unit": ("late", "SELECT a.u AS u,", "SELECT a.n0 AS u,"),
    "cells of nobody": ("late", " WHERE NOT a.u IS NULL) AS b", ") AS b"),
    # ---- what the join leaves unbounded
    "late cells without the cap": ("late capped", " WHERE rn <= 2) AS a", ") AS a"),
    "late cells of more groups": ("late capped", "rn <= 2", "rn <= 3"),
    "late cells without their key": ("late capped", "a.k1 AS k1", 't1."sex" AS k1'),
    "late cells not bounded": ("late", "LEAST(n0, 20) AS n0", "n0"),
    "late cells bounded by a column": ("late", "a.n0 AS n0", 't1."age" AS n0'),
    "late cells multiplied": ("late", "a.n0 AS n0", 'a.n0 * t1."age" AS n0'),
    "late join kept open": (
        "late",
        'JOIN "main"."persons" AS t1',
        'FULL JOIN "main"."persons" AS t1',
    ),
    "late cells on the open side": (
        "late",
        'JOIN "main"."persons" AS t1 ON',
        'RIGHT JOIN "main"."persons" AS t1 ON',
    ),
    "late hidden key": ("late", 't2."region" AS k0', 't1."secret" AS k0'),
    "late filter by a sum": ("late", "WHERE NOT a.u", "WHERE SUM(a.n0) > 3 AND NOT a.u"),
}
