"""From a private aggregate to a plan: bounds, public keys, blocks, strategy, noise, price.

Inputs are policy, query text, schema, and public tables (their key values and numbers of rows);
never people's data, row counts of their tables or catalog statistics.
"""
