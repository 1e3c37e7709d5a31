# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The time of `from_pretrained` for `small` from a local folder, against a Llama of transformers of the same shape.

python tests/benchmarks/loading.py --out loading.json
"""

import tempfile
from pathlib import Path

from measuring import claim, in_turns, parser_of, report, spread
from training import build, processor_of
from transformers import LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

from modeling_gato import GatoForCausalLM

BOUND = 1.1


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    disable_progress_bar()
    processor = processor_of("small")
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / name for name in ("rotary", "llama")}
        sizes = {}
        for name, folder in folders.items():
            model = build(name, "small", processor)
            model.save_pretrained(folder)
            sizes[name] = model.num_parameters()
        loaders = {
            "gato": lambda: GatoForCausalLM.from_pretrained(folders["rotary"]),
            "llama": lambda: LlamaForCausalLM.from_pretrained(folders["llama"]),
        }
        times = in_turns(loaders, arguments.rounds)
    claims = [claim("time to load small", "llama", times["gato"], times["llama"], BOUND, is_at_least=False)]
    report(claims, spread(times) | {"parameters": sizes}, arguments.out)


if __name__ == "__main__":
    main()
