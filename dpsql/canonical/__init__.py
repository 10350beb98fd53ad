"""What a release is, whatever way it was asked for: the canonical form of a plan.

    constants    literals by value, casts of literals folded
    formulas     conditions in negation normal form, as sets
    expressions  bound expressions as canonical text
    labels       names for a block's sources that do not depend on their order
    relations    a block of joined rows: its sources, its one filter, its left joins
    plans        the whole plan, and how its columns map to the release's own order

The text is complete: every part of a plan that decides the answer's distribution is in it, so
equal texts are equal releases. What is normalised away is listed, with the reason why nothing
changes, in docs/proofs/repeats.md; a rule that is missing costs budget, never the right answer.
Nothing here is executed: the plan that runs stays as it was bound.
"""

from dpsql.canonical.plans import Form, canonical

__all__ = ["Form", "canonical"]
