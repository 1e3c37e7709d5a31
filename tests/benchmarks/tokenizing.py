# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Tokens a second that one core makes from episodes, against those that a training step of 5 M parameters reads.

The training step uses all cores. The episodes are Meta-World's, BabyAI's, and 84 x 84 screens.

    python tests/benchmarks/tokenizing.py --out tokenizing.json
"""

import torch
from measuring import EPISODES, claim, in_turns, packed_batch, parser_of, report, spread
from training import SIZES, WINDOW, build, processor_of, stepper

BOUND = 20.0
NUMBER = {"metaworld": 20, "babyai": 200, "screens": 10}


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    processor = processor_of("mini")
    threads = torch.get_num_threads()
    claims, measurements = [], {}
    for data, number in NUMBER.items():
        episodes = EPISODES[data](number)
        tokens = sum(len(processor.encode_episode(episode)) for episode in episodes)
        batch = packed_batch(processor, data, SIZES["mini"]["rows"], WINDOW)
        step = stepper(build("rotary", "mini", processor), batch, True, "float32")

        def tokenize(episodes=episodes):
            torch.set_num_threads(1)
            for episode in episodes:
                processor.encode_episode(episode)
            torch.set_num_threads(threads)

        times = in_turns({"tokenizing": tokenize, "step": step}, arguments.rounds)
        of_a_token = {
            "tokenizing": [time / tokens for time in times["tokenizing"]],
            "step": [time / batch["input_ids"].numel() for time in times["step"]],
        }
        rates = {name: round(1 / sorted(each)[len(each) // 2]) for name, each in of_a_token.items()}
        measurements[data] = spread(times) | {"tokens": tokens, "tokens a second": rates}
        what = f"tokens a second from episodes, {data}, one core"
        against = "what a training step at 5 M reads"
        claims.append(claim(what, against, of_a_token["tokenizing"], of_a_token["step"], BOUND))
    report(claims, measurements, arguments.out)


if __name__ == "__main__":
    main()
