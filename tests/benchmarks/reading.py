# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The share of its time that `gato train` waits for packed rows, at 5 M parameters.

The rows come from parquet files, memory-mapped or streamed.

    python tests/benchmarks/reading.py --out reading.json
"""

import contextlib
import io
import statistics
import tempfile
from pathlib import Path

from measuring import EPISODES, number_claim, parser_of, report

import gato_hub.data.source
from gato_hub.recipes.reading import check_recipe
from gato_hub.training.log import read_log
from gato_hub.training.run import train

BOUND = 0.05
NUMBER = {"metaworld": 60, "babyai": 1500}


def write(folder, data):
    """Writes one parquet file of episodes."""
    from datasets import Dataset

    rows = []
    for row in EPISODES[data](NUMBER[data]):
        row = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in row.items()}
        rows.append(row | {"rewards": [0.0] * len(next(value for value in row.values() if isinstance(value, list)))})
    folder.mkdir()
    Dataset.from_list(rows).to_parquet(folder / "train-00000.parquet", batch_size=50)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=24)
    arguments = parser.parse_args()
    claims, measurements = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        for data in NUMBER:
            folder = Path(temporary) / data
            write(folder, data)
            for way in ("memory-mapped", "streamed"):
                gato_hub.data.source.BYTES_IN_MEMORY = 0
                recipe = check_recipe(
                    {
                        "model": {"size": "mini"},
                        "processor": {"options": {"repeat_text_observations": False}},
                        "data": [{"path": str(folder), "streaming": way == "streamed"}],
                        "sequence": {"length": 512},
                        "optimization": {
                            "steps": arguments.steps,
                            "batch_size": 4,
                            "learning_rate": 1e-4,
                            "warmup_steps": 0,
                        },
                        "logging": {"every": 4},
                    }
                )
                output = Path(temporary) / f"{data}-{way}"
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    train(recipe, output)
                log = [entry for entry in read_log(output / "log.jsonl") if "waiting_share" in entry][1:]
                waiting = statistics.median(entry["waiting_share"] for entry in log)
                rate = statistics.median(entry["tokens_per_second"] for entry in log)
                measurements[f"{data}, {way}"] = {"waiting share": round(waiting, 4), "tokens a second": round(rate)}
                what = f"share of training that waits for rows, {data}, {way}"
                claims.append(number_claim(what, "the step", waiting, BOUND, is_at_least=False))
    report(claims, measurements, arguments.out)


if __name__ == "__main__":
    main()
