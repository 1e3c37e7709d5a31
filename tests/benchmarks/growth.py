# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""How the cost of a token, a row or an action grows with four times the window, episodes, tasks or environments.

A ratio of 1 means that each costs the same as before; 4 means that each costs four times as much.

    python tests/benchmarks/growth.py --out growth.json
"""

import numpy as np
from acting import METAWORLD, actor
from measuring import claim, in_turns, metaworld_episodes, packed_batch, parser_of, report, spread
from training import build, processor_of, stepper

from gato_hub.training.mixture import Mixture, MixturePart
from modeling_gato import GatoConfig, GatoForCausalLM
from tokenization_gato import GatoProcessor

ROWS = 64


class Episodes:
    """Rows in memory, with the methods of `gato_hub.data.source.EpisodeSource`."""

    def __init__(self, rows):
        self.rows = rows
        self.lengths = np.array([len(row["continuous_actions"]) for row in rows])

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def order(self, random, rows):
        return random.permutation(rows)

    def another(self, index, random):
        return (index + 1 + int(random.integers(len(self) - 1))) % len(self)


def mixture(processor, tasks, episodes):
    """Returns a function that draws rows from `tasks` tasks of `episodes` episodes each."""
    rows = metaworld_episodes(episodes, steps=50)
    parts = [MixturePart(f"task-{number}", Episodes(rows), 1.0) for number in range(tasks)]
    made = Mixture(parts, processor, length=512, num_rows=10**6)
    return lambda: [made[index] for index in range(ROWS)]


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    processor = processor_of("mini")
    claims, measurements = [], {}

    def compare(what, small, large, work, bound):
        times = in_turns({"once": small, "four times": large}, arguments.rounds)
        measurements[what] = spread(times) | {"work": work}
        larger = [time / work for time in times["four times"]]
        claims.append(claim(f"cost per unit, {what}", "a quarter as much", larger, times["once"], bound, False))

    steps = {}
    for length in (256, 1024):
        batch = packed_batch(processor, "metaworld", 4 * 256 // length if length == 1024 else 4, length)
        steps[length] = stepper(build("rotary", "mini", processor), batch, True, "float32")
    compare("window of 1024 tokens in training", steps[256], steps[1024], 1, 1.5)
    compare("episodes, 400", mixture(processor, 1, 100), mixture(processor, 1, 400), 1, 1.2)
    compare("tasks, 40", mixture(processor, 10, 20), mixture(processor, 40, 20), 1, 1.2)
    small = GatoProcessor()
    model = GatoForCausalLM(GatoConfig.mini(**small.model_kwargs)).eval()
    compare("environments, 16", actor(model, small, METAWORLD, 4, 40), actor(model, small, METAWORLD, 16, 40), 4, 1.0)
    report(claims, measurements, arguments.out)


if __name__ == "__main__":
    main()
