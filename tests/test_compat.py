from __future__ import annotations

import importlib
import importlib.util
import re
import sys

import pytest
from packaging.specifiers import SpecifierSet

from fgsn_mmseg import compat


def write_package(site, name, version):
    """Put a package that cannot be imported in the place of a real one."""
    folder = site / name
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir()
    folder.joinpath('__init__.py').write_text('raise AssertionError\n')
    if version is not None:
        folder.joinpath('version.py').write_text(
            f"__version__ = '{version}'\n"
        )


class TestVersions:
    @pytest.mark.parametrize(
        ('name', 'version', 'said'),
        [
            ('mmcv', '2.2.0', "should be >=2.0.0,<2.2.0, but got '2.2.0'"),
            ('mmcv', '1.7.2', "but got '1.7.2'; run `pip uninstall -y mmcv"),
            ('mmcv', None, '`mmcv` should be >=2.0.0,<2.2.0, but is missing'),
            ('mmseg', '0.30.0', '"mmsegmentation>=1.2.0,<1.3"'),
            ('mmengine', '0.7.4', '"mmengine>=0.10.2,<1.0"'),
        ],
    )
    def test_wrong_version(self, name, version, said, tmp_path, monkeypatch):
        # `version` None: what is left of two packages that share a folder
        # when one of them is uninstalled.
        write_package(tmp_path, name, version)
        monkeypatch.delitem(sys.modules, name)
        if version is None:
            (tmp_path / name / '__init__.py').unlink()
            monkeypatch.setattr(sys, 'path', [str(tmp_path)])
        else:
            monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ImportError) as error:
            compat.check_versions()
        self.check_sentence(str(error.value), said)

    @pytest.mark.parametrize(
        ('names', 'said'),
        [
            (['mmcv'], 'run `pip install "fgsn-mmseg[lite]"`'),
            (['mmseg'], 'run `pip install "mmsegmentation>=1.2.0,<1.3"`'),
            (['ftfy'], '`ftfy` should be there, but is missing; run `pip'),
            (['ftfy', 'regex'], 'run `pip install ftfy regex`.'),
            (['mmengine', 'mmcv', 'mmseg'], 'run `pip install "fgsn-mmseg['),
        ],
    )
    def test_missing(self, names, said, tmp_path, monkeypatch):
        real = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util,
            'find_spec',
            lambda name: None if name in names else real(name),
        )
        with pytest.raises(ImportError) as error:
            compat.check_versions()
        self.check_sentence(str(error.value), said)
        for name in names:
            assert f'`{name}`' in str(error.value)

    @staticmethod
    def check_sentence(message, said):
        assert said in message
        assert message.endswith('.') and '. ' not in message
        assert '\n' not in message
        # Where mmcv is in order, a command must not overwrite it.
        assert ('fgsn-mmseg[lite]' in message) == ('`mmcv` should' in message)

    def test_both_mmcv_absent(self, site, import_in):
        (site / 'mmcv').unlink()
        done = import_in(site, 'import fgsn_mmseg')
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last == (
            'ImportError: `mmcv` should be >=2.0.0,<2.2.0, but is missing; '
            'run `pip install "fgsn-mmseg[lite]"` (or "fgsn-mmseg[full]", '
            'which compiles mmcv).'
        )

    def test_too_new_mmcv(self, site, import_in):
        write_package(site, 'mmcv', '2.2.0')
        done = import_in(site, 'import fgsn_mmseg')
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith('ImportError: `mmcv` should be >=2.0.0,<2.2.0')

    @pytest.mark.parametrize('version', ['2.0.0', '2.1.0+cu121'])
    def test_right_version(self, version, tmp_path, monkeypatch):
        write_package(tmp_path, 'mmcv', version)
        monkeypatch.delitem(sys.modules, 'mmcv')
        monkeypatch.syspath_prepend(tmp_path)
        assert compat.installed_version('mmcv') == version
        compat.check_versions()

    def test_pyproject_says_the_same(self, repo_root):
        text = (repo_root / 'pyproject.toml').read_text()
        for distribution, versions in [
            *compat.REQUIREMENTS.values(),
            ('mmcv-lite', compat.REQUIREMENTS['mmcv'][1]),
        ]:
            found = re.findall(rf'"{distribution}([<>=][^"]*)"', text)
            assert [SpecifierSet(item) for item in found] == [
                SpecifierSet(versions)
            ]
        for name in compat.UNDECLARED:
            assert f'"{name}"' in text
