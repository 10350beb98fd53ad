"""docs/reference, written from the code. `python -m tools.reference` refreshes it."""
