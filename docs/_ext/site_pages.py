"""Pages of the repository as pages of the site.

``<!-- page: ../README.md -->`` in a page of the site stands for the text of
that file. Relative links are rebased: to a page of the site where the target
is one, to a copy of the file where it is none; links to folders become plain
text, since the site holds no folders.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
_PAGE = re.compile(r'^<!-- page: (?P<path>\S+) -->$', re.MULTILINE)
_LINK = re.compile(
    r'(?P<text>!?\[(?:[^\[\]]|\[[^\]]*\])*\])'
    r'\((?P<target>(?!\w+:)[^)#\s]+)(?P<anchor>#[^)\s]*)?\)'
)


def pages_taken_in() -> dict[Path, Path]:
    """File of the repository -> page of the site that shows it."""
    found = {}
    for page in sorted(DOCS.glob('*.md')):
        for match in _PAGE.finditer(page.read_text(encoding='utf-8')):
            found[(page.parent / match['path']).resolve()] = page
    return found


def rebase_links(text: str, source: Path, page: Path) -> str:
    """Let links of ``source`` lead to the same from ``page``.

    Args:
        text: Markdown of ``source``.
        source: File whose folder relative links start from.
        page: Page of the site in which the text will stand.

    Returns:
        The text with other links.
    """
    taken = pages_taken_in()

    def rebase(match: re.Match) -> str:
        target = (source.parent / match['target']).resolve()
        if target.is_dir():
            return match['text'][1:-1]
        target = taken.get(target, target)
        relative = Path(os.path.relpath(target, page.parent)).as_posix()
        return f'{match["text"]}({relative}{match["anchor"] or ""})'

    return _LINK.sub(rebase, text)


def read_page(app: Any, docname: str, content: list[str]) -> None:
    """Event ``source-read``: take files in, rebase links."""
    path = Path(app.env.doc2path(docname))
    if path.suffix != '.md':
        return

    def take_in(match: re.Match) -> str:
        source = (path.parent / match['path']).resolve()
        app.env.note_dependency(str(source))
        return rebase_links(source.read_text(encoding='utf-8'), source, path)

    own = rebase_links(content[0], path, path)
    content[0] = _PAGE.sub(take_in, own)


def keep_letters(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Event ``autodoc-process-docstring``: ``num_clusters: K.`` is no list.

    A letter and a full stop would begin one, as ``1.`` does.
    """
    for i, line in enumerate(lines):
        lines[i] = re.sub(r'^(\s+\w+(?: \([^)]*\))?: [A-Z])\.', r'\1\.', line)


def leave_out(
    app: Any, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Event ``autoapi-skip-member``: of modules, only rooms are shown."""
    if what in ('module', 'package'):
        return name not in app.config.api_modules
    return None


def find_in_room(app: Any, env: Any, node: Any, contnode: Any) -> Any:
    """Event ``missing-reference``: where a name of a file is shown.

    A room shows ``fgsn_mmseg.room.Name`` of ``fgsn_mmseg.room.file.Name``.
    What no room shows, but is there, stays as plain text; a name that is
    nowhere is left to the warning.
    """
    target = node.get('reftarget', '')
    if node.get('refdomain') != 'py' or not target.startswith('fgsn_mmseg.'):
        return None
    domain = env.get_domain('py')
    parts = target.split('.')
    for length in range(len(parts) - 2, 0, -1):
        shown = '.'.join([*parts[:length], parts[-1]])
        if shown in domain.objects:
            return domain.resolve_xref(
                env,
                node['refdoc'],
                app.builder,
                node['reftype'],
                shown,
                node,
                contnode,
            )
    return contnode if target in env.autoapi_all_objects else None


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value('api_modules', [], 'env')
    app.connect('source-read', read_page)
    app.connect('autoapi-skip-member', leave_out)
    # Before napoleon, which takes the names of arguments away.
    app.connect('autodoc-process-docstring', keep_letters, priority=400)
    app.connect('missing-reference', find_in_room)
    return {'parallel_read_safe': True}
