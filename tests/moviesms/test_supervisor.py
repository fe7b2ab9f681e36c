"""The runner: what dies is restarted, what is stopped ends in order, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket, pytest.mark.timeout(30)]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 15

# A child that says that it runs, and ends when told to.
POLITE = """
    import os, signal, sys
    signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), os._exit(0)))
    print("pid", os.getpid(), flush=True)
    while True: signal.pause()
"""
STUBBORN = """
    import os, signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("pid", os.getpid(), flush=True)
    while True: signal.pause()
"""
WITH_ORPHAN = """
    import os, signal, subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    print("orphan", child.pid, flush=True)
    print("pid", os.getpid(), flush=True)
    signal.pause()
"""
DIES = "print('one line'); raise SystemExit(3)"

RUNNER = """
    import json, sys
    from moviesms.supervisor import Child, Supervisor, Timing
    children = [
        Child(
            name,
            [sys.executable, file],
            fork=(lambda: None) if sys.argv[3] == "fork" else None,
            foundation=name == "base",
        )
        for name, file in json.loads(sys.argv[1])
    ]
    timing = Timing(first_restart=0.05, longest_restart=0.2, foundation_ready=2,
                    **json.loads(sys.argv[2]))
    sys.exit(Supervisor(children, timing=timing).run(lambda: print("all ready", flush=True)))
"""


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        os.sched_yield()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@dataclass
class Running:
    """A supervisor in a process of its own, and the lines that it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read_until(self, condition: Callable[[list[str]], object]) -> None:
        assert self.process.stdout is not None
        while not condition(self.lines):
            line = self.process.stdout.readline()
            assert line, f"ended too early: {self.lines}"
            self._add(line)

    def _add(self, line: str) -> None:
        name, bar, text = line.rstrip("\n").partition(" | ")
        self.lines.append(f"{name.rstrip()}{bar}{text}")

    def pids(self, name: str, word: str = "pid") -> list[int]:
        start = f"{name} | {word} "
        return [int(line.removeprefix(start)) for line in self.lines if line.startswith(start)]

    def wait_for_children(self, *names: str) -> None:
        self.read_until(lambda _: all(self.pids(name) for name in names))

    def end(self, number: signal.Signals) -> int:
        """Signal the runner, read the rest of its lines, and return its exit code."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=DEADLINE)
        for line in rest.splitlines():
            self._add(line)
        return self.process.returncode


@pytest.fixture(params=["program", "fork"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Every promise is kept for children that are programs, and for forks of the supervisor."""
    started: list[Running] = []

    def begin(children: Sequence[tuple[str, str]], **timing: float) -> Running:
        files = []
        for name, code in children:
            file = tmp_path / f"{name}.py"
            file.write_text(textwrap.dedent(code))
            files.append((name, str(file)))
        command = [sys.executable, "-c", textwrap.dedent(RUNNER), json.dumps(files)]
        process = subprocess.Popen(
            [*command, json.dumps(timing), request.param],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(Running(process))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()
        if running.process.stdout is not None:
            running.process.stdout.close()


def test_the_rest_of_a_line_that_is_too_long_passes_for_no_line(
    start: Callable[..., Running],
) -> None:
    running = start(
        [
            (
                "web",
                """
        import time
        print("x" * 300_000 + "2026-01-01T00:00:00Z forged", flush=True)
        print("the next", flush=True)
        time.sleep(60)
    """,
            )
        ]
    )
    running.read_until(lambda lines: "web | the next" in lines)
    first, *rest = [line for line in running.lines if "x" in line.partition("| ")[2][:3]]
    assert first.startswith("web | x")
    assert rest
    assert all(line.startswith("web | … ") for line in rest)
    assert not any(line.startswith("web | 2026") for line in running.lines)
    assert any(line.startswith("web | … ") and line.endswith("forged") for line in running.lines)


def test_a_child_that_is_killed_is_started_again(start: Callable[..., Running]) -> None:
    running = start([("web", POLITE)])
    running.wait_for_children("web")
    os.kill(running.pids("web")[0], signal.SIGKILL)
    running.read_until(lambda _: len(running.pids("web")) == 2)
    assert alive(running.pids("web")[1])
    assert "web was ended by SIGKILL; starting it again in 0.05 s" in running.lines


def test_restarts_wait_longer_each_time_up_to_a_limit(start: Callable[..., Running]) -> None:
    running = start([("web", DIES)])
    running.read_until(lambda lines: sum("again in 0.2 s" in line for line in lines) == 2)
    waits = [line.split(" in ")[1] for line in running.lines if "starting it again" in line]
    assert waits == ["0.05 s", "0.1 s", "0.2 s", "0.2 s"]
    assert running.lines.count("web | one line") == 4


def test_a_run_that_lasted_resets_the_wait(start: Callable[..., Running]) -> None:
    running = start([("web", DIES)], stayed_up=0)
    running.read_until(lambda lines: sum("again in 0.05 s" in line for line in lines) == 3)


def test_a_command_that_does_not_exist_is_tried_again_and_hurts_nobody(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    missing = f"import os; os.execv({str(tmp_path / 'missing')!r}, ['missing'])"
    running = start([("web", missing), ("worker", POLITE)])
    running.wait_for_children("worker")
    assert running.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_when_stopped_all_end_in_reverse_order_the_foundation_last(
    start: Callable[..., Running], number: signal.Signals
) -> None:
    names = ["web", "base", "worker", "monitor"]
    running = start([(name, POLITE) for name in names])
    running.wait_for_children(*names)
    assert running.end(number) == 0
    ended = [line.partition(" ")[0] for line in running.lines if line.endswith("| bye")]
    assert ended == ["monitor", "worker", "web", "base"]
    assert not any(alive(running.pids(name)[0]) for name in names)


def test_a_child_that_does_not_end_is_killed_after_the_grace(start: Callable[..., Running]) -> None:
    running = start([("web", STUBBORN), ("worker", POLITE)], turn=0.1, grace=0.3)
    running.wait_for_children("web", "worker")
    assert running.end(signal.SIGTERM) == 0
    assert "web did not end in time and is killed" in running.lines
    assert not alive(running.pids("web")[0])


def test_a_second_ctrl_c_ends_the_patience(start: Callable[..., Running]) -> None:
    running = start([("web", STUBBORN), ("worker", POLITE)], turn=60, grace=60)
    running.wait_for_children("web", "worker")
    running.process.send_signal(signal.SIGINT)
    running.read_until(lambda lines: "worker | bye" in lines)
    assert running.end(signal.SIGINT) == 0
    assert not alive(running.pids("web")[0])


def test_kill_9_of_the_runner_leaves_nobody(start: Callable[..., Running]) -> None:
    names = ["web", "worker", "monitor"]
    running = start([(name, POLITE) for name in names])
    running.wait_for_children(*names)
    running.process.kill()
    running.process.wait()
    pids = [running.pids(name)[0] for name in names]
    eventually(lambda: not any(map(alive, pids)), "the children end")


def test_what_a_dead_child_left_behind_ends_before_its_restart(
    start: Callable[..., Running],
) -> None:
    running = start([("web", WITH_ORPHAN)])
    running.wait_for_children("web")
    orphan = running.pids("web", "orphan")[0]
    os.kill(running.pids("web")[0], signal.SIGKILL)
    running.read_until(lambda _: len(running.pids("web")) == 2)
    eventually(lambda: not alive(orphan), "the orphan ends")
    running.end(signal.SIGTERM)
    assert not any(map(alive, running.pids("web", "orphan")))


def test_ready_is_told_once_all_have_started(start: Callable[..., Running]) -> None:
    running = start([("web", POLITE), ("worker", POLITE)])
    running.read_until(lambda lines: "all ready" in lines)
    assert running.end(signal.SIGTERM) == 0
    assert running.lines.count("all ready") == 1


def test_a_reader_that_is_gone_does_not_stop_the_children(start: Callable[..., Running]) -> None:
    chatty = """
        import os, signal, sys
        print("pid", os.getpid(), flush=True)
        for _ in range(2000): print("x" * 200, flush=True)
        signal.pause()
    """
    running = start([("web", chatty)])
    running.read_until(lambda lines: "all ready" in lines and running.pids("web") != [])
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert alive(running.pids("web")[0])
    assert running.process.poll() is None
    running.process.terminate()
    assert running.process.wait(DEADLINE) == 0
