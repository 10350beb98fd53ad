"""`dpsql init`'s work without its dialogue: from a schema and an owner's answers to a policy.

`source` and `files` find or make the DuckDB file, `shape` reads its schema, `paths`, `columns`
and `budgets` propose, `draft` holds what was decided, `write` prints it. Nothing here reads a row,
but for `files`, which loads rows without looking at them, and `private_ranges`, which asks dpsql
itself and pays for it.
"""
