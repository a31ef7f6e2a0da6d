import pytest

from fgsn_mmseg.files import whole_file


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
    with whole_file(path) as part:
        write(part, 'old')
    write(part, 'a long half of a file')
    with whole_file(path) as same:
        assert same == part
        write(part, 'new')
    assert path.read_text() == 'new'
    assert [p.name for p in tmp_path.iterdir()] == ['file.txt']
