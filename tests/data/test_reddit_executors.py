"""Every executor gives the same results and errors, and nothing is left running, however a run ends."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sage_data.errors import InputError, MissingDependencyError, SageError, StageError
from sage_data.reddit import executors
from sage_data.reddit.executors import open_executor

pytestmark = pytest.mark.slow

EVERYWHERE = pytest.mark.parametrize(
    ("kind", "workers"), [("local", 1), ("local", 2), pytest.param("ray", 2, marks=pytest.mark.slow)]
)
plain_path = pytest.mark.skipif(
    shlex.quote(sys.executable) != sys.executable,
    reason="Ray puts the path of a cluster's interpreter unquoted in a shell",
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(autouse=True)
def findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's workers find the tasks below by PYTHONPATH; spawned processes get the whole `sys.path` anyway."""
    folders = [str(Path(__file__).parent), str(Path(executors.__file__).parents[2])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))


# Tasks. Workers import this module to find them.


def square(number: int) -> int:
    return number * number


def wait_and_say_where(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise InputError("expected no three, found 3", next_step="count on")
    return number


class AwkwardError(Exception):
    """Cannot be pickled back: it takes two arguments and remembers one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def fail_awkwardly(number: int) -> int:
    raise AwkwardError("too awkward", "to travel")


def return_a_lock(number: int) -> Any:
    return threading.Lock()


def die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)
    return number


def leave(number: int) -> int:
    os._exit(7)


def mark_and_sleep(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


def mark_and_keep_the_interpreter(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    sum(range(10**11))  # never lets another thread of this process run


def started_until_told(task: tuple[str, int]) -> int:
    """Say on which node the task started, and wait for the file `go`."""
    import ray

    folder, number = Path(task[0]), task[1]
    node = ray.get_runtime_context().get_node_id()
    (folder / f"started-{number}-{node}-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    return number * number


def sage_environment(names: Sequence[str]) -> list[str | None]:
    return [os.environ.get(name) for name in names]


def nothing() -> None:
    """A poll that does not care."""


# The same everywhere.


@EVERYWHERE
def test_every_task_has_one_result(kind: Any, workers: int) -> None:
    with open_executor(kind, workers, None) as executor:
        for count in (0, 1, 25, 3):
            assert sorted(executor.run(square, range(count), nothing)) == [(one, one * one) for one in range(count)]


@EVERYWHERE
def test_an_error_keeps_its_type_and_advice(kind: Any, workers: int) -> None:
    with open_executor(kind, workers, None) as executor:
        with pytest.raises(InputError, match="found 3") as caught:
            list(executor.run(fail_at_three, range(6), nothing))
        assert caught.value.next_step == "count on"
        assert type(caught.value) is InputError
        assert dict(executor.run(square, range(4), nothing)) == {0: 0, 1: 1, 2: 4, 3: 9}, "no use after an error"


@EVERYWHERE
def test_polls_while_it_waits(kind: Any, workers: int) -> None:
    calls: list[float] = []
    with open_executor(kind, workers, None) as executor:
        ran_in = dict(executor.run(wait_and_say_where, [1.6, 1.6], lambda: calls.append(time.monotonic())))
    assert (set(ran_in.values()) == {os.getpid()}) == (kind == "local" and workers == 1)
    assert len(calls) >= 2
    pauses = [later - earlier for earlier, later in itertools.pairwise(calls)]
    assert all(pause >= 0.3 for pause in pauses)


@EVERYWHERE
def test_what_poll_raises_ends_the_run(kind: Any, workers: int) -> None:
    def refuse() -> None:
        raise StageError("the bar broke")

    with open_executor(kind, workers, None) as executor:
        with pytest.raises(StageError, match="the bar broke"):
            list(executor.run(wait_and_say_where, [1.0, 1.0], refuse))


@pytest.mark.parametrize(("kind", "workers"), [("local", 2), pytest.param("ray", 2, marks=pytest.mark.slow)])
def test_what_cannot_travel_is_told(kind: Any, workers: int) -> None:
    with open_executor(kind, workers, None) as executor:
        with pytest.raises(StageError, match="AwkwardError: too awkward"):
            list(executor.run(fail_awkwardly, [1], nothing))
        with pytest.raises((StageError, TypeError), match="cannot pickle"):
            list(executor.run(return_a_lock, [1], nothing))


@pytest.mark.parametrize("error", [InputError("x", next_step="y"), MissingDependencyError("x"), SageError("x")])
def test_errors_travel_whole(error: SageError) -> None:
    travelled = executors._portable(error)
    assert travelled is error
    assert "in the worker" in "".join(travelled.__notes__)
    assert str(error) in {"x", "x\n  next: y"}


# Worker processes.


def test_tasks_are_spread_over_processes_that_stay() -> None:
    with open_executor("local", 2, None) as executor:
        first = {pid for _, pid in executor.run(wait_and_say_where, [0.1] * 6, nothing)}
        second = {pid for _, pid in executor.run(wait_and_say_where, [0.1] * 6, nothing)}
    assert len(first) == 2
    assert first == second
    assert not any(map(alive, first))


def test_leaving_midway_ends_the_workers() -> None:
    with open_executor("local", 2, None) as executor:
        run = executor.run(wait_and_say_where, [0.0, 60.0, 60.0], nothing)
        _, pid = next(run)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert not alive(pid)


@pytest.mark.parametrize(("task", "how"), [(die, "SIGKILL; the system may have run out of memory"), (leave, "code 7")])
def test_a_dead_worker_is_told(task: Callable[[int], int], how: str) -> None:
    with open_executor("local", 2, None) as executor:
        with pytest.raises(StageError, match=how) as caught:
            list(executor.run(task, range(4), nothing))
        assert "--workers" in str(caught.value.next_step)
        assert dict(executor.run(square, [2], nothing)) == {0: 4}


PARENT = """
import signal, sys
import test_reddit_executors as tasks
from sage_data.errors import Terminated
from sage_data.reddit.executors import open_executor

def on_sigterm(signum, frame):
    raise Terminated

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        with open_executor({kind!r}, 2, None) as executor:
            list(executor.run(tasks.{task}, [{folder!r}] * 4, tasks.nothing))
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated:
        sys.exit(143)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], list[int]]]]:
    """Starts a script with two workers in a process group of its own, and waits until both are at a task."""
    started: list[subprocess.Popen[str]] = []

    def start(task: str, kind: str = "local") -> tuple[subprocess.Popen[str], list[int]]:
        marks = tmp_path / "marks"
        marks.mkdir()
        script = tmp_path / "parent.py"
        script.write_text(PARENT.format(task=task, folder=str(marks), kind=kind), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, str(script)],
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        wait_for(lambda: len(list(marks.iterdir())) == 2 or process.poll() is not None, 30)
        assert process.poll() is None, process.communicate()
        return process, [int(mark.name) for mark in marks.iterdir()]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
        for left in in_session(process.pid):
            os.kill(left, signal.SIGKILL)


@linux
@pytest.mark.parametrize("task", ["mark_and_sleep", "mark_and_keep_the_interpreter"])
def test_no_worker_outlives_a_killed_parent(parent: Any, task: str) -> None:
    process, workers = parent(task)
    assert all(map(alive, workers))
    process.kill()
    wait_for(lambda: not any(map(alive, workers)), 2)
    wait_for(lambda: not in_session(process.pid), 2)


@linux
@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_parent_and_workers(parent: Any, sent: signal.Signals, code: int, whole_group: bool) -> None:
    process, workers = parent("mark_and_sleep")
    began = time.monotonic()
    (os.killpg if whole_group else os.kill)(process.pid, sent)
    output, errors = process.communicate(timeout=5)
    assert (process.returncode, output, errors) == (code, "", "")
    assert not any(map(alive, workers))
    wait_for(lambda: not in_session(process.pid), 2)
    assert time.monotonic() - began < 5


# Ray.


def test_missing_ray_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError) as caught:
        open_executor("ray", 2, None).__enter__()
    assert caught.value.next_step == "pip install 'sage-dialogue[ray]'"


@pytest.mark.slow
def test_an_absent_cluster_is_named() -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1"):
        open_executor("ray", 2, "127.0.0.1:1").__enter__()


@pytest.mark.slow
@linux
@plain_path
def test_ray_spreads_tasks_over_nodes(ray_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = ray_cluster
    monkeypatch.setenv("NLTK_DATA", "/somewhere/else")

    def go_when_both_run() -> None:
        if len(nodes_started(tmp_path)) == 2:
            (tmp_path / "go").touch()

    with open_executor("ray", 1, made.address) as executor:
        tasks = [(str(tmp_path), number) for number in range(6)]
        assert dict(executor.run(started_until_told, tasks, go_when_both_run)) == {n: n * n for n in range(6)}
        assert dict(executor.run(sage_environment, [["NLTK_DATA"]], nothing)) == {0: ["/somewhere/else"]}


@pytest.mark.slow
@linux
@plain_path
def test_a_node_that_is_lost_costs_no_result(
    ray_cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, second = ray_cluster
    lost: set[str] = set()
    workers: list[int] = []

    def lose_the_second_node() -> None:
        if not lost and second.node_id in nodes_started(tmp_path):
            lost.update(numbers_started(tmp_path, second.node_id))
            workers.extend(int(mark.name.split("-")[3]) for mark in tmp_path.glob(f"started-*-{second.node_id}-*"))
            made.remove_node(second, allow_graceful=False)
        if lost and not any(map(alive, workers)):
            (tmp_path / "go").touch()

    with open_executor("ray", 1, made.address) as executor:
        tasks = [(str(tmp_path), number) for number in range(12)]
        results = list(executor.run(started_until_told, tasks, lose_the_second_node))
    assert capsys.readouterr().out == "", "stdout is for data"
    assert sorted(results) == [(number, number * number) for number in range(12)]
    assert lost
    (head,) = nodes_started(tmp_path) - {second.node_id}
    assert lost <= numbers_started(tmp_path, head), "the task of the lost node was not run again on the other"


@pytest.mark.slow
@linux
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_ray_started_here_ends_with_its_parent(parent: Any, sent: signal.Signals, code: int) -> None:
    pytest.importorskip("ray")
    process, workers = parent("mark_and_sleep", "ray")
    began = time.monotonic()
    os.kill(process.pid, sent)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - began < 50, "Ray takes its time to end where the processors are busy"
    assert (process.returncode, output) == (code, "")
    wait_for(lambda: not any(map(alive, workers)), 10)
    if sent != signal.SIGKILL:  # after which Ray's own agents, which write nothing of ours, take a minute to notice
        wait_for(lambda: not in_session(process.pid), 10)


def nodes_started(folder: Path) -> set[str]:
    return {mark.name.split("-")[2] for mark in folder.glob("started-*")}


def numbers_started(folder: Path, node: str) -> set[str]:
    return {mark.name.split("-")[1] for mark in folder.glob(f"started-*-{node}-*")}


def alive(pid: int) -> bool:
    """Whether the process runs; one that is over and only waits for its parent to ask does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def in_session(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.02)
