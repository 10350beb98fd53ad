"""Every error dpsql raises, PEP 249's tree with our leaves.

    Exception
    └── Error                                  PEP 249's root; .code .hint .exit_code
        ├── InterfaceError                     the driver was used wrongly
        └── DatabaseError
            ├── NotSupportedError
            │   └── RefusedQuery               understood, and not private (or not built)
            ├── ProgrammingError
            │   ├── InvalidQuery               the SQL or a parameter is wrong
            │   └── PolicyError                the owner's file is wrong
            ├── OperationalError
            │   ├── BudgetExceeded             the budget does not cover the query
            │   ├── EngineFailed               the database cannot be reached or failed
            │   └── LedgerError                the ledger cannot be reached or does not verify
            ├── InternalError                  our bug; nothing was released
            ├── DataError, IntegrityError      PEP 249 names, never raised

What an analyst reads in `str(error)` holds query text and policy words only, never a value of
the data and never a word of the engine's. Errors pickle (code, hint, exit code included).
"""

from __future__ import annotations

TYPE_CHECKING = False  # without `typing`: `dpsql` imports this module at once
if TYPE_CHECKING:
    from fractions import Fraction
    from typing import Any


class Error(Exception):
    """Root of all errors. `code` is stable, `hint` says the way out (may be empty)."""

    exit_code = 70
    default_code = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.code, self.hint)


def _rebuild(cls: type[Error], message: str, code: str, hint: str) -> Error:
    return cls(message, code=code, hint=hint)


class Warning(Exception):
    """PEP 249's Warning; dpsql warns through the `warnings` module instead."""


class InterfaceError(Error):
    exit_code = 2
    default_code = "interface"


class DatabaseError(Error):
    default_code = "database"


class DataError(DatabaseError):
    default_code = "data"


class IntegrityError(DatabaseError):
    default_code = "integrity"


class OperationalError(DatabaseError):
    exit_code = 5
    default_code = "operational"


class ProgrammingError(DatabaseError):
    exit_code = 3
    default_code = "programming"


class NotSupportedError(DatabaseError):
    exit_code = 3
    default_code = "not-supported"


class InternalError(DatabaseError):
    """A defect in dpsql itself: two derivations of the guarantee disagreed, say."""

    exit_code = 70
    default_code = "internal"


class RefusedQuery(NotSupportedError):
    """The query is understood and will not be answered: not private, or not built."""

    default_code = "refused"


class InvalidQuery(ProgrammingError):
    """The SQL text or one of its parameters is wrong."""

    default_code = "invalid"


class PolicyError(ProgrammingError):
    """The owner's policy file is wrong."""

    exit_code = 2
    default_code = "policy"


class BudgetExceeded(OperationalError):
    """The budget does not cover the query; nothing was charged, no data was touched."""

    exit_code = 4
    default_code = "budget"


class EngineFailed(OperationalError):
    """The database cannot be reached, or failed. The text never holds the engine's words.

    `for_owner`: what `dpsql check` may add, such as the name of a file, which may tell of people.
    """

    default_code = "engine"
    for_owner: str = ""


class LedgerError(OperationalError):
    """The ledger cannot be reached, is locked, or does not verify."""

    default_code = "ledger"


class Cancelled(KeyboardInterrupt):
    """Ctrl-C during a query: it was stopped in the database, and what it was charged stays charged.

    No `Error`: whoever catches KeyboardInterrupt catches it. `charged` None: the interrupt fell
    into the very moment of charging; the ledger knows. `budget` is the one that paid.
    """

    def __init__(
        self, charged: bool | None, epsilon: Fraction, delta: Fraction, budget: str
    ) -> None:
        super().__init__(charged, epsilon, delta, budget)
        self.charged, self.epsilon, self.delta, self.budget = charged, epsilon, delta, budget

    def __str__(self) -> str:
        if self.charged is None:
            return f"cancelled while {self.budget} was charged: look at the ledger whether it was"
        if not self.charged:
            return "cancelled; nothing was charged"
        price = f"ε = {float(self.epsilon):.6g}, δ = {float(self.delta):.6g}"
        return f"cancelled in the database; {price} stays charged to {self.budget}"
