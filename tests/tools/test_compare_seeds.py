import json
import re

TOOL = 'tools/analysis_tools/compare_seeds.py'
CONFIG = (
    'configs/fgsn/fgsn-c20_r18s-d8_pspnet_1xb4-both-160_sacre-coeur-113x113.py'
)
FIGURES = ('agreement', 'chance', 'match_bits', 'match_bits_hard')


def test_trains_and_prints_a_table(
    call_tool, repo_root, sacre_coeur, tmp_path
):
    arguments = [repo_root / CONFIG, '--work-dir', tmp_path]
    arguments += ['--variant', 'without:model.loss_corr=None']
    arguments += ['--seeds', 3, '--num-clusters', 7]
    arguments += ['--data-root', sacre_coeur, '--cfg-options']
    arguments += [
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        f'custom_hooks.0.dataloader.dataset.cache_dir={tmp_path}',
        'test_dataloader.dataset.indices=2',
        r'test_evaluator.group_by=/(mapping)/',
        'train_cfg.max_iters=2',
        'train_cfg.val_interval=5',
        'default_hooks.checkpoint.interval=1',
    ]
    done = call_tool(TOOL, *arguments)
    assert done.returncode == 0, done.error
    rows = [
        line.split(' | ')
        for line in (tmp_path / 'table.md').read_text().splitlines()[2:]
    ]
    assert [row[:3] for row in rows] == [
        [f'| corr_{pairs}{group}', 'without-c7', when]
        for pairs in ('train', 'val')
        for when in ('before', 'after')
        for group in ('', ', mapping')
    ]
    run = tmp_path / 'without-c7_seed3'
    figures = json.loads((run / 'iter_2_corr_val.json').read_text())
    assert rows[-2][3:] == [
        '1',
        *(f'{figures[name]:.3f}' for name in FIGURES),
        f'{figures["used_clusters"]:.1f} |',
    ]
    assert rows[-1][4] == rows[-2][4] and rows[-1][-1] == '- |'
    before = json.loads((run / 'iter_1_corr_val.json').read_text())
    assert rows[4][6] == f'{before["teacher_match_bits"]:.3f}'
    # What is there is neither trained nor measured again.
    files = {path: path.stat().st_mtime_ns for path in run.rglob('*')}
    assert call_tool(TOOL, *arguments).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob('*')} == files
    assert re.search(
        r'randomness = dict\(.*seed=3',
        (next(run.glob('*.py'))).read_text().replace('\n', ' '),
    )


def test_says_what_is_missing(call_tool, tmp_path):
    done = call_tool(TOOL, tmp_path / 'no.py', '--variant', 'a:')
    assert done.returncode == 1
    assert 'no.py' in done.error
    assert '\n' not in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
