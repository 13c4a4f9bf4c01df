"""Whether a process trains alone; tests/samplers/test_over_processes.py has several."""

from mmthermal.common.processes import several_processes


def test_one_process_is_not_several() -> None:
    assert not several_processes()
