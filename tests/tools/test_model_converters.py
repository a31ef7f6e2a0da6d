from __future__ import annotations

import pytest
import torch
from authors_network import make_network

CONVERT = 'tools/model_converters/fgsn2mmseg.py'
PUBLISH = 'tools/model_converters/publish_model.py'


def test_convert_as_a_user_runs_it(tmp_path, repo_root, run_tool):
    state = make_network(300, False).state_dict()
    state['fcn.layer1.conv4.conv.weight'] = torch.zeros(1)
    torch.save(state, tmp_path / 'a.pth')
    done = run_tool(
        repo_root / CONVERT, tmp_path / 'a.pth', tmp_path / 'b.pth'
    )
    assert 'not placed: fcn.layer1.conv4.conv.weight' in (
        done.stdout.splitlines()
    )
    assert f'{len(state) - 1} tensors written to' in done.stdout
    assert 'pspnet_r101-d8_fgsn-paper.py and 300 classes' in done.stdout


def test_publish_what_was_converted(tmp_path, call_tool):
    torch.save(make_network(7, True).state_dict(), tmp_path / 'a.pth')
    done = call_tool(CONVERT, tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert 'fgsn-torchvision.py and 7 classes' in done.stdout
    done = call_tool(
        PUBLISH, tmp_path / 'b.pth', tmp_path / 'c.pth', '--add-hash'
    )
    digest = done.stdout.split()[-1]
    assert not (tmp_path / 'c.pth').exists()
    assert torch.load(tmp_path / f'c-{digest[:8]}.pth', weights_only=True)[
        'state_dict'
    ]
    assert call_tool(PUBLISH, tmp_path / 'b.pth', tmp_path / 'd.pth')
    assert (tmp_path / 'd.pth').is_file()


@pytest.mark.parametrize('tool', [CONVERT, PUBLISH])
def test_broken_input(tmp_path, call_tool, tool):
    (tmp_path / 'a.pth').write_bytes(b'no checkpoint')
    for name in ('a.pth', 'none.pth'):
        done = call_tool(tool, tmp_path / name, tmp_path / 'b.pth')
        assert done.returncode != 0
        assert done.error.startswith('error: ') and '\n' not in done.error
        assert name in done.error


@pytest.mark.parametrize('tool', [CONVERT, PUBLISH])
def test_a_file_is_not_written_over_itself(tmp_path, call_tool, tool):
    path = tmp_path / 'a.pth'
    torch.save(make_network(7, True).state_dict(), path)
    before = path.read_bytes()
    done = call_tool(tool, path, path)
    assert done.returncode == 1 and '\n' not in done.error
    assert 'another file than `source`' in done.error
    assert path.read_bytes() == before


@pytest.mark.parametrize('tool', [CONVERT, PUBLISH])
def test_help_shows_every_default(check_help, tool):
    check_help(tool)
