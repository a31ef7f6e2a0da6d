import json
import re

TOOL = 'tools/analysis_tools/compare_seeds.py'
CONFIG = (
    'configs/fgsn/fgsn-c20_r18s-d8_pspnet_1xb4-both-160_sacre-coeur-113x113.py'
)


def test_trains_and_prints_a_table(
    call_tool, repo_root, sacre_coeur, tmp_path
):
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    options = [
        f'{loader}.dataset.data_root={sacre_coeur}' for loader in loaders
    ]
    options += [
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        f'custom_hooks.0.dataloader.dataset.data_root={sacre_coeur}',
        f'custom_hooks.0.dataloader.dataset.cache_dir={tmp_path}',
        'test_dataloader.dataset.indices=2',
        'train_cfg.max_iters=2',
        'train_cfg.val_interval=5',
        'default_hooks.checkpoint.interval=1',
    ]
    variant = 'without:' + ','.join([*options, 'model.loss_corr=None'])
    arguments = [repo_root / CONFIG, '--variant', variant, '--seeds', 3]
    arguments += ['--work-dir', tmp_path]
    done = call_tool(TOOL, *arguments)
    assert done.returncode == 0, done.error
    rows = [
        line.split(' | ')
        for line in (tmp_path / 'table.md').read_text().splitlines()[2:]
    ]
    assert [row[:3] for row in rows] == [
        [f'| corr_{pairs}', 'without', when]
        for pairs in ('train', 'val')
        for when in ('before', 'after')
    ]
    run = tmp_path / 'without_seed3'
    figures = json.loads((run / 'iter_2_corr_val.json').read_text())
    assert rows[3][3] == f'{figures["agreement"]:.3f}'
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
