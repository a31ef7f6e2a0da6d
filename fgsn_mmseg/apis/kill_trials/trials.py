"""Kill a training at random moments, resume it, compare it."""

from __future__ import annotations

import multiprocessing
import os
import select
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from . import small_run
from .difference import differences

# Of 40 trials, how many aim at what; the others at any moment.
AIMS = {
    small_run.CLUSTERING: 7,
    small_run.SAVING: 7,
    'file': 7,  # a checkpoint's file appears: kill at once
    small_run.VALIDATION: 7,
}
SHARE_TWICE = 0.25
TIMEOUT = 120


@dataclass
class Outcome:
    """What became of one trial.

    Attributes:
        num_workers (int): Of the training loader.
        hits (list): What the run was doing when it was killed.
        differences (list): From the run that was never killed.
    """

    num_workers: int
    hits: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


@dataclass
class Moment:
    """When to kill: some seconds after the run said something.

    Attributes:
        announcement (int): Number of the line that it says.
        delay (float): Seconds after it.
        file (bool): Wait for a partly written file instead of the delay.
    """

    announcement: int
    delay: float
    file: bool = False


class Child:
    """A training in a process of its own, forked from this one.

    The fork saves the seconds of the imports. Nothing may have been computed
    in this process before: threads do not survive a fork.

    Args:
        config: Of the run.
        work_dir: Its folder.
    """

    def __init__(self, config: Any, work_dir: Path) -> None:
        self.work_dir = work_dir
        self.lines: list[str] = []
        self.times: list[float] = []
        self.pipe, writer = os.pipe()
        context = multiprocessing.get_context('fork')
        self.process: Any = context.Process(
            target=self._main, args=(config, writer)
        )
        self.process.start()
        os.close(writer)

    def _main(self, config: Any, writer: int) -> None:
        os.setsid()  # its workers are killed with it
        os.close(self.pipe)
        output = os.open(
            f'{self.work_dir}.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
        os.dup2(output, 1)
        os.dup2(output, 2)
        small_run.train(config, writer)

    def listen(self) -> Iterator[int]:
        """Number of the lines so far, after each; ends with the run."""
        text = b''
        while True:
            if not select.select([self.pipe], [], [], TIMEOUT)[0]:
                self.kill()
                raise RuntimeError(
                    f'{self.work_dir} said nothing for {TIMEOUT} s; its '
                    f'output is in {self.work_dir}.txt.'
                )
            piece = os.read(self.pipe, 4096)
            if not piece:
                return
            *lines, text = (text + piece).split(b'\n')
            for line in lines:
                self.lines.append(line.decode())
                self.times.append(time.monotonic())
                yield len(self.lines)

    def kill(self) -> None:
        """As a machine does that is taken away."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def wait_for_file(self, seconds: float = 1.0) -> None:
        """Until a file is being written."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(n.endswith('.part') for n in os.listdir(self.work_dir)):
                return
            time.sleep(0.0002)

    def finish(self) -> int:
        """Exit status; -9 if it was killed."""
        self.process.join()
        os.close(self.pipe)
        return self.process.exitcode


def run_once(
    root: Path, work_dir: Path, num_workers: int, moment: Moment | None
) -> Child:
    """Start or resume a run; kill it at the moment, if it gets there."""
    seconds = time.strftime('%Y%m%d_%H%M%S')
    while (work_dir / seconds).exists():  # mmengine names the log so
        time.sleep(0.05)
        seconds = time.strftime('%Y%m%d_%H%M%S')
    child = Child(
        small_run.small_config(root, work_dir, num_workers), work_dir
    )
    for count in child.listen():
        if moment is not None and count == moment.announcement + 1:
            if moment.file:
                child.wait_for_file()
            else:
                time.sleep(moment.delay)
            child.kill()
    status = child.finish()
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(
            f'{work_dir} ended with exit status {status}; its output is in '
            f'{work_dir}.txt.'
        )
    return child


def moments(child: Child, aim: str, random: Random) -> Moment:
    """A moment of the run that was never killed, at random.

    Args:
        child: That run.
        aim: What the run should be doing then, 'file', or '' for anything.
        random: Source of the draws.
    """
    aimed = small_run.SAVING if aim == 'file' else aim
    spans = [
        (index, child.times[index + 1] - child.times[index])
        for index, line in enumerate(child.lines[:-1])
        if not aim or line == aimed
    ]
    index, length = random.choices(spans, [span for _, span in spans])[0]
    # The next run may be a bit faster.
    return Moment(index, random.uniform(0, 0.9) * length, aim == 'file')


def run_trials(
    root: Path, folder: Path, trials: int, seed: int
) -> Iterator[Outcome]:
    """Run the trials, one after the other.

    Args:
        root: Pairs in the published layout.
        folder: For the runs.
        trials: How many.
        seed: Of the moments.

    Yields:
        What became of each.
    """
    random = Random(seed)
    aims = [aim for aim, count in AIMS.items() for _ in range(count)]
    aims += [''] * (40 - len(aims))
    random.shuffle(aims)
    wholes = {}
    for number in range(trials):
        num_workers = 2 * (number % 2)
        whole = folder / f'whole_{num_workers}'
        if num_workers not in wholes:
            wholes[num_workers] = run_once(root, whole, num_workers, None)
        reference = wholes[num_workers]
        outcome = Outcome(num_workers)
        work_dir = folder / f'killed_{number}'
        child = reference
        while child.process.exitcode == 0:  # it may end before it is killed
            shutil.rmtree(work_dir, ignore_errors=True)
            moment = moments(reference, aims[number % 40], random)
            child = run_once(root, work_dir, num_workers, moment)
        if random.random() < SHARE_TWICE:
            outcome.hits.append(child.lines[-1])
            moment = Moment(random.randrange(8), random.uniform(0, 0.1))
            child = run_once(root, work_dir, num_workers, moment)
        while child.process.exitcode != 0:
            outcome.hits.append(child.lines[-1])
            child = run_once(root, work_dir, num_workers, None)
        outcome.differences = differences(whole, work_dir)
        yield outcome


def summary(outcomes: list[Outcome]) -> str:
    """How often the runs were killed, and doing what."""
    hits = Counter(hit for outcome in outcomes for hit in outcome.hits)
    twice = sum(len(outcome.hits) > 1 for outcome in outcomes)
    counts = ', '.join(f'{n} {what}' for what, n in sorted(hits.items()))
    return f'killed at: {counts}; {twice} runs twice'
