"""The texts around figures: Jinja2 templates, escaped where they are HTML."""

from typing import Any

from jinja2 import (
    Environment,
    PackageLoader,
    StrictUndefined,
    select_autoescape,
)


def render_template(name: str, **values: Any) -> str:
    """Fill a template of this folder.

    Args:
        name: Its file name without `.j2`.
        values: What it names; text is escaped in HTML.

    Returns:
        The document.
    """
    environment = Environment(
        loader=PackageLoader(__package__, ''),
        autoescape=select_autoescape(['html.j2']),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f'{name}.j2').render(values)
