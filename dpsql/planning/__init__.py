"""From a private aggregate to a plan: bounds, public keys, blocks, strategy, noise, price.

Inputs are policy, query text and schema; never data, row counts or catalog statistics.
"""
