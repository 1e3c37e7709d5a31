# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The time to import both packages beyond that of torch and of what any model needs of transformers.

It also checks that `import modeling_gato, tokenization_gato` imports no gymnasium, no datasets and no suite.

    python tests/benchmarks/importing.py --out importing.json
"""

import subprocess
import sys

from measuring import Claim, in_turns, parser_of, quartiles, report, spread

PEER = "import torch, transformers; from transformers import PreTrainedModel, ProcessorMixin, AutoModelForCausalLM"
OURS = "import torch, transformers, modeling_gato, tokenization_gato"
NOT_NEEDED = ("gymnasium", "datasets", "minigrid", "metaworld", "mujoco", "gato_hub")
SECONDS_MORE = 0.3


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    def importer(code):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    times = in_turns({"transformers": importer(PEER), "gato": importer(OURS)}, arguments.rounds)
    low, more, high = quartiles([a - b for a, b in zip(times["gato"], times["transformers"], strict=True)])
    code = f"{OURS}, sys; print([name for name in {NOT_NEEDED!r} if name in sys.modules])"
    needless = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    claims = [
        Claim("extra seconds to import both packages", "torch and transformers", more, low, high, SECONDS_MORE, False),
        Claim(f"unneeded packages imported {needless}", "none", len(eval(needless)), 0, 0, 0, False),
    ]
    report(claims, spread(times), arguments.out)


if __name__ == "__main__":
    main()
