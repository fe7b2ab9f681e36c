"""Work that is done for all who wait: by one of them, for each its own result or error."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

import pytest

from moviesms.together import Together


class Common(Exception):
    """What is wrong for all at once."""


class Work:
    """Squares numbers; the first call lasts until `others` have come. Refuses what is in `bad`."""

    def __init__(self, others: int = 0, bad: Sequence[int] = (), error: type[Exception] = Common):
        self.calls: list[list[int]] = []
        self.begun = threading.Event()
        self.in_line = threading.Semaphore(0)
        self._others, self._bad, self._error = others, bad, error

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        if len(self.calls) == 1:
            self.begun.set()
            for _ in range(self._others):
                assert self.in_line.acquire(timeout=10)
        if set(self._bad) & set(numbers):
            raise self._error(f"{self._bad} among {list(numbers)}")
        return [number * number for number in numbers]


class Line(list[object]):
    """The line in which calls stand; says when one has joined it."""

    joined: Callable[[], None]

    def append(self, call: object) -> None:
        super().append(call)
        self.joined()


@contextmanager
def first_then_others(work: Work, numbers: Sequence[int]) -> Iterator[list[Future[int]]]:
    """Call with the first number and, while it is worked on, with the others; yield what comes."""
    together = Together(work, common=Common)
    with ThreadPoolExecutor(len(numbers)) as threads:
        futures = [threads.submit(together, numbers[0])]
        assert work.begun.wait(10)
        line = Line()
        line.joined = work.in_line.release
        together._line = cast("list[object]", line)  # type: ignore[assignment]
        futures += [threads.submit(together, number) for number in numbers[1:]]
        yield futures


def test_one_that_comes_alone_is_done_at_once() -> None:
    work = Work()
    together = Together(work, common=Common)
    assert [together(3), together(4)] == [9, 16]
    assert work.calls == [[3], [4]]


def test_those_who_come_meanwhile_are_done_together() -> None:
    work = Work(others=4)
    with first_then_others(work, [1, 2, 3, 4, 5]) as futures:
        assert [future.result(10) for future in futures] == [1, 4, 9, 16, 25]
    assert [sorted(call) for call in work.calls] == [[1], [2, 3, 4, 5]]


def test_what_is_wrong_for_all_is_tried_once_and_told_to_all() -> None:
    work = Work(others=3, bad=[2])
    with first_then_others(work, [1, 2, 3, 4]) as futures:
        assert futures[0].result(10) == 1
        for future in futures[1:]:
            with pytest.raises(Common):
                future.result(10)
    assert len(work.calls) == 2


def test_what_is_wrong_with_one_is_told_to_that_one_alone() -> None:
    work = Work(others=3, bad=[2], error=ValueError)
    with first_then_others(work, [1, 2, 3, 4]) as futures:
        with pytest.raises(ValueError, match="among"):
            futures[1].result(10)
        assert [futures[at].result(10) for at in (0, 2, 3)] == [1, 9, 16]


def test_an_error_leaves_the_line_open() -> None:
    work = Work(bad=[2])
    together = Together(work, common=Common)
    with pytest.raises(Common):
        together(2)
    assert together(3) == 9
