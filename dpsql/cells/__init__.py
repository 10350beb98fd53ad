"""Kept cells: bounded (unit, keys) cells that an owner has written once, for queries to read.

    entries   what the policy says is kept → the cells and the statement that makes them
    state     is a table of cells that of this policy, this data, this engine?
    store     a session's side: which cells serve a plan, and whether they may be read
    build     the owner's side: writes them

Analysts' sessions never write. docs/proofs/kept_cells.md says why answers from cells are as private
as others.
"""

from dpsql.cells.store import CellsStore

__all__ = ["CellsStore"]
