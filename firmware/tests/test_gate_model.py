"""A dict and a counter beside the PIN gate, under CPython and on real MicroPython: they must agree."""

import ast

import gate_model
import pytest
import vm

KINDS = {"issue", "end", "choose", "try", "wrong", "cut", "restart", "lock"}


@pytest.mark.slow
@pytest.mark.promise2
@pytest.mark.parametrize("seed", range(3))
def test_gate_and_model_agree_under_cpython(seed):
    assert set(gate_model.play(seed, 300)) == KINDS


@pytest.mark.promise2
@pytest.mark.slow
def test_gate_and_model_agree_on_real_micropython(machine):
    command = "import sys\nimport gate_model\nprint(sorted(gate_model.play(%d, 300).items()))"

    done = dict(ast.literal_eval(machine(command % vm.NAMES.index(machine.name), heap="32m").split("\n")[-2]))

    assert set(done) == KINDS and done["cut"] > 30


def test_the_model_finds_a_gate_that_gives_tries_back_on_a_restart(monkeypatch):
    real = gate_model.gate_bench.enrolled

    def forgetful():
        bench = real()
        start = bench.start

        def generous(*arguments):
            camera = start(*arguments)
            if camera.gate is not None and camera.gate.state == gate_model.pingate.SHUT:
                camera.gate._tries.spent = 0
            return camera

        bench.start = generous
        return bench

    monkeypatch.setattr(gate_model.gate_bench, "enrolled", forgetful)
    with pytest.raises(AssertionError, match="left, model"):
        gate_model.play(1, 300)
