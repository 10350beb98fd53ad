"""An independent check of the SQL that is about to run (translation validation).

It reads the *text* that will be sent and derives anew, from the policy's unit paths and the
engine's enforced keys, how far one unit can move every output column. It shares no code with the
rewriter, knows none of its plans, and understands few forms: what it does not follow is refused.

Reading order, from the text up:

forms       the words of an engine → the normal form; PostgreSQL's: postgres (relations),
            postgres_rows (one row) and its families: guards, attempts, rounding,
            moments, calls, words; Spark's: spark and its own; foreign_*: what both share
claim       what the plan says of the statement
grammar     constructs that may occur at all; default deny
reader      text → one SELECT
tables      names → declared tables, unit paths, enforced keys
facts       abstract values: what is known of a column, of a relation
scope       names in sight; expressions over one row
kinds       which expressions are exact integers
ranges      clamps by constants, carried through monotone steps
instants    dates between two constants
spans       exact numbers between two constants, by their types
rows        expressions over one row: conditions are BOOLEAN, casts fit
steps       functions of a row's class
polys       polynomials of a row's value, or of two
values      a row's value: the guarded integer clamp; polynomials of it
cells       a cell's partial: capped, clamped, scaled, weighted; ranks
joins       whose row is it; how many rows can a unit have
listed      rows of constants as a public table
given       lists beside the text as a public table (chains)
lookups     IN a public table's column
normal      floats without -0.0
unions      UNION ALL of relations
kept        a table of kept cells as the relation that its definition says
windows     windows over the rows of a unit
relations   one SELECT below the totals
bounds      coordinates → L0, Linf, L1, L2²
totals      the outermost SELECT against the claim
levels      levels of one relation each, the cap on groups
histogram   the same for a histogram: bins, weights, groups
distinct    the same for distinct values: who has which
choice      counts that one more unit cannot lower: for the choice of a bound

What is trusted: sqlglot reads the text as the engine does, the catalog says what the engine
enforces, the engine computes what its SQL says. What is not checked here: that no listed
expression but a CAST can raise (functions/ sees to it, and every engine error is one constant
message).
"""

from __future__ import annotations

from dpsql.certify.choice import check_choice
from dpsql.certify.claim import BlockClaim, Claim, DistinctClaim, HistogramClaim
from dpsql.certify.distinct import check_distinct
from dpsql.certify.forms import normal_form
from dpsql.certify.histogram import check_histogram
from dpsql.certify.kept import KeptTable, check_cells
from dpsql.certify.reader import read_statement
from dpsql.certify.relations import Reader
from dpsql.certify.scope import Serials
from dpsql.certify.tables import Tables
from dpsql.certify.totals import check_totals
from dpsql.core.catalog import Catalog
from dpsql.policy.schema import Policy


def certify(sql: str, claim: Claim, *, policy: Policy, catalog: Catalog) -> None:
    """Return if the statement bounds every unit's contribution as claimed.

    Raises InternalError (code `certify`) naming the rule that was not shown to hold; the message
    has no data and no SQL in it; RecursionError where the text is nested too deeply to be followed.
    Reads no rows.
    """
    root = read_statement(sql)
    check_totals(root, claim, Reader(Tables(policy, catalog), Serials()))


def certify_histogram(sql: str, claim: HistogramClaim, *, policy: Policy, catalog: Catalog) -> None:
    """`certify` for the statement of one histogram."""
    root = read_statement(sql)
    check_histogram(root, claim, Reader(Tables(policy, catalog), Serials()))


def certify_distinct(sql: str, claim: DistinctClaim, *, policy: Policy, catalog: Catalog) -> None:
    """`certify` for the statement of distinct values."""
    root = read_statement(sql)
    check_distinct(root, claim, Reader(Tables(policy, catalog), Serials()))


def certify_cells(definition: str, *, policy: Policy, catalog: Catalog) -> None:
    """Return if the statement makes bounded cells with ranks, which may be kept as a table."""
    root = read_statement(definition)
    check_cells(Reader(Tables(policy, catalog), Serials()).relation(root))


def certify_from_cells(
    sql: str,
    claim: Claim,
    *,
    place: tuple[str, str],
    definition: str,
    policy: Policy,
    catalog: Catalog,
) -> None:
    """`certify` for a statement over the table of kept cells at `place` (schema, name).

    What the table holds is derived from `definition`, by which it was made.
    """
    root, kept = read_statement(sql), KeptTable(*place, read_statement(definition))
    check_totals(root, claim, Reader(Tables(policy, catalog), Serials(), kept))


def certify_choice(sql: str) -> None:
    """What a choice of a bound needs of a statement that `certify` has passed: counts go up."""
    check_choice(read_statement(sql))


__all__ = [
    "BlockClaim",
    "Claim",
    "DistinctClaim",
    "HistogramClaim",
    "certify",
    "certify_cells",
    "certify_distinct",
    "certify_from_cells",
    "certify_histogram",
    "certify_choice",
    "normal_form",
]
