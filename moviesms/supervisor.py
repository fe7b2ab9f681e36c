"""Runs child processes: starts them, passes on what they print, restarts them, ends them in order.

One thread, one loop. Linux ties "die with your parent" to the *thread* that started a child, and a
fork beside other threads is fragile; a single loop over pipes and signals has neither problem.
Nothing here knows of Django or of what the children do.
"""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from moviesms.console import Console
from moviesms.forking import Fork, die_with_parent

_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True)
class Child:
    """What to run. `name` is the prefix of its lines; `command` is run with `environment`.

    `fork`: the command is one of Python, and runs in a fork of us, after this call there.
    `foundation`: the others need it, so it is awaited before they start and ended after them.
    `ready` says whether it can be used yet. `before_start` is called with the number of failed
    runs in a row. `record` gets each line of its standard output; lines that `hide` matches are
    not printed.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    fork: Callable[[], None] | None = None
    foundation: bool = False
    ready: Callable[[], bool] | None = None
    before_start: Callable[[int], None] | None = None
    record: Callable[[str], None] | None = None
    hide: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Timing:
    """Seconds. Back-off between restarts, and the patience while everything ends.

    A child has `turn` seconds to end before the next is asked; after `grace` all are killed.
    """

    first_restart: float = 1
    longest_restart: float = 30
    stayed_up: float = 60
    foundation_ready: float = 10
    turn: float = 3
    grace: float = 10
    foundation_grace: float = 1.5


@dataclass
class _Output:
    """One pipe of a child: reads what is there, and hands on whole lines.

    Of a line that is too long for that the parts say that they are one.
    """

    pipe: IO[bytes]
    take: Callable[[str], None]
    rest: bytes = b""
    is_cut: bool = False

    def read(self) -> bool:
        """Hand on what has come; False at the end of the pipe."""
        try:
            data = os.read(self.pipe.fileno(), _LONGEST_LINE)
        except BlockingIOError:
            return True
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._hand_on(line)
        if not data:
            self.flush()
        elif len(self.rest) > _LONGEST_LINE:
            self.flush()
            self.is_cut = True
        return bool(data)

    def flush(self) -> None:
        """Hand on a last line that has no end."""
        if self.rest:
            self._hand_on(self.rest)
        self.rest = b""

    def _hand_on(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.take(f"… {text}" if self.is_cut else text)
        self.is_cut = False


Running = subprocess.Popen[bytes] | Fork


@dataclass
class _Slot:
    """A child and the process that runs it now, if any."""

    child: Child
    process: Running | None = None
    group: int | None = None
    started: float = 0
    due: float | None = None
    failures: int = 0
    ready: bool = False
    outputs: list[_Output] = field(default_factory=list)

    def signal_group(self, number: signal.Signals) -> None:
        """Signal every process of the child's own group, also those that outlived it."""
        if self.group is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, number)


class Supervisor:
    """Runs `children` until SIGTERM, SIGHUP or Ctrl-C, then ends them in reverse order.

    `say` gets our own lines; `keep_open` are files that the children hold open too.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        timing: Timing | None = None,
        console: Console | None = None,
        say: Callable[[str], None] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self._slots = [_Slot(child) for child in children]
        self._timing = timing or Timing()
        self._console = console or Console([child.name for child in children])
        self._say = say or self._console.say
        self._keep_open = tuple(keep_open)
        self._selector = selectors.DefaultSelector()
        self._asked_to_stop = False
        self._stopping = False
        self._hurry = False

    # --- What a caller uses ----------------------------------------------------------------------
    def run(self, on_ready: Callable[[], None] | None = None) -> int:
        """Run until asked to stop, and return the exit code 0.

        `on_ready` is called once, when every child that can say so is ready.
        """
        with self._signals():
            try:
                self._start_all()
                self._loop(on_ready)
            finally:
                self._stop_all()
        return 0

    def stop(self) -> None:
        """Ask the loop to end everything."""
        self._asked_to_stop = True

    # --- Starting and running --------------------------------------------------------------------
    def _start_all(self) -> None:
        for slot in self._slots:
            if self._asked_to_stop:
                return
            self._start(slot)
            if slot.child.foundation:
                self._await_ready(slot)

    def _await_ready(self, slot: _Slot) -> None:
        self._turn_until(lambda: slot.ready, self._timing.foundation_ready)

    def _loop(self, on_ready: Callable[[], None] | None) -> None:
        while not self._asked_to_stop:
            self._turn(self._next_wait())
            if on_ready and all(slot.ready for slot in self._slots):
                on_ready()
                on_ready = None

    def _next_wait(self) -> float | None:
        waits = [max(0.0, slot.due - time.monotonic()) for slot in self._slots if slot.due]
        if any(slot.process and not slot.ready for slot in self._slots):
            waits.append(0.05)
        return min(waits, default=None)

    def _turn(self, wait: float | None) -> None:
        """Wait for output, a signal, an end or `wait` seconds, and do what is then to do."""
        for key, _ in self._selector.select(wait):
            key.data()
        for slot in self._slots:
            self._attend(slot)

    def _attend(self, slot: _Slot) -> None:
        if slot.process is not None and (code := slot.process.poll()) is not None:
            self._ended(slot, code)
        if slot.due is not None and time.monotonic() >= slot.due and not self._stopping:
            self._start(slot)
        if slot.process is not None and not slot.ready:
            slot.ready = slot.child.ready is None or slot.child.ready()

    def _turn_until(self, done: Callable[[], bool], seconds: float) -> None:
        """Go on turning until `done()`, at most `seconds`, and less when we are asked to stop."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or (self._hurry if self._stopping else self._asked_to_stop):
                return
            self._turn(min(left, 0.02))

    def _start(self, slot: _Slot) -> None:
        slot.signal_group(signal.SIGKILL)  # what the last run left behind would hold its port
        slot.due, slot.ready, slot.started = None, False, time.monotonic()
        try:
            if slot.child.before_start:
                slot.child.before_start(slot.failures)
            slot.process = self._spawn(slot.child)
        except OSError as error:
            self._restart_later(slot, f"could not be started: {error}")
            return
        slot.group = slot.process.pid
        self._listen(slot, slot.process)

    def _spawn(self, child: Child) -> Running:
        if child.fork is not None:
            return Fork(
                child.command,
                child.environment,
                prepare=child.fork,
                keep_open=self._keep_open,
            )
        return subprocess.Popen(
            child.command,
            env=child.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Its own group: Ctrl-C in a terminal reaches us alone, and we can end all of it.
            process_group=0,
            preexec_fn=die_with_parent(),
            pass_fds=self._keep_open,
        )

    # --- What the children print -----------------------------------------------------------------
    def _listen(self, slot: _Slot, process: Running) -> None:
        child = slot.child
        for pipe, record in ((process.stdout, child.record), (process.stderr, None)):
            if pipe is None:
                continue
            os.set_blocking(pipe.fileno(), False)
            output = _Output(pipe, partial(self._take, child, record))
            slot.outputs.append(output)
            self._selector.register(pipe, selectors.EVENT_READ, partial(self._read, slot, output))

    def _read(self, slot: _Slot, output: _Output) -> None:
        if not output.read():
            self._close(slot, output)

    def _take(self, child: Child, record: Callable[[str], None] | None, line: str) -> None:
        if record is not None:
            record(line)
        if child.hide is None or not child.hide.search(line):
            self._console.line(child.name, line)

    def _close(self, slot: _Slot, output: _Output) -> None:
        self._selector.unregister(output.pipe)
        output.pipe.close()
        slot.outputs.remove(output)

    # --- When a child ends -----------------------------------------------------------------------
    def _ended(self, slot: _Slot, code: int) -> None:
        slot.process, slot.ready = None, False
        for output in list(slot.outputs):
            # A process that the child left behind may hold the pipe: take what is there, no more.
            output.read()
            output.flush()
            self._close(slot, output)
        slot.signal_group(signal.SIGTERM)
        if not self._stopping:
            self._restart_later(slot, _ending(code))

    def _restart_later(self, slot: _Slot, what: str) -> None:
        now, timing = time.monotonic(), self._timing
        if now - slot.started >= timing.stayed_up:
            slot.failures = 0
        wait = min(timing.longest_restart, timing.first_restart * 2**slot.failures)
        slot.failures = min(slot.failures + 1, 16)
        slot.due = now + wait
        self._say(f"{slot.child.name} {what}; starting it again in {wait:g} s")

    # --- Ending everything -----------------------------------------------------------------------
    def _stop_all(self) -> None:
        self._stopping = True
        others = [slot for slot in self._slots if not slot.child.foundation]
        foundations = [slot for slot in self._slots if slot.child.foundation]
        self._end(others, self._timing.grace)
        self._end(foundations, self._timing.foundation_grace)
        self._selector.close()

    def _end(self, slots: list[_Slot], grace: float) -> None:
        deadline = time.monotonic() + grace
        for slot in reversed(slots):
            self._ask_to_end(slot, deadline)
        self._turn_until(
            lambda: all(slot.process is None for slot in slots), deadline - time.monotonic()
        )
        for slot in slots:
            self._kill(slot)

    def _ask_to_end(self, slot: _Slot, deadline: float) -> None:
        if slot.process is not None:
            slot.process.terminate()
            left = deadline - time.monotonic()
            self._turn_until(lambda: slot.process is None, min(self._timing.turn, left))

    def _kill(self, slot: _Slot) -> None:
        """Kill the child if it still runs, and whatever it left behind."""
        if slot.process is not None:
            self._say(f"{slot.child.name} did not end in time and is killed")
        slot.signal_group(signal.SIGKILL)
        if slot.process is not None:
            with suppress(subprocess.TimeoutExpired):
                slot.process.wait(1)
            self._attend(slot)

    # --- Signals ---------------------------------------------------------------------------------
    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals wake the loop: the three that ask us to stop, and SIGCHLD."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        self._selector.register(reader, selectors.EVENT_READ, lambda: os.read(reader, 4096))
        before = {number: signal.getsignal(number) for number in _WAKING}
        for number in _WAKING:
            if number != signal.SIGHUP or before[number] is not signal.SIG_IGN:  # nohup: stay
                signal.signal(number, self._on_signal)
        woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def _on_signal(self, number: int, _: object) -> None:
        if number == signal.SIGINT and self._stopping:
            self._hurry = True  # Ctrl-C again: without patience
        if number != signal.SIGCHLD:
            self.stop()


_WAKING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
