from __future__ import annotations

import re
from re import Pattern


def group_pattern(group_by: str | None) -> Pattern[str] | None:
    """Compile the expression that names the group of an image.

    Args:
        group_by: Regular expression with one group, or None.

    Returns:
        The compiled expression, or None.

    Raises:
        ValueError: There is not exactly one group in the expression.
    """
    if group_by is None:
        return None
    pattern = re.compile(group_by)
    if pattern.groups != 1:
        raise ValueError(
            '`group_by` should be a regular expression with exactly one '
            f"group, but got {group_by!r}. Example: '([^/]*)/[^/]*$' groups "
            'by the last folder.'
        )
    return pattern


def group_of(pattern: Pattern[str], path: str) -> str:
    """Group of an image.

    Args:
        pattern: What :func:`group_pattern` gave.
        path: Path of the image.

    Returns:
        What the group matched, or ``'other'``.
    """
    match = pattern.search(path.replace('\\', '/'))
    return match.group(1) if match and match.group(1) else 'other'
