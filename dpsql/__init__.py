"""dpsql: ordinary SQL in, differentially private answers out."""

__version__ = "0.1.0"
