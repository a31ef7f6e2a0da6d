"""Seconds of calls and of their parts, peak memory, and tables."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from statistics import median
from typing import Any
from unittest.mock import patch

import psutil
import torch
from prettytable import PrettyTable, TableStyle
from torch.utils.benchmark import Timer
from torch.utils.benchmark import timer as default_timer


def take_turns(
    calls: Mapping[str, Callable[[], Any]],
    seconds: float,
    clock: Callable[[], float] | None = None,
) -> dict[str, float]:
    """Median seconds of calls that take turns, to and fro.

    What slows the machine down for a while then slows all of them.

    Args:
        calls: By name.
        seconds: How long each is called at least, in two halves.
        clock: Instead of the time that passes, which waits for the device.
    """
    timers = {
        name: Timer(
            'call()',
            globals=dict(call=call),
            timer=clock or default_timer,
            num_threads=torch.get_num_threads(),
        )
        for name, call in calls.items()
    }
    times: dict[str, list[float]] = defaultdict(list)
    for names in (list(timers), list(timers)[::-1]):
        for name in names:
            found = timers[name].blocked_autorange(min_run_time=seconds / 2)
            times[name] += found.times
    return {name: median(times[name]) for name in calls}


class Stopwatch:
    """Divides the time of calls among their parts, without parts inside.

    Args:
        device: 'cpu' or 'cuda'; of the latter all work is waited for.
        clock: As in :func:`take_turns`.
    """

    def __init__(
        self, device: str = 'cpu', clock: Callable[[], float] | None = None
    ) -> None:
        self.cuda = torch.device(device).type == 'cuda'
        self.clock = clock or time.perf_counter
        self.seconds: dict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What happens inside belongs to the part ``name``."""
        self._turn()
        self._running.append(name)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def _turn(self) -> None:
        """Give the time since the last turn to the part that ran."""
        if self.cuda:
            torch.cuda.synchronize()
        now = self.clock()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    @contextmanager
    def watching(self, *calls: tuple[Any, str, str]) -> Iterator[None]:
        """Inside, calls of (owner, name of its function, part) count."""
        with ExitStack() as stack:
            for owner, name, part in calls:
                timed = self._timed(getattr(owner, name), part)
                stack.enter_context(patch.object(owner, name, timed))
            yield

    def _timed(self, function: Callable, part: str) -> Callable:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(part):
                return function(*args, **kwargs)

        return timed


class MeasuredProcess:
    """A call that can be repeated in a process of its own.

    Args:
        prepare: Of a module that the process can import; its result, a
            function without arguments, is what is measured.
        *args: Arguments of ``prepare``.
        device: 'cpu' or 'cuda'.
    """

    def __init__(
        self, prepare: Callable, *args: Any, device: str = 'cpu'
    ) -> None:
        self.device = device
        self.pool = ProcessPoolExecutor(1, get_context('spawn'))
        threads = torch.get_num_threads()
        self.pool.submit(_prepare, prepare, args, threads, device).result()

    def __call__(self, seconds: float = 0.0) -> tuple[float, float]:
        """Call for a while.

        Returns:
            Median seconds of a call, and the peak of the memory, in
            megabytes, above what was held before the first one.
        """
        return self.pool.submit(_measure, self.device, seconds).result()

    def __enter__(self) -> MeasuredProcess:
        return self

    def __exit__(self, *_: Any) -> None:
        self.pool.shutdown()


_PREPARED: dict[str, Any] = {}  # in the process of the call


def _prepare(
    prepare: Callable, args: tuple, threads: int, device: str
) -> None:
    torch.set_num_threads(threads)
    _PREPARED['call'] = prepare(*args)
    _PREPARED['held'] = held(device)


def _measure(device: str, seconds: float) -> tuple[float, float]:
    call = _PREPARED['call']
    with peak_memory(device) as peak:
        call()
    extra = peak[0] - _PREPARED['held']
    return (take_turns({'': call}, seconds)[''] if seconds else 0.0), extra


def held(device: str = 'cpu') -> float:
    """Megabytes of the device on CUDA, else of this process."""
    if torch.device(device).type == 'cuda':
        return torch.cuda.memory_allocated() / 1e6
    return psutil.Process().memory_info().rss / 1e6


@contextmanager
def peak_memory(device: str = 'cpu') -> Iterator[list[float]]:
    """The largest :func:`held` inside; on the CPU a look a millisecond."""
    peak = [held(device)]
    if torch.device(device).type == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        yield peak
        peak[0] = torch.cuda.max_memory_allocated() / 1e6
        return
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            peak[0] = max(peak[0], held())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        peak[0] = max(peak[0], held())
        done.set()
        watcher.join()


def new_table(title: str, *columns: str) -> PrettyTable:
    """A table of text and numbers, which prints as Markdown."""
    table = PrettyTable(list(columns), title=title)
    table.set_style(TableStyle.MARKDOWN)
    table.align = 'r'
    table.align[columns[0]] = 'l'
    table.custom_format = lambda _, value: _text(value)
    return table


def value_of(table: PrettyTable, row: Any, column: int | str = 1) -> Any:
    """The number in a row, by the row's first cell."""
    if isinstance(column, str):
        column = table.field_names.index(column)
    (found,) = [cells for cells in table.rows if cells[0] == row]
    return found[column]


def _text(value: Any) -> str:
    """Three significant digits."""
    if value is None:
        return '-'
    if isinstance(value, float):
        return f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'
    return str(value)
