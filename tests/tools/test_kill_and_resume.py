from __future__ import annotations

import re
from pathlib import Path

TOOL = 'tools/analysis_tools/kill_and_resume.py'


def test_six_trials(repo_root: Path, run_tool):
    done = run_tool(repo_root / TOOL, '--trials', 6, '--seed', 5)
    # onedl's mmengine has a line of its own on stdout.
    lines = [x for x in done.stdout.splitlines() if 'import OneDL' not in x]
    *trials, hits, last = lines
    assert last == '6/6 bit-equal'
    assert len([one for one in trials if 'bit-equal' in one]) == 6
    assert {one.split(' workers')[0][-1] for one in trials} == {'0', '2'}
    counts = [int(n) for n in re.findall(r'(\d+) [a-z]', hits)]
    assert sum(counts[:-1]) >= 6  # the last one counts runs killed twice


def test_no_trials(call_tool):
    done = call_tool(TOOL, '--trials', 0)
    assert done.returncode == 1 and done.error.startswith('error: `--trials`')


def test_help_shows_every_default(check_help):
    check_help(TOOL)
