"""Seconds of calls, and of the parts of a call."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import torch
from torch import nn


class Stopwatch:
    """Divides the time of a call among its parts.

    The time of a part does not hold that of the parts inside it.

    Args:
        device (str): 'cpu' or 'cuda'; with the latter the clock is read when
            the device has done all that it was given.
        processor (bool): Count the processor time of this process instead of
            the time that passes; for machines that others use too. Defaults
            to False.
    """

    def __init__(self, device: str = 'cpu', processor: bool = False) -> None:
        self.synchronised = torch.device(device).type == 'cuda'
        self.clock = time.process_time if processor else time.perf_counter
        self.seconds: dict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    def now(self) -> float:
        """Seconds since some time."""
        if self.synchronised:
            torch.cuda.synchronize()
        return self.clock()

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
        now = self.now()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    @contextmanager
    def watching(self, *calls: tuple) -> Iterator[None]:
        """Inside, count the calls of functions as parts.

        Args:
            *calls: (object or module, name of its function, part).
        """
        with ExitStack() as stack:
            for owner, name, part in calls:
                stack.enter_context(self._watch(owner, name, part))
            yield

    @contextmanager
    def _watch(self, owner: Any, name: str, part: str) -> Iterator[None]:
        function = getattr(owner, name)
        own = name in vars(owner)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(part):
                return function(*args, **kwargs)

        setattr(owner, name, timed)
        try:
            yield
        finally:
            if own:
                setattr(owner, name, function)
            elif isinstance(owner, nn.Module):
                vars(owner).pop(name)
            else:
                delattr(owner, name)


def interleaved(
    calls: dict[str, Callable[[], Any]],
    repeats: int,
    watch: Stopwatch,
    warm_up: int = 2,
) -> dict[str, float]:
    """Median seconds of calls that take turns.

    What slows the machine down for a while then slows all of them. Every
    other turn goes backwards, so that nobody always comes after the same
    call, whose memory and caches it would find.

    Args:
        calls (dict): Name -> function without arguments.
        repeats (int): Turns that count.
        watch (Stopwatch): Its clock is used.
        warm_up (int): Turns before. Defaults to 2.

    Returns:
        dict[str, float]: Name -> seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(warm_up + repeats):
        for name in list(calls)[:: -1 if turn % 2 else 1]:
            start = watch.now()
            calls[name]()
            if turn >= warm_up:
                seconds[name].append(watch.now() - start)
    return {name: median(values) for name, values in seconds.items()}
