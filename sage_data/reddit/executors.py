"""Runs one function over many tasks: in this process, in worker processes, or on a Ray cluster.

Functions are top-level and tasks picklable; results are small, because what is large is written to files by the
function itself. A task may be run again when a machine is lost, even while a first attempt is still writing
somewhere; so a function writes each file under another name first, and the same bytes every time. With Ray every node
must have this package in the same version and see the output folder (NFS, say) and the dumps (or read them from a
store by URL, with credentials of its own).

No worker outlives its parent, however that ends: an orphan would go on writing into a folder that the next run works
in.

    with open_executor("local", workers=2, ray_address=None) as executor:
        for index, tally in executor.run(sort_dump, tasks, poll=bar.refresh): ...
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import shlex
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from typing import Any, Literal, Protocol, TypeVar

from sage_data.errors import InputError, MissingDependencyError, StageError, Terminated

Task = TypeVar("Task")
Result = TypeVar("Result")

POLL_S = 0.5
"""Seconds between two calls of `poll`."""

RAY_RETRIES = 5
"""How often a task is run again after the node or process that ran it was lost."""

RAY_STORE_BYTES = 134_217_728
"""Shared memory of a Ray that is started here. Only small results pass through it."""

RAY_KNOCK_S = 10.0
"""Seconds in which a Ray cluster has to accept a connection."""

RAY_PASSED_ON = ("PYTHONPATH", "NLTK_DATA", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_PROFILE")
"""Environment variables that Ray's workers get from here. Keys are not among them: Ray logs what it passes on."""

_PR_SET_PDEATHSIG = 1
_UNPICKLABLE = (pickle.PickleError, TypeError, AttributeError, ValueError)


class Executor(Protocol):
    """Somewhere to run tasks."""

    def run(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], poll: Callable[[], None]
    ) -> Iterator[tuple[int, Result]]:
        """Results with the indices of their tasks, as they come; each task has exactly one.

        `poll` is called about every `POLL_S` seconds while results are waited for, never while the caller works.
        A task that fails ends the run with its own error; what other tasks have written by then stays.

        Raises:
            StageError: a worker died in the middle of a task.
        """
        ...


@contextmanager
def open_executor(kind: Literal["local", "ray"], workers: int, ray_address: str | None) -> Iterator[Executor]:
    """Workers for the length of the block.

    `workers` is how many tasks run at once on this machine: with 1, in this very process. On a Ray cluster that runs
    already (`ray_address`, or the variable RAY_ADDRESS), the cluster's own CPUs decide, one a task.

    Raises:
        InputError: the Ray cluster cannot be reached.
        MissingDependencyError: Ray is not installed.
    """
    if kind == "ray":
        with _ray(workers, ray_address) as ray:
            yield _RayTasks(ray)
    elif workers == 1:
        yield _InProcess()
    else:
        pool = _Processes(workers)
        try:
            yield pool
        finally:
            pool.close()


class _InProcess:
    """One task after another."""

    def run(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], poll: Callable[[], None]
    ) -> Iterator[tuple[int, Result]]:
        for index, task in enumerate(tasks):
            with _polling(poll):
                result = function(task)
            yield index, result


@contextmanager
def _polling(poll: Callable[[], None]) -> Iterator[None]:
    """Call `poll` from a thread while the block runs; what it raises is raised after the block."""
    over = threading.Event()
    failures: list[Exception] = []

    def keep_polling() -> None:
        while not failures and not over.wait(POLL_S):
            try:
                poll()
            except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)

    thread = threading.Thread(target=keep_polling, name="poll", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


class _Pulse:
    """Calls `poll` when it is due, between waits that are no longer than `left_s`."""

    def __init__(self, poll: Callable[[], None]) -> None:
        self._poll = poll
        self._due = time.monotonic() + POLL_S

    def left_s(self) -> float:
        return max(0.0, self._due - time.monotonic())

    def beat(self) -> None:
        if self.left_s() == 0:
            self._poll()
            self._due = time.monotonic() + POLL_S


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one task: a value, or an error that can travel between processes."""

    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


def _attempt(function: Callable[[Any], Any], task: Any) -> _Outcome:
    try:
        return _Outcome(value=function(task))
    except Exception as error:  # noqa: BLE001 - raised again where the results are read
        return _Outcome(error=_portable(error))


def _portable(error: Exception) -> Exception:
    """The error, or one of the same message that survives pickling; with the worker's traceback as a note."""
    error.add_note("in the worker:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes made in the same line
    except _UNPICKLABLE:
        return StageError(f"expected a task to be done, found {type(error).__name__}: {error}")
    return error


# Processes of this machine.


@dataclass(slots=True)
class _Worker:
    process: multiprocessing.process.BaseProcess
    pipe: connection.Connection[Any, Any]
    index: int = -1
    """The task it is at, or -1."""


class _Processes:
    """Processes that stay from one run to the next, each with a pipe of its own.

    Not a `ProcessPoolExecutor`: that one's workers outlive a parent that is killed, and waits for running tasks when it
    is closed.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: list[_Worker] = []

    def run(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], poll: Callable[[], None]
    ) -> Iterator[tuple[int, Result]]:
        while len(self._workers) < min(self._count, len(tasks)):
            self._workers.append(_start_worker())
        todo = iter(enumerate(tasks))
        try:
            for worker in self._workers:
                _hand_out(worker, function, todo)
            for worker in self._finished(poll):
                index, outcome = worker.index, _receive(worker)
                _hand_out(worker, function, todo)
                yield index, outcome.result()
        except BaseException:
            # Whoever is still at a task must not be met by the next run.
            self.close()
            raise

    def close(self) -> None:
        """End all workers at once; what they had not finished is lost."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _finished(self, poll: Callable[[], None]) -> Iterator[_Worker]:
        """Workers that have something to say, until none is at a task."""
        pulse = _Pulse(poll)
        while busy := [worker for worker in self._workers if worker.index >= 0]:
            ready = connection.wait([worker.pipe for worker in busy], pulse.left_s())
            yield from (worker for worker in busy if worker.pipe in ready)
            pulse.beat()


def _start_worker() -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), name="reddit-worker", daemon=True)
    # Ctrl-C reaches every process of a terminal; workers are ended by their parent and must not speak up themselves.
    # The mask is inherited. The tracker comes first, because multiprocessing unblocks signals when it starts it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return _Worker(process, ours)


def _hand_out(worker: _Worker, function: Callable[[Any], Any], todo: Iterator[tuple[int, Any]]) -> None:
    """Send the worker its next task, if there is one."""
    worker.index, task = next(todo, (-1, None))
    if worker.index < 0:
        return
    try:
        worker.pipe.send((function, task))
    except OSError as error:
        raise _died(worker) from error


def _receive(worker: _Worker) -> _Outcome:
    try:
        outcome: _Outcome = worker.pipe.recv()
    except (EOFError, OSError) as error:
        raise _died(worker) from error
    return outcome


def _died(worker: _Worker) -> StageError:
    worker.process.join(5)
    code = worker.process.exitcode
    how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
    cause = "; the system may have run out of memory" if code == -signal.SIGKILL else ""
    return StageError(
        f"expected a worker to finish task {worker.index}, found that it died ({how}{cause})",
        next_step="run again with fewer --workers, which need less memory; finished work is kept",
    )


def _serve(pipe: connection.Connection[Any, Any]) -> None:
    """A worker's life: tasks in, outcomes out, until the parent has nothing more or is no more."""
    _die_with_parent()
    while True:
        try:
            function, task = pipe.recv()
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - say, a module that cannot be imported here
            outcome = _Outcome(error=_portable(error))
        else:
            outcome = _attempt(function, task)
        try:
            pipe.send(outcome)
        except _UNPICKLABLE as error:
            pipe.send(_Outcome(error=_portable(error)))


def _die_with_parent() -> None:
    """See to it that this process ends in the moment its parent does, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    # Linux does it itself, whatever this process is busy with (and already when the parent's thread that started it is
    # over); elsewhere, and if the parent was gone before the request, the thread does.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


# Ray.


class _RayTasks:
    """Tasks of a Ray cluster, one CPU each."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def run(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], poll: Callable[[], None]
    ) -> Iterator[tuple[int, Result]]:
        remote = self._ray.remote(num_cpus=1, max_retries=RAY_RETRIES)(_attempt)
        waiting = {remote.remote(function, task): index for index, task in enumerate(tasks)}
        pulse = _Pulse(poll)
        try:
            while waiting:
                for reference in self._ready(list(waiting), pulse.left_s()):
                    outcome = self._outcome(reference)
                    yield waiting.pop(reference), outcome.result()
                pulse.beat()
        finally:
            for reference in waiting:
                self._ray.cancel(reference, force=True)

    def _ready(self, references: list[Any], timeout_s: float) -> list[Any]:
        try:
            ready: list[Any] = self._ray.wait(references, num_returns=1, timeout=timeout_s)[0]
        except SystemError as error:
            # This is how Ray reports what a signal handler raised, unless it was a KeyboardInterrupt.
            raise error.__cause__ or error from None
        return ready

    def _outcome(self, reference: Any) -> _Outcome:
        # A task's own error comes as an outcome, so whatever Ray raises is a matter of the cluster.
        try:
            outcome: _Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            raise StageError(
                f"expected Ray to finish every task, found {type(cause).__name__}: {cause}",
                next_step="see that every node has this version of sage-dialogue, and memory for one task a CPU; then "
                "run again: finished work is kept",
            ) from error
        return outcome


@contextmanager
def _ray(workers: int, address: str | None) -> Iterator[Any]:
    """Ray, connected; disconnected afterwards if it was not connected before."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            f"expected Ray for --executor ray, found none: {error}", next_step="pip install 'sage-dialogue[ray]'"
        ) from error
    if ray.is_initialized():
        yield ray
        return
    # Ray prints on stdout when a node is lost; that is where data goes.
    with redirect_stdout(sys.stderr):
        with _own_signals():
            _connect(ray, workers, address or os.environ.get("RAY_ADDRESS"))
        try:
            yield ray
        finally:
            ray.shutdown()


def _surroundings(passed_on: dict[str, str], address: str | None) -> dict[str, Any]:
    """What workers find around them. Ray puts the interpreter's path into a shell line without quoting it."""
    surroundings: dict[str, Any] = {"env_vars": passed_on}
    if address is None and shlex.quote(sys.executable) != sys.executable:
        surroundings["py_executable"] = shlex.quote(sys.executable)
    return surroundings


def _connect(ray: Any, workers: int, address: str | None) -> None:
    own: dict[str, Any] = {"num_cpus": workers, "object_store_memory": RAY_STORE_BYTES, "include_dashboard": False}
    passed_on = {name: os.environ[name] for name in RAY_PASSED_ON if name in os.environ}
    try:
        _knock(address)
        ray.init(
            address=address or "local",
            runtime_env=_surroundings(passed_on, address),
            log_to_driver=False,
            logging_level="ERROR",
            **({} if address else own),
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"expected a Ray cluster, found {type(error).__name__}: {error}, at {address or 'this machine'}",
            next_step="start one with `ray start --head`, or leave --ray-address out",
        ) from error


def _knock(address: str | None) -> None:
    """Raise OSError if nobody listens at `host:port`: Ray itself would go on trying for minutes."""
    host, _, port = (address or "").rpartition("://")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), RAY_KNOCK_S).close()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put the handler of SIGTERM back: Ray brings one of its own, which would hide that a run was ended.

    Raises:
        Terminated: SIGTERM came while Ray's handler was in place.
    """
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as error:
        raise Terminated from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
