import pytest
from fgsn_mmseg.whole_file import whole_file


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def test_appears_when_it_is_complete(tmp_path):
    path = tmp_path / 'new' / 'file.txt'
    with whole_file(path) as part:
        write(part, 'all of it')
        assert not path.exists()
    assert path.read_text() == 'all of it'
    assert [p.name for p in path.parent.iterdir()] == ['file.txt']


def test_the_old_file_survives_a_failure(tmp_path):
    path = tmp_path / 'file.txt'
    path.write_text('old')
    with pytest.raises(OSError, match='full'), whole_file(path) as part:
        write(part, 'ne')
        raise OSError('disk is full')
    assert path.read_text() == 'old'
    assert [p.name for p in tmp_path.iterdir()] == ['file.txt']


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    path = tmp_path / 'file.txt'
    (tmp_path / 'file.txt.part').write_text('a long half of a file')
    with whole_file(path) as part:
        write(part, 'new')
    assert path.read_text() == 'new'
    assert [p.name for p in tmp_path.iterdir()] == ['file.txt']
