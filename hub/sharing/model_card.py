# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The card of a checkpoint on the Hub, from what training and evaluation left: `README.md` with its metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.tables import results_table
from ..suites import suite_of
from ..system.artifacts import ANIMATION, CURVE_PICTURE, LEARNING_CURVE, SCORES_PICTURE, TRAINING

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

TEMPLATE = Path(__file__).with_name("templates") / "model_card.md"
PIPELINE_TAG = "reinforcement-learning"
TAGS = ("gato", "reinforcement-learning", "imitation-learning", "generalist-agent")
SCORE_PICTURES = {SCORES_PICTURE: "Scores of all tasks", CURVE_PICTURE: "Tasks above a share of the expert's score"}
LICENCE_NAMES = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-4.0": "CC BY 4.0", "cc-by-sa-4.0": "CC BY-SA 4.0"}


def model_card(
    repo_id: str,
    model: GatoForCausalLM,
    processor: GatoProcessor,
    folder: Path,
    results: Mapping[str, Any] | None = None,
    license: str = "apache-2.0",
) -> ModelCard:
    """The card of a checkpoint.

    Args:
        repo_id: its name on the Hub, "user/name".
        folder: the files that will lie beside the card; those that it knows are shown in it.
        results: what `gato evaluate` left in `results.json`.
    """
    from huggingface_hub import ModelCard, ModelCardData

    training = _training(folder / TRAINING)
    task_ids = list(results["tasks"]) if results else []
    suites = sorted(set(map(suite_of, task_ids)))
    name = repo_id.rpartition("/")[2]
    data = ModelCardData(
        library_name="transformers",
        license=license,
        pipeline_tag=PIPELINE_TAG,
        tags=[*TAGS, *suites],
        model_name=name,
        eval_results=list(_eval_results(results)) if results else None,
    )
    control = [task_id for task_id in task_ids if results["tasks"][task_id]["kind"] == "control"]
    example = control[0] if control else (training or {}).get("example") or "classic-control/cart-pole"
    embedding = model.get_input_embeddings().weight.numel()
    parameters = model.num_parameters()
    ranges = processor.vocabulary
    return ModelCard.from_template(
        data,
        template_str=TEMPLATE.read_text(encoding="utf-8"),
        name=name,
        repo_id=repo_id,
        purpose=f"It was evaluated at {_tasks(len(task_ids))} of {', '.join(suites)}." if task_ids else "",
        config=model.config,
        parameters=_short(parameters),
        embedding_parameters=_short(embedding),
        vocabulary=(
            f"text {len(ranges.text)}, continuous values {len(ranges.continuous)}, discrete values "
            f"{len(ranges.discrete)}{' shared with text' if ranges.share_discrete_with_text else ''}"
        ),
        weights=str(model.dtype).removeprefix("torch."),
        example_task=example,
        training=training,
        learning_curve=_there(folder, LEARNING_CURVE),
        animation=_there(folder, ANIMATION),
        results=results_table({**results, "command": ""}).strip() if results else None,
        results_about=_about(results) if results else "",
        score_pictures=[
            {"file": file, "title": title} for file, title in SCORE_PICTURES.items() if (folder / file).exists()
        ],
        licence=LICENCE_NAMES.get(license, license),
    )


def _there(folder: Path, name: str) -> str | None:
    return name if (folder / name).exists() else None


def _short(number: int) -> str:
    return f"{number / 1e6:.1f} M" if number < 1e9 else f"{number / 1e9:.2f} B"


def _tasks(number: int) -> str:
    return f"{number} task{'s' if number > 1 else ''}"


def _commit(made: Mapping[str, Any]) -> str:
    return f", commit {made['git_commit']}" if made.get("git_commit") else ""


def _versions(made: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items())


def _training(path: Path) -> dict[str, Any] | None:
    """The command, commit and data of a training run, for the template."""
    if not path.exists():
        return None
    run = json.loads(path.read_text(encoding="utf-8"))
    # Averaged weights have histories that begin as one.
    stages = {(stage["command"], stage["git_commit"]): stage for stage in _stages(run)}
    last = _last_runs(run)
    tasks = [task for one in last for section in one["recipe"]["data"] for task in section.get("tasks") or ()]
    plain = [task for task in tasks if "/" in task and not set(task) & set("*?[!")]
    return {
        "command": run["command"],
        "about": _about_training(run),
        "earlier": [{"command": one["command"], "about": _about_training(one)} for one in stages.values()],
        "data": [{"command": one["command"], "rows": _data_rows(one["recipe"]["data"])} for one in last],
        "example": plain[0] if plain else None,
    }


def _last_runs(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The runs that weights come from without another after them: more than one for a mean."""
    if "average_of" not in run:
        return [run]
    return [one for part in run["average_of"] if part["training"] for one in _last_runs(part["training"])]


def _data_rows(data: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What a recipe trains on, a row for each section."""
    total = sum(section["weight"] for section in data)
    rows = []
    for section in data:
        tasks = section.get("tasks") or []
        what = ", ".join(f"`{task}`" for task in tasks) or f"`{section['path']}`"
        how = f"{section['episodes']} demonstrations or documents a task" if tasks else "as it is"
        if section.get("noise"):
            how += f", actions disturbed by {section['noise']}"
        if section.get("learner"):
            how += ", the expert's answers to what a model did"
        rows.append({"what": what, "share": f"{section['weight'] / total:.1%}", "how": how})
    return rows


def _stages(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All that led to the weights which a run went on from, the last first."""
    for stage in (run.get("earlier"), *(part["training"] for part in run.get("average_of", ()))):
        if stage:
            yield stage
            yield from _stages(stage)


def _about_training(run: Mapping[str, Any]) -> str:
    """Steps, seed, time and place of a training run, or what a mean is of."""
    if "average_of" in run:
        parts = ", ".join(f"{part['share']:.2g} of `{part['checkpoint']}`" for part in run["average_of"])
        return f"the mean of the weights of several checkpoints, {parts}{_commit(run)}. With {_versions(run)}."
    recipe, hours = run["recipe"], run.get("hours")
    optimization = recipe["optimization"]
    where = f", {hours:.1f} hours on {run['hardware']}" if hours and run.get("hardware") else ""
    return (
        f"{optimization['steps']} steps of {optimization['batch_size']} rows of {recipe['sequence']['length']} "
        f"tokens, seed {recipe['seed']}{_commit(run)}{where}. With {_versions(run)}."
    )


def _about(results: Mapping[str, Any]) -> str:
    """How the scores came about."""
    settings = results["settings"]
    prompt = "with a demonstration before each episode" if settings["prompt"] else "without demonstrations"
    return (
        f"`{results['command'] or 'gato evaluate'}`: {settings['episodes']} episodes a task, on seeds that training "
        f"never saw, {prompt}, seed {settings['seed']}{_commit(results)}. Each episode is in `results.json`. "
        f"With {_versions(results)}."
    )


def _eval_results(results: Mapping[str, Any]) -> Iterator[EvalResult]:
    """The `model-index` of the card: means first, then every task."""
    from huggingface_hub import EvalResult

    def result(name: str, kind: str, metric: str, value: float, metric_name: str, task: str = PIPELINE_TAG):
        return EvalResult(
            task_type=task,
            task_name=task.replace("-", " ").capitalize(),
            dataset_type=kind,
            dataset_name=name,
            metric_type=metric,
            metric_value=round(float(value), 3),
            metric_name=metric_name,
        )

    means = [(f"{suite}, {_tasks(about['tasks'])}", suite, about) for suite, about in results["suites"].items()]
    if results["all"]["tasks"]:
        means.insert(0, (f"all, {_tasks(results['all']['tasks'])}", "all", results["all"]))
    for name, kind, about in means:
        yield result(name, kind, "normalized_score", about["mean"], "mean normalised score, random 0, expert 100")
    for task_id, entry in results["tasks"].items():
        if "normalized" in entry:
            yield result(task_id, task_id, "normalized_score", entry["normalized"], "normalised score")
        if entry.get("success_rate") is not None:
            yield result(task_id, task_id, "success_rate", entry["success_rate"], "success rate")
        elif "mean_return" in entry:
            yield result(task_id, task_id, "mean_reward", entry["mean_return"], "mean return")
        for metric, name in (("exact_match", "exact match"), ("bleu", "BLEU"), ("bits_a_byte", "bits a byte")):
            if metric in entry:
                task = "image-to-text" if metric == "bleu" else "text-generation"
                yield result(task_id, task_id, metric, entry[metric], name, task)
