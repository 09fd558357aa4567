"""From a plain loop to an event loop and back: one thread that runs asyncio, and flights of tasks on it.

with Flight(background) as flight:
    flight.launch(0, coroutine_function)
    position, result = flight.take()
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, TypeVar

from sage_data.errors import BackendError

T = TypeVar("T")
END_WITHIN_S = 1.0
"""Seconds that cancelled tasks get to let go of their connections."""
_LOOK_S = 1.0


class Lookups(ThreadPoolExecutor):
    """Runs what the event loop cannot, such as name lookups, each on a daemon thread of its own.

    Threads of the usual pool are waited for at exit, so a lookup that hangs would hold up the end of the process.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Start it; cancelling the future leaves the thread to itself."""
        future: Future[T] = Future()
        threading.Thread(
            target=_into, args=(future, partial(fn, *args, **kwargs)), name="chat-lookup", daemon=True
        ).start()
        return future


def _into(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
        future.set_exception(error)


class Background:
    """A thread with an event loop; starts at the first task and ends with `close`. A daemon: it holds up no exit."""

    def __init__(self, at_end: Callable[[], Awaitable[None]]) -> None:
        self._at_end = at_end
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._obstacle: Exception | None = None
        self.closed = False

    @property
    def is_current(self) -> bool:
        """True on its own thread, which must not wait for itself."""
        return self._thread is threading.current_thread()

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop.

        Raises:
            BackendError: it was closed, or cannot start.
        """
        with self._lock:
            if self.closed:
                raise BackendError("the openai: backend is closed")
            if self._thread is None:
                self._begin()
            elif not self._thread.is_alive():
                raise BackendError(
                    "the openai: backend was opened in another process", next_step="open it after forking"
                )
            if self._loop is None:
                self._thread = None
                raise BackendError(
                    f"the event loop of the openai: backend cannot start: {self._obstacle}",
                    next_step="see how many files and threads this process may open (ulimit -n, ulimit -u)",
                )
            return self._loop

    def _begin(self) -> None:
        """Start the thread and wait until its loop runs, or cannot."""
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="chat", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._obstacle = error
            return
        self._ready.wait()

    def _run(self) -> None:
        try:
            loop = asyncio.new_event_loop()
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that waits must hear of it
            self._obstacle = error
            self._ready.set()
            return
        loop.set_default_executor(Lookups())
        try:
            loop.run_until_complete(self._main())
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    @property
    def running(self) -> asyncio.AbstractEventLoop | None:
        """The loop, if it was started and nobody ends it."""
        return None if self.closed else self._loop

    def close(self) -> None:
        """Cancel what still runs and end the thread; may be called twice, and from any thread."""
        with self._lock:
            self.closed = True
            thread, loop, stop = self._thread, self._loop, self._stop
        if thread is None or loop is None or stop is None or not thread.is_alive():
            return
        loop.call_soon_threadsafe(stop.set)
        if not self.is_current:
            thread.join(2 * END_WITHIN_S)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await _cancel(others)
        await self._at_end()


class Flight(Generic[T]):
    """Tasks that were launched together and come back in the order in which they finish. For one thread."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._results: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
        self._tasks: set[asyncio.Task[T]] = set()
        self.open = 0
        """Launched and not yet taken."""

    def __enter__(self) -> Flight[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    def launch(self, position: int, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """Start a task."""
        loop = self._background.loop()
        self.open += 1
        loop.call_soon_threadsafe(self._start, position, make)

    def take(self, *, wait: bool) -> tuple[int, T] | None:
        """The next finished task's position and result; None when there is none yet and `wait` is False.

        Raises:
            BackendError: the backend was closed meanwhile.
            Exception: what the task raised.
        """
        while True:
            try:
                position, result = self._results.get(block=wait, timeout=_LOOK_S if wait else None)
            except Empty:
                if not wait:
                    return None
                if self._background.closed:
                    raise _closed() from None
                continue
            self.open -= 1
            if isinstance(result, asyncio.CancelledError):
                raise _closed()
            if isinstance(result, BaseException):
                raise result
            return position, result

    def rest(self) -> list[tuple[int, T]]:
        """Everything that has finished well and was not taken."""
        found = []
        while not self._results.empty():
            position, result = self._results.get()
            self.open -= 1
            if not isinstance(result, BaseException):
                found.append((position, result))
        return found

    def cancel(self) -> None:
        """End every task that is still open, and wait for that, if it may: the collector can call this anywhere."""
        loop = self._background.running
        if not self.open or loop is None:
            return
        ending = asyncio.run_coroutine_threadsafe(_cancel(self._tasks), loop)
        if self._background.is_current:
            return
        try:
            ending.result(2 * END_WITHIN_S)
        except TimeoutError:
            return

    def _start(self, position: int, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        task = asyncio.get_running_loop().create_task(make())
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(position, done))

    def _done(self, position: int, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._results.put((position, asyncio.CancelledError()))
        else:
            error = task.exception()
            self._results.put((position, task.result() if error is None else error))


def _closed() -> BackendError:
    return BackendError("the openai: backend was closed while calls were open")


async def _cancel(tasks: set[asyncio.Task[T]] | set[asyncio.Task[Any]]) -> None:
    listed = list(tasks)
    for task in listed:
        task.cancel()
    if listed:
        await asyncio.wait(listed, timeout=END_WITHIN_S)
