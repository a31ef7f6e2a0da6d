TOOL = 'tools/analysis_tools/benchmark.py'


def test_loader(call_tool, sacre_coeur, tmp_path):
    out = tmp_path / 'benchmarks.md'
    out.write_text('# Benchmarks\n')
    done = call_tool(
        TOOL,
        *('loader', '--data-root', sacre_coeur, '--seconds', '0.01'),
        *('--short-side', '96', '--crop', '57', '73', '--out', out),
    )
    assert done.returncode == 0, done.error
    assert 'crop 57 x 73' in done.stdout
    text = out.read_text()
    assert text.startswith('# Benchmarks\n\n## ')
    assert text.strip().endswith(done.stdout.strip())


def test_inference(call_tool):
    done = call_tool(
        TOOL,
        *('inference', '--num-clusters', '4', '--mmseg-limit', '0'),
        *('--size', '40', '60', '--crop', '33', '33', '--stride', '22', '22'),
        *('--seconds', '0.01'),
    )
    assert done.returncode == 0, done.error
    assert '40 x 60, windows of 33 x 33' in done.stdout


def test_labels(call_tool):
    done = call_tool(
        TOOL,
        *('labels', '--num-clusters', '3', '4', '--num-features', '300'),
        *('--channels', '8', '--seconds', '0'),
    )
    assert done.returncode == 0, done.error
    assert done.stdout.count('300 features of 8 channels') == 2


def test_says_what_is_missing(call_tool, tmp_path):
    for job in ('train', 'clustering', 'inference'):
        done = call_tool(TOOL, job, '--config', tmp_path / 'none.py')
        assert done.returncode == 1
        assert done.error.startswith('benchmark.py: ')
        assert 'none.py' in done.error
    done = call_tool(TOOL, 'loader', '--data-root', tmp_path)
    assert done.returncode == 1 and str(tmp_path) in done.error


def test_help_shows_every_default(call_tool):
    for job in ('train', 'clustering', 'labels', 'inference', 'loader'):
        text = call_tool(TOOL, job, '--help').stdout
        assert text.count('(default: ') >= 3
