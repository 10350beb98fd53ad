"""The ledger's past for people: charges with their outcomes, tables and balances.

`tables` (which tables a statement names), `filters` (which entries are wanted), `lines` (a
statement of account), `spending` (one budget over time), `export` (entries whole, for programs),
`summary` (everything that the report page shows). All read the ledger once, entry by entry, and
keep no more than they show. Nothing is ever written.
"""
