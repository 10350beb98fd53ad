"""Values that have touched private data and are not yet noised."""

from __future__ import annotations

from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")


class Exact(Generic[T]):
    """A sealed box around an exact value. Only `mechanisms/` and `perturb` may open it.

    Guarantee: no repr, ==, bool, len, iteration, format, hash, copy or pickle reveals or even
    depends on what is inside, so an exact value cannot slip into a log, an error or a branch.
    """

    __slots__ = ("_sealed",)

    def __init__(self, value: T) -> None:
        self._sealed = value

    def open_for_noise(self) -> T:
        """The value itself. tests/test_exact.py keeps callers to `mechanisms` and `perturb`."""
        return self._sealed

    def __repr__(self) -> str:
        return "Exact(<hidden>)"

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("an exact value has not been noised: it cannot be read or compared")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = _refuse
    __format__ = __int__ = __float__ = __reduce__ = __reduce_ex__ = __copy__ = _refuse
    __deepcopy__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return repr(self)
