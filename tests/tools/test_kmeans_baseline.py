import re

TOOL = 'tools/analysis_tools/kmeans_baseline.py'


def test_prints_a_table(call_tool, sacre_coeur):
    done = call_tool(
        TOOL,
        sacre_coeur,
        *('--features', 'colour', '--num-clusters', '20', '40'),
        *('--seeds', '2', '--short-side', '96'),
        *('--group-by', '([^/]*)/[^/]*$'),
    )
    assert done.returncode == 0, done.error
    rows = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in done.stdout.splitlines()
        if line.startswith('| colour')
    ]
    assert [row[1:3] for row in rows] == [
        ['20', 'all'],
        ['20', 'mapping'],
        ['40', 'all'],
        ['40', 'mapping'],
    ]
    # All targets are in one folder.
    assert rows[0][3:] == rows[1][3:]
    for cell in rows[0][3:]:
        assert re.fullmatch(r'\d+\.\d+ \+- \d+\.\d+', cell)


def test_says_what_is_missing(call_tool, tmp_path):
    done = call_tool(TOOL, tmp_path)
    assert done.returncode == 1
    assert done.error.startswith('kmeans_baseline.py: ')
    assert str(tmp_path / 'corr_train.txt') in done.error
    assert '\n' not in done.error


def test_more_clusters_than_features(call_tool, sacre_coeur):
    done = call_tool(
        TOOL,
        sacre_coeur,
        *('--features', 'colour', '--num-clusters', '1000', '--seeds', '1'),
        *('--short-side', '48', '--features-per-image', '10'),
    )
    assert done.returncode == 1
    assert 'num_clusters=1000' in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
