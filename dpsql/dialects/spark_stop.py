"""Stopping a statement of Spark's: its jobs are cancelled, again and again until it ends.

Spark cancels jobs that run and forgets whom it was told to stop before they began.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from dpsql.dialects.interrupts import AGAIN
from dpsql.dialects.spark_open import Opened

T = TypeVar("T")

PLANNING = 10.0
"""Seconds that a server has to plan a statement, after which it is stopped whatever it does.

One that is stopped while it plans says that it was, and may begin its jobs all the same: they
would run on, for nobody, and nothing could stop them.
"""


class Stopper:
    """Stops what one statement runs; `late`: because its time was up."""

    def __init__(self, opened: Opened, seconds: float | None) -> None:
        self._session: Any = opened.session
        self._remote = opened.remote
        context: Any = self._session if opened.remote else self._session.sparkContext
        if opened.remote:
            self._tell, self._take = context.addTag, context.removeTag
            self._stop = context.interruptTag
        else:  # tags of a session in this process reach no job that Arrow is collected by
            self._tell, self._take = context.addJobTag, context.removeJobTag
            self._stop = context.cancelJobsWithTag
        self._seconds = seconds
        self._tag = f"dpsql-{uuid.uuid4().hex}"
        self._begun = time.monotonic()
        self._working = threading.Event()
        self._done = threading.Event()
        self.late = threading.Event()

    def interrupt(self) -> None:
        planning = self._remote and not self._working.is_set()
        if planning and time.monotonic() < self._begun + PLANNING:
            return
        with contextlib.suppress(Exception):  # it may have ended by itself
            self._stop(self._tag)

    def over(self, work: Callable[[], T]) -> T:
        """Run it under the tag, which is this thread's own."""
        if self._seconds is not None:
            threading.Thread(target=self._watch, name="dpsql-deadline", daemon=True).start()
        try:
            self._tell(self._tag)
            with self._heard():
                try:
                    return work()
                finally:
                    with contextlib.suppress(Exception):
                        self._take(self._tag)
        finally:
            self._done.set()

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        """While a server tells how far it is."""
        if not self._remote:
            yield
            return
        self._session.registerProgressHandler(self._progress)
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                self._session.removeProgressHandler(self._progress)

    def _progress(self, stages: Any, inflight_tasks: int, *_: Any, **__: Any) -> None:
        if inflight_tasks or any(True for _ in stages or ()):
            self._working.set()

    def _watch(self) -> None:
        if self._done.wait(self._seconds):
            return
        self.late.set()
        while True:
            self.interrupt()
            if self._done.wait(AGAIN):
                return
