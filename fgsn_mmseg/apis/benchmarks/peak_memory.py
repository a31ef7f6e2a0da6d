"""Peak memory of calls, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch


class MemoryMeter:
    """Peak of the memory above what was held when the meter was made.

    The device's memory on CUDA, else that of this process.

    Args:
        device (str): 'cpu' or 'cuda'.
    """

    def __init__(self, device: str) -> None:
        self.cuda = torch.device(device).type == 'cuda'
        self._forget()
        self.before = self._peak()

    def _forget(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            return
        # Linux; elsewhere what came before counts, too.
        with suppress(OSError), open('/proc/self/clear_refs', 'w') as file:
            file.write('5')

    def _peak(self) -> int:
        if self.cuda:
            torch.cuda.synchronize()
            return torch.cuda.max_memory_allocated()
        return _process_peak()

    def extra(self) -> int:
        """Bytes."""
        return self._peak() - self.before


def _process_peak() -> int:
    """Bytes."""
    with suppress(OSError), open('/proc/self/status') as file:
        for line in file:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class MeasuredProcess:
    """A call that can be repeated in a process of its own.

    Args:
        prepare (callable): Of a module that the process can import; its
            result, a function without arguments, is what is measured.
        *args: Arguments of ``prepare``.
        device (str): 'cpu' or 'cuda'. Defaults to 'cpu'.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[], Any]],
        *args: Any,
        device: str = 'cpu',
    ) -> None:
        context = multiprocessing.get_context('spawn')
        self._connection, other = context.Pipe()
        threads = torch.get_num_threads()
        self._process = context.Process(
            target=_serve,
            args=(other, prepare, args, device, threads),
            daemon=True,
        )
        self._process.start()
        other.close()

    def __call__(self) -> tuple[float, int]:
        """Call once more.

        Returns:
            tuple[float, int]: Seconds, and bytes of the peak so far above
            what was held before the first call.

        Raises:
            RuntimeError: The call failed, or the process is gone.
        """
        try:
            self._connection.send('call')
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise RuntimeError(
                'A measured process ended by itself, with status '
                f'{self._process.exitcode}: there may be too little memory.'
            ) from error
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def __enter__(self) -> MeasuredProcess:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()


def _serve(
    connection: Any,
    prepare: Callable[..., Callable[[], Any]],
    args: tuple,
    device: str,
    threads: int,
) -> None:
    """What runs in the process."""
    torch.set_num_threads(threads)
    call: Callable[[], Any] | None = None
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        try:
            if call is None:
                call = prepare(*args)
                meter = MemoryMeter(device)
            start = time.perf_counter()
            call()
            extra = meter.extra()  # waits for the device
            connection.send((time.perf_counter() - start, extra))
        except Exception as error:
            connection.send(f'{type(error).__name__}: {error}')
