"""Readers against files that were damaged or made up, in processes apart.

`trial(read, path, check)` reads a file in a fork of this process, with limits
of memory and time, and says what happened; `mutants` damages files.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import select
import signal
from collections import Counter

import numpy as np

SECONDS, MEMORY = 5, 1 << 30


def trial(read, path, check):
    """One word: 'read', 'refused', or what must not happen.

    A refusal is a ValueError or FileNotFoundError of one line that names the
    file. What is read has to pass the check.
    """
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiver)
        faulthandler.disable()
        try:
            word = _attempt(read, str(path), check)
        except BaseException as error:
            word = f'harness: {error!r}'
        os.write(sender, word.encode()[:400])
        os._exit(0)
    os.close(sender)
    ready, _, _ = select.select([receiver], [], [], SECONDS)
    word = os.read(receiver, 1000).decode() if ready else 'hang'
    os.close(receiver)
    if word == 'hang':
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return word or 'crash'


def _attempt(read, path, check):
    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
    try:
        found = read(path)
    except (ValueError, FileNotFoundError) as error:
        text = str(error)
        if isinstance(error.__cause__, MemoryError):
            return 'memory'
        if path not in text or '\n' in text or len(text) > 1000:
            return f'message: {text}'
        return 'refused'
    except MemoryError:
        return 'memory'
    except BaseException as error:
        return f'{type(error).__name__}: {error}'
    try:
        check(found)
    except Exception as error:
        return f'accepted: {error!r}'
    return 'read'


def mutants(data, number, rng):
    """Damaged copies of a file's bytes, each in one of six ways."""
    for index in range(number):
        yield _damage(bytearray(data), index % 6, rng)


def _damage(data, way, rng):
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, 65))
    if way == 0:  # single bytes
        for _ in range(int(rng.integers(1, 9))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    elif way == 1:  # single bits
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    elif way == 2:  # cut off
        del data[at:]
    elif way == 3:  # a hole, or all ones
        value = bytes([0]) if rng.random() < 0.5 else bytes([255])
        data[at : at + length] = value * len(data[at : at + length])
    elif way == 4:  # a part moved
        other = int(rng.integers(len(data)))
        part = data[other : other + length]
        data[at : at + len(part)] = part
    else:  # a part inserted
        part = rng.integers(0, 256, length, np.uint8).tobytes()
        data[at:at] = part
    return bytes(data)


def run(read, check, originals, number, seed, folder, suffix):
    """Count what happens to `number` mutants of some files' bytes."""
    rng = np.random.default_rng(seed)
    counts: Counter = Counter()
    share = -(-number // len(originals))
    for source, data in enumerate(originals):
        for index, mutant in enumerate(mutants(data, share, rng)):
            path = folder / f'{source}_{index}{suffix}'
            path.write_bytes(mutant)
            word = trial(read, path, check)
            counts[word] += 1
            if word in ('read', 'refused'):
                path.unlink()  # the others stay for a look
    return counts
