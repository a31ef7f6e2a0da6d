"""Parts of a web page that needs no other file and no script."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from matplotlib.figure import Figure

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2330; margin: 0;
  background: #f4f5f7; }
main { max-width: 1180px; margin: 0 auto; padding: 24px; }
h1 { font-size: 28px; margin: 8px 0; }
h2 { font-size: 20px; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 16px 0 4px; }
section { background: #fff; border: 1px solid #dfe3e8; border-radius: 8px;
  padding: 18px 22px; margin: 18px 0; overflow-x: auto; }
p { margin: 6px 0; max-width: 75em; }
.note { color: #5a6575; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 12px 3px 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #edf0f3; }
th:first-child, td:first-child { text-align: left; }
th { color: #5a6575; font-weight: 600; }
th.span { text-align: center; border-left: 12px solid #fff; }
.pictures { display: grid; gap: 4px; }
.pictures span { font-size: 13px; color: #5a6575; align-self: center; }
.pictures b { font-size: 13px; }
.pictures img { width: 100%; display: block; border-radius: 3px; }
svg { width: 100%; height: auto; }
"""


def page(title: str, sections: Sequence[str]) -> str:
    """A whole page.

    Args:
        title: Text of the page's head.
        sections: HTML of what comes below it.

    Returns:
        HTML.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f'<body><main><h1>{escape(title)}</h1>\n'
        + '\n'.join(sections)
        + '\n</main></body></html>\n'
    )


def section(title: str, note: str, *parts: str) -> str:
    """One box of the page.

    Args:
        title: Its heading, text.
        note: A sentence or two below, text.
        *parts: HTML.

    Returns:
        HTML.
    """
    return (
        f'<section><h2>{escape(title)}</h2>'
        f'<p class="note">{escape(note)}</p>' + '\n'.join(parts) + '</section>'
    )


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    spans: Sequence[tuple[str, int]] = (),
) -> str:
    """A table; floats get three digits.

    Args:
        header: Names of the columns.
        rows: Cells; None leaves a dash.
        spans: Headings above the columns after the first, each with the
            number of its columns.

    Returns:
        HTML.
    """
    above = ''.join(
        f'<th colspan="{number}" class="span">{escape(text)}</th>'
        for text, number in spans
    )
    head = f'<tr><th></th>{above}</tr>' if spans else ''
    names = ''.join(f'<th>{escape(name)}</th>' for name in header)
    head += f'<tr>{names}</tr>'
    body = ''.join(
        '<tr>' + ''.join(f'<td>{_cell(cell)}</td>' for cell in row) + '</tr>'
        for row in rows
    )
    return f'<table>{head}{body}</table>'


def _cell(value: object) -> str:
    if value is None:
        return '–'  # noqa: RUF001
    if isinstance(value, float):
        return f'{value:.3f}'
    return escape(str(value))


def picture(image: np.ndarray, alt: str, flat: bool = False) -> str:
    """An image inside the page.

    Args:
        image: (H, W, 3) uint8 RGB.
        alt: What it shows.
        flat: Few colours and hard borders: PNG instead of JPEG.

    Returns:
        HTML.
    """
    kind = 'png' if flat else 'jpeg'
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = [] if flat else [cv2.IMWRITE_JPEG_QUALITY, 85]
    data = cv2.imencode(f'.{kind}', bgr, options)[1].tobytes()
    text = base64.b64encode(data).decode()
    return (
        f'<img alt="{escape(alt)}" title="{escape(alt)}" '
        f'src="data:image/{kind};base64,{text}">'
    )


def svg(figure: Figure) -> str:
    """A figure inside the page, as drawn by matplotlib."""
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', metadata={'Date': None})
    text = buffer.getvalue()
    return text[text.index('<svg') :]


def picture_grid(
    rows: Sequence[Sequence[str]], first_column: str = '90px'
) -> str:
    """Pictures and text in rows and columns.

    Args:
        rows: HTML of the cells, equally many in each row.
        first_column: CSS width of the first column.

    Returns:
        HTML.
    """
    columns = f'{first_column} repeat({len(rows[0]) - 1}, minmax(0, 1fr))'
    # An empty cell needs its place, too.
    cells = ''.join(cell or '<span></span>' for row in rows for cell in row)
    return (
        f'<div class="pictures" style="grid-template-columns: {columns}">'
        f'{cells}</div>'
    )
