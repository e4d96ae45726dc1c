from dataclasses import replace

import pytest
import torch

from headstart.machine.computing import PRECISIONS
from headstart.machine.machines import Machine, pick_machine, use_threads
from headstart.machine.memory import Sizes

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["threads", "at_once", "side_by_side"])
def test_less_than_one_of_anything_is_refused_with_the_cure(name):
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"^expected {name} of at least 1, got {count}; None takes "):
            Machine(CPU, **{name: count})
        with pytest.raises(ValueError, match=name):
            replace(Machine(CPU), **{name: count})
    assert getattr(Machine(CPU, **{name: 1}), name) == 1


@pytest.mark.parametrize("device", [CPU, torch.device("cuda", 0)])
def test_an_unknown_precision_is_refused_on_every_device(device):
    with pytest.raises(ValueError, match="unknown precision 'fp8', valid are float32, tf32, bf16"):
        Machine(device, "fp8")
    assert [Machine(device, precision).precision for precision in PRECISIONS] == [*PRECISIONS]


def test_a_machine_holds_less_at_once_and_stays_what_it_is():
    machine = Machine(CPU, "bf16", compile=True, threads=3, at_once=7)
    assert machine.holding(Sizes(32, 4)) == Machine(CPU, "bf16", True, 3, at_once=32, side_by_side=4)
    assert machine.at_once == 7 and machine.side_by_side is None


def test_the_machine_is_announced_and_has_the_threads_that_were_asked_for(capsys):
    with use_threads(torch.get_num_threads()):
        machine = pick_machine(threads=1)
        assert torch.get_num_threads() == 1 == machine.threads
    assert machine == Machine(machine.device, "float32", False, 1)
    assert f"device {machine.device.type}" in capsys.readouterr().out


def test_threads_are_put_back_also_after_an_error_and_none_leaves_them():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), use_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        with use_threads(None):
            assert torch.get_num_threads() == before + 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
