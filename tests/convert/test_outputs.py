"""Names of files, and what is never or only on demand replaced."""

import pytest

from mmthermal.convert.outputs import check_file_names, check_outputs, named_once


def test_a_name_that_is_given_twice_is_an_error() -> None:
    assert named_once("--parts", [("a", 1), ("b", 1)]) == {"a": 1, "b": 1}
    with pytest.raises(ValueError, match="--parts: 'a' is given twice: give each name once"):
        named_once("--parts", [("a", 1), ("b", 1), ("a", 1)])


def test_names_lead_to_no_other_folder() -> None:
    check_file_names("parts", ["train", "val.1", "…", "a b"])
    for name in ("", ".", "..", "../x", "x/", "/x", "a\\b", "a\0"):
        with pytest.raises(ValueError, match="parts: .* is no name of a file"):
            check_file_names("parts", ["train", name])


def test_new_files_are_written_without_asking(tmp_path) -> None:
    check_outputs([tmp_path / "new" / "a"], [tmp_path / "missing"], overwrite=False)


def test_files_are_replaced_if_asked_and_inputs_never(tmp_path) -> None:
    (there := tmp_path / "there").touch()
    (broken := tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (link := tmp_path / "link").symlink_to(there)
    for path in (there, broken):
        check_outputs([path], [], overwrite=True)
        with pytest.raises(FileExistsError, match="1 of the files to write exist already, such"):
            check_outputs([path, tmp_path / "new"], [], overwrite=False)
    for overwrite in (True, False):
        for path in (there, link, tmp_path / "x" / ".." / "there"):
            (tmp_path / "x").mkdir(exist_ok=True)
            with pytest.raises(ValueError, match="would be written, but is an input"):
                check_outputs([path], [there], overwrite=overwrite)
    with pytest.raises(NotADirectoryError, match="there' is a file: give a folder"):
        check_outputs([there / "a"], [], overwrite=True)
