"""Work of many threads that costs little more for many than for one: one does it for all."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Call(Generic[Item, Result]):
    """One thread's item. When `turn` is set it has its result or error, or leads."""

    item: Item
    turn: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    results: list[Result] = field(default_factory=list)
    error: Exception | None = None


class Together(Generic[Item, Result]):
    """Calls `work` with the items of all threads that wait, in the thread that came first.

    `work` returns a result for each item, in their order. While it runs others come, and the first
    of these works for all of them next. What `work` raises the others get too if it is one of
    `common`; otherwise each of them is tried by itself, since one item may have been at fault.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        common: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self._work = work
        self._common = common
        self._line: list[_Call[Item, Result]] = []
        self._is_led = False
        self._guard = threading.Lock()

    def __call__(self, item: Item) -> Result:
        """Return the result for `item`, or raise what was wrong with it or with all."""
        call = _Call[Item, Result](item)
        with self._guard:
            self._line.append(call)
            call.leads, self._is_led = not self._is_led, True
        if not call.leads:
            call.turn.wait()
        if call.leads:
            self._lead()
        if call.error is not None:
            raise call.error
        return call.results[0]

    def _lead(self) -> None:
        """Work for all in line, whose first is the caller; then have the next in line lead."""
        with self._guard:
            calls, self._line = self._line, []
        try:
            self._do(calls)
        finally:
            with self._guard:
                following = self._line[:1]
                self._is_led = bool(following)
            for call in following:
                call.leads = True
            for call in [*following, *calls]:
                call.turn.set()

    def _do(self, calls: Sequence[_Call[Item, Result]]) -> None:
        try:
            results = self._work([call.item for call in calls])
        except Exception as error:
            if len(calls) > 1 and not isinstance(error, self._common):
                for call in calls:
                    self._do([call])
                return
            for call in calls:
                call.error = error
        else:
            for call, result in zip(calls, results, strict=True):
                call.results.append(result)
