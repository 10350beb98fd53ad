"""Totals that add up: released margins of one table reconciled by weighted least squares.

Post-processing: a function of released values and of the public scales of their noise alone, so it
costs nothing and is the same at each repeat (docs/proofs/consistency.md). `lattice` is the algebra,
`rounding` makes whole numbers that add up, `spread` the law of what noise is left, `nonnegative`
counts of at least 0; `families` finds which releases are margins of one table, from their plans,
`earlier` stored ones that belong to it, `complete` whether a margin's cells are all there; `blocks`
are the noisy coordinates that add up; `reconcile` puts it together, `shown` for a statement and
`expected` for explain.
"""
