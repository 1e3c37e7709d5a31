# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Fine-tunes a checkpoint on a few demonstrations of a new task, and compares it with a new model of the same shape.

Both train for the same number of steps on the same demonstrations, each at a learning rate that suits it, and act in
the same fresh episodes (A Generalist Agent, section 5.2 and figure 9). Finished parts are kept in the output folder;
run the command again to continue.

    python tests/benchmarks/fine_tuning.py gato-mini babyai/pickup-loc --out fine-tuning
"""

import argparse
from pathlib import Path

from gato_hub.checkpoints.loading import checkpoint_location, load_checkpoint
from gato_hub.evaluation.policies import evaluate_agent
from gato_hub.evaluation.statistics import wilson_interval
from gato_hub.recipes.reading import check_recipe
from gato_hub.suites import find_task
from gato_hub.system.artifacts import LOG
from gato_hub.system.files import read_json, replacing, write_json, write_text
from gato_hub.system.hardware import hardware
from gato_hub.system.provenance import git_commit
from gato_hub.training.run import train
from modeling_gato import GatoConfig

# At 1e-4 and without dropout, fine-tuning on ten demonstrations lost a third of the checkpoint's success (LOG.md).
STARTS = {
    "fine-tuned": {"learning_rate": 3e-5, "dropout": 0.1},
    "from nothing": {"learning_rate": 1.5e-3, "dropout": 0.0},
}
TOKENS_A_STEP = 2304
SHAPE = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "patch_embed_channels")


def recipe_of(start: str, checkpoint: str, task_id: str, episodes: int, steps: int, seed: int):
    config = GatoConfig.from_pretrained(checkpoint)
    model = {"pretrained": checkpoint}
    if start == "from nothing":
        shape = {name: getattr(config, name) for name in SHAPE}
        model = {"size": "mini", "config": shape}
    values = {
        "model": model,
        "data": [{"tasks": task_id, "episodes": episodes}],
        "sequence": {
            "length": config.max_position_embeddings,
            "prompt_probability": 0.0,
            "loss_on_observation_text": False,
        },
        "optimization": {
            "steps": steps,
            "batch_size": max(1, TOKENS_A_STEP // config.max_position_embeddings),
            **STARTS[start],
            "warmup_steps": 0.05,
            "initial_learning_rate": 0,
            "final_learning_rate_ratio": 0.0,
        },
        "logging": {"every": max(1, steps // 10)},
        "seed": seed,
    }
    if start == "from nothing":
        values["processor"] = {"options": {"repeat_text_observations": False}}
    return check_recipe(values, f"{start}, {episodes}")


def successes(model, processor, task, episodes: int) -> int:
    results = evaluate_agent(task, task.evaluation_seeds[:episodes], model, processor, num_environments=25, seed=0)
    return sum(bool(result.success) for result in results)


def draw(path: Path, table: list[dict], before: dict, task_id: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for start in STARTS:
        rows = [row for row in table if row["start"] == start]
        rates = [row["success"] for row in rows]
        reach = [[row["success"] - row["low"] for row in rows], [row["high"] - row["success"] for row in rows]]
        axes.errorbar([row["demonstrations"] for row in rows], rates, reach, marker="o", capsize=3, label=start)
    axes.axhline(before["success"], color="grey", linestyle="--", label="the checkpoint as it is")
    axes.set(xscale="log", xlabel="demonstrations", ylabel="success", ylim=(0, 1.02), title=task_id)
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("task")
    parser.add_argument("--demonstrations", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    task, checkpoint = find_task(arguments.task), checkpoint_location(arguments.checkpoint)

    def row(start: str, demonstrations: int, model, processor) -> dict:
        count = successes(model, processor, task, arguments.episodes)
        low, high = wilson_interval(count, arguments.episodes)
        rate = count / arguments.episodes
        return {"start": start, "demonstrations": demonstrations, "success": rate, "low": low, "high": high}

    before = row("as it is", 0, *load_checkpoint(checkpoint))
    table = []
    for demonstrations in arguments.demonstrations:
        for start in STARTS:
            output = arguments.out / f"{start.replace(' ', '-')}-{demonstrations}"
            if not (output / "row.json").exists():
                recipe = recipe_of(start, checkpoint, task.id, demonstrations, arguments.steps, arguments.seed)
                has_begun = (output / LOG).exists()
                train(recipe, output, data_folder=arguments.out / f"data-{demonstrations}", resume=has_begun)
                write_json(output / "row.json", row(start, demonstrations, *load_checkpoint(output)))
            table.append(read_json(output / "row.json"))
    lines = [f"| {task.id} | demonstrations | success | 95 % interval |", "|---|---|---|---|"]
    for one in [before, *table]:
        interval = f"{one['low']:.2f} to {one['high']:.2f}"
        lines.append(f"| {one['start']} | {one['demonstrations']} | {one['success']:.2f} | {interval} |")
    print("\n".join(lines))
    write_text(arguments.out / "fine_tuning.md", "\n".join(lines) + "\n")
    draw(arguments.out / "fine_tuning.png", table, before, task.id)
    about = {key: str(value) for key, value in vars(arguments).items()}
    rows = {"rows": [before, *table], "git_commit": git_commit(), "hardware": hardware()}
    write_json(arguments.out / "fine_tuning.json", about | rows)


if __name__ == "__main__":
    main()
