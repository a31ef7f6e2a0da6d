"""Runs that are killed and resumed: ``kill_and_resume.py`` runs them."""

from .difference import differences
from .trials import Outcome, run_trials, summary

__all__ = ['Outcome', 'differences', 'run_trials', 'summary']
