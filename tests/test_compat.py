from __future__ import annotations

import re
import sys

import pytest
from mmengine import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import HOOKS, MODELS, TRANSFORMS
from packaging.specifiers import SpecifierSet

from fgsn_mmseg import compat

OPENMMLAB = {
    'mmengine': ('mmengine', '0.10.7'),
    'mmcv': ('mmcv-lite', '2.1.0'),
    'mmseg': ('mmsegmentation', '1.2.2'),
}
ONEDL = {
    'mmengine': ('onedl-mmengine', '0.10.12'),
    'mmcv': ('onedl-mmcv', '2.3.6'),
    'mmseg': ('onedl-mmsegmentation', '1.4.2'),
}
LITE = (
    '`pip install "fgsn-mmseg[lite]"` (or "fgsn-mmseg[full]", which compiles '
    'mmcv'
)


class World:
    """A folder of packages that is all that Python can find."""

    def __init__(self, folder, packages):
        self.folder = folder
        for name in compat.UNDECLARED:
            self.add(name, None, None)
        for name, (distribution, version) in packages.items():
            self.add(name, distribution, version)

    def add(self, name, distribution, version):
        """A package that cannot be imported, and pip's record of it."""
        package = self.folder / name
        package.mkdir(exist_ok=True)
        package.joinpath('__init__.py').write_text('raise AssertionError\n')
        text = f"__version__ = '{version}'\n"
        if distribution and distribution.startswith('onedl'):
            text = 'from importlib.metadata import version\n'
        package.joinpath('version.py').write_text(text)
        if distribution:
            self.record(distribution, version)

    def record(self, distribution, version):
        stem = distribution.replace('-', '_')
        for old in self.folder.glob(f'{stem}-[0-9]*.dist-info'):
            old.joinpath('METADATA').unlink()
            old.rmdir()
        info = self.folder / f'{stem}-{version}.dist-info'
        info.mkdir()
        info.joinpath('METADATA').write_text(
            f'Name: {distribution}\nVersion: {version}\n'
        )

    def remove(self, name):
        """As `pip uninstall` of another package in the same folder does."""
        for path in (self.folder / name).iterdir():
            path.unlink()

    def said(self):
        with pytest.raises(ImportError) as error:
            compat.check_versions()
        message = str(error.value)
        assert message.endswith('.') and '. ' not in message
        assert '\n' not in message
        return message


@pytest.fixture
def world(tmp_path, monkeypatch):
    def make(packages):
        names = {*OPENMMLAB, *compat.UNDECLARED}
        for name in names & set(sys.modules):
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, 'path', [str(tmp_path)])
        return World(tmp_path, packages)

    return make


@pytest.mark.parametrize('packages', [OPENMMLAB, ONEDL])
def test_right_versions(world, packages):
    world(packages)
    for name, (_, version) in packages.items():
        assert compat.installed_version(name) == version
    compat.check_versions()


def test_local_versions_and_sources_without_a_record(world):
    made = world({})
    for name, (_, version) in OPENMMLAB.items():
        made.add(name, None, f'{version}+cu121')
    compat.check_versions()


@pytest.mark.parametrize(
    ('name', 'distribution', 'version', 'said'),
    [
        (
            'mmcv',
            'mmcv-lite',
            '2.2.0',
            "`mmcv` should be >=2.1.0,<2.2.0, but got '2.2.0'; run `pip "
            f'uninstall -y mmcv-lite`, then {LITE}).',
        ),
        (
            'mmseg',
            'mmsegmentation',
            '0.30.0',
            "`mmseg` should be >=1.2.2,<1.3, but got '0.30.0'; run `pip "
            'install "mmsegmentation>=1.2.2,<1.3"`.',
        ),
        (
            'mmengine',
            'mmengine',
            '0.7.4',
            "`mmengine` should be >=0.10.2,<1.0, but got '0.7.4'; run `pip "
            'install "mmengine>=0.10.2,<1.0"`.',
        ),
        (
            'mmseg',
            'onedl-mmsegmentation',
            '1.3.0',
            "`mmseg` should be >=1.4.2,<2.0, but got '1.3.0'; run `pip "
            'install "onedl-mmsegmentation>=1.4.2,<2.0"`.',
        ),
    ],
)
def test_wrong_version(world, name, distribution, version, said):
    made = world(ONEDL if distribution.startswith('onedl') else OPENMMLAB)
    made.add(name, distribution, version)
    assert made.said() == said


def test_nothing_is_installed(world):
    made = world({})
    assert made.said() == (
        '`mmengine` should be >=0.10.2,<1.0, but is missing, `mmcv` should '
        'be >=2.1.0,<2.2.0, but is missing, `mmseg` should be >=1.2.2,<1.3, '
        f'but is missing; run {LITE}, or "fgsn-mmseg[onedl]", the maintained '
        'line of these packages).'
    )


@pytest.mark.parametrize(
    ('packages', 'command'),
    [
        (OPENMMLAB, f'{LITE}).'),
        (ONEDL, '`pip install "fgsn-mmseg[onedl]"`.'),
    ],
)
def test_mmcv_is_missing(world, packages, command):
    made = world({k: v for k, v in packages.items() if k != 'mmcv'})
    assert made.said().endswith(f', but is missing; run {command}')


def test_undeclared_ones_are_missing(world):
    made = world(OPENMMLAB)
    for name in compat.UNDECLARED:
        made.remove(name)
        (made.folder / name).rmdir()
    assert made.said() == (
        '`ftfy` should be there, but is missing, `regex` should be there, '
        'but is missing; run `pip install ftfy regex`.'
    )


def test_two_families_at_once(world):
    made = world(ONEDL)
    for distribution, version in OPENMMLAB.values():
        made.record(distribution, version)
    assert made.said() == (
        '`mmengine`, `mmcv` and `mmseg` should come from one family of '
        'packages, but got mmengine, mmcv-lite, mmsegmentation, '
        'onedl-mmengine, onedl-mmcv, onedl-mmsegmentation, which overwrite '
        'each other; run `pip uninstall -y mmengine mmcv-lite mmsegmentation '
        'onedl-mmengine onedl-mmcv onedl-mmsegmentation`, then '
        f'{LITE}, or "fgsn-mmseg[onedl]", the maintained line of these '
        'packages).'
    )


def test_what_another_family_left_behind(world):
    """pip calls it installed, but its files went with the other family."""
    made = world(OPENMMLAB)
    made.remove('mmengine')
    assert made.said() == (
        '`mmengine` should be >=0.10.2,<1.0, but is missing; run `pip '
        'uninstall -y mmengine`, then `pip install "mmengine>=0.10.2,<1.0"`.'
    )


def test_import_says_it(site, import_in):
    (site / 'mmcv').unlink()
    done = import_in(site, 'import fgsn_mmseg')
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: `mmcv` should be >=2.')
    assert ', but is missing; run `pip ' in last


def test_pyproject_says_the_same(repo_root):
    text = (repo_root / 'pyproject.toml').read_text()
    pairs = [
        (distribution, versions)
        for family in compat.FAMILIES.values()
        for versions, (distribution, *_) in family.values()
    ]
    pairs.append(('mmcv-lite', compat.FAMILIES['openmmlab']['mmcv'][0]))
    for distribution, versions in pairs:
        found = re.findall(rf'"{distribution}([<>=][^"]*)"', text)
        assert [SpecifierSet(item) for item in found] == [
            SpecifierSet(versions)
        ], distribution
    for name in compat.UNDECLARED:
        assert f'"{name}"' in text
    for extra in re.findall(r'"fgsn-mmseg\[(\w+)\]"', compat.INSTALL_ANY):
        assert re.search(rf'^{extra} = \[', text, re.MULTILINE)


def test_base_dependencies_choose_no_family(repo_root):
    text = (repo_root / 'pyproject.toml').read_text()
    base = re.search(r'^dependencies = \[(.*?)^\]', text, re.M | re.S)[1]
    assert '"torch' in base and 'mm' not in base


def test_oldest_versions_are_those_of_pyproject(repo_root):
    """What `make test-oldest` installs is what is promised."""
    text = (repo_root / 'pyproject.toml').read_text()
    promised = dict(re.findall(r'"([\w-]+)>=([\d.]+)', text))
    tried = dict(
        re.findall(
            r'^([\w-]+)==([\d.]+)$',
            (repo_root / 'requirements/oldest.txt').read_text(),
            re.MULTILINE,
        )
    )
    of_others = {name for name in promised if name.startswith('onedl-')}
    of_others |= {'mmcv', 'setuptools'}  # compiled; the build's own
    of_others |= {'poselib', 'pycolmap', 'timm'}  # of extras
    assert set(promised) - of_others <= set(tried)
    for name, version in promised.items():
        if name in tried:
            assert SpecifierSet(f'=={version}').contains(tried[name]), name


class TestConfigBases:
    @pytest.mark.parametrize(
        'base',
        [
            'mmseg::_base_/models/pspnet_r50-d8.py',
            'fgsn_mmseg::_base_/default_runtime.py',
            'fgsn_mmseg::fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713.py',
        ],
    )
    def test_bases_are_found(self, base, tmp_path):
        path = tmp_path / 'config.py'
        path.write_text(f"_base_ = ['{base}']\n")
        config = Config.fromfile(path)
        assert len(config) > 2

    def test_ours_is_the_file_of_this_repository(self, tmp_path, repo_root):
        name = 'fgsn/fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
        path = tmp_path / 'config.py'
        path.write_text(f"_base_ = ['fgsn_mmseg::{name}']\n")
        found = Config.fromfile(path).to_dict()
        assert found['model'].pop('_scope_') == 'fgsn_mmseg'
        ours = Config.fromfile(repo_root / 'configs' / name)
        assert found['model'] == ours.to_dict()['model']

    def test_parts_of_ours_are_built(self, capfd):
        """Types of three packages, by the registry that a runner asks."""
        built = {
            type: registry.build(dict(type=type, _scope_='fgsn_mmseg', **kw))
            for registry, type, kw in [
                (MODELS, 'FeatureHingeLoss', {}),
                (MODELS, 'CrossEntropyLoss', {}),
                (TRANSFORMS, 'PackPairInputs', {}),
                (TRANSFORMS, 'PhotoMetricDistortion', {}),
                (HOOKS, 'IterTimerHook', {}),
            ]
        }
        for type, instance in built.items():
            assert instance.__class__.__name__ == type
        assert 'Failed to' not in ''.join(capfd.readouterr())

    def test_table_of_another_family(self, world, monkeypatch):
        monkeypatch.setitem(MODULE2PACKAGE, 'mmseg', 'mmsegmentation')
        monkeypatch.setitem(MODULE2PACKAGE, 'mmpretrain', 'mmpretrain')
        for packages, expected in [
            (OPENMMLAB, 'mmsegmentation'),
            (ONEDL, 'onedl-mmsegmentation'),
        ]:
            world(packages)
            compat.name_config_packages()
            compat.name_config_packages()
            assert MODULE2PACKAGE['mmseg'] == expected
            assert MODULE2PACKAGE['mmpretrain'] == 'mmpretrain'
