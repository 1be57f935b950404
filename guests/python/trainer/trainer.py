"""Trains a model only where the virtual machine and every GPU are attested.

Usage: `trainer [--allow-simulated]`

Built by `make guests` with componentize-py; `wit_world` is made from the WIT.
"""

import sys

import gate
import training
from componentize_py_types import Err
from wit_world.exports import Run as RunInterface


class Run(RunInterface):
    """The export `wasi:cli/run`."""

    def run(self) -> None:
        """Trains, or says why not and fails."""
        if not gate.is_open(allow_simulated="--allow-simulated" in sys.argv[1:]):
            print("not trained: this machine is not attested")
            raise Err(None)
        points = training.points(200)
        model = training.train(points, lambda epoch, loss: print(f"epoch {epoch}: loss {loss:.3f}"))
        print(f"trained: {100 * model.accuracy(points):.1f} % of {len(points)} points")
