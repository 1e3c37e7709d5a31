# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The card of a checkpoint on the Hub: `README.md`, made from the files that training and evaluation wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.ancestry import Record, Training, training_of
from ..evaluation.tables import results_table
from ..suites import suite_of
from ..system.artifacts import ANIMATION, CURVE_PICTURE, LEARNING_CURVE, RESULTS_TABLE, SCORES_PICTURE

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

    from modeling_gato import GatoForCausalLM
    from tokenization_gato import GatoProcessor

TEMPLATE = Path(__file__).with_name("templates") / "model_card.md"
PIPELINE_TAG = "reinforcement-learning"
TAGS = ("gato", "reinforcement-learning", "imitation-learning", "generalist-agent")
SCORE_PICTURES = {SCORES_PICTURE: "Scores of all tasks", CURVE_PICTURE: "Tasks above a share of the expert's score"}
# The scores of more tasks than these are in `results.md` only.
MOST_TASKS_SHOWN = 30
LICENSE_NAMES = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-4.0": "CC BY 4.0", "cc-by-sa-4.0": "CC BY-SA 4.0"}


def model_card(
    repo_id: str,
    model: GatoForCausalLM,
    processor: GatoProcessor,
    folder: Path,
    results: Mapping[str, Any] | None = None,
    license: str = "apache-2.0",
) -> ModelCard:
    """Returns the card of a checkpoint.

    Args:
        repo_id: the checkpoint's name on the Hub, "user/name".
        model, processor: the checkpoint.
        folder: the files that will be pushed with the card. The card shows its pictures and its training.
        results: the content of a `results.json` of `gato evaluate`.
        license: the license of the weights, as the Hub abbreviates it.
    """
    from huggingface_hub import ModelCard, ModelCardData

    training = _described_training(training_of(folder))
    scores = results["tasks"] if results else {}
    suites = sorted(set(map(suite_of, scores)))
    name = repo_id.rpartition("/")[2]
    data = ModelCardData(
        library_name="transformers",
        license=license,
        pipeline_tag=PIPELINE_TAG,
        tags=[*TAGS, *suites],
        model_name=name,
        eval_results=list(_eval_results(results)) if results else None,
    )
    control = [task_id for task_id, entry in scores.items() if entry["kind"] == "control"]
    example = control[0] if control else (training or {}).get("example") or "classic-control/cart-pole"
    embedding = model.get_input_embeddings().weight.numel()
    parameters = model.num_parameters()
    return ModelCard.from_template(
        data,
        template_str=TEMPLATE.read_text(encoding="utf-8"),
        name=name,
        repo_id=repo_id,
        purpose=f"It was evaluated at {_tasks(len(scores))} of {', '.join(suites)}." if scores else "",
        config=model.config,
        parameters=_short(parameters),
        embedding_parameters=_short(embedding),
        vocabulary=_vocabulary(processor),
        weights=str(model.dtype).removeprefix("torch."),
        example_task=example,
        training=training,
        learning_curve=_there(folder, LEARNING_CURVE),
        animation=_there(folder, ANIMATION),
        results=results_table({**_shown(results), "command": ""}).strip() if results else None,
        all_scores=None if not results or _shows_all_tasks(results) else RESULTS_TABLE,
        results_about=_about(results) if results else "",
        score_pictures=[
            {"file": file, "title": title} for file, title in SCORE_PICTURES.items() if (folder / file).exists()
        ],
        license_text=LICENSE_NAMES.get(license, license),
    )


def _shows_all_tasks(results: Mapping[str, Any]) -> bool:
    """Whether there are few enough tasks for the card to show the score of each."""
    return len(results["tasks"]) <= MOST_TASKS_SHOWN


def _shown(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the results that the card shows: of many tasks only those of documents; `results.md` has the others."""
    if _shows_all_tasks(results):
        return results
    tasks = {task_id: entry for task_id, entry in results["tasks"].items() if entry["kind"] != "control"}
    return {**results, "tasks": tasks}


def _vocabulary(processor: GatoProcessor) -> str:
    """Returns the sizes of the vocabulary's parts."""
    ranges = processor.vocabulary
    shared = " shared with text" if ranges.share_discrete_with_text else ""
    return (
        f"text {len(ranges.text)}, continuous values {len(ranges.continuous)}, "
        f"discrete values {len(ranges.discrete)}{shared}"
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


def _described_training(training: Training | None) -> dict[str, Any] | None:
    """Returns what the template shows of a training: the last stage, a line for each stage, and the data."""
    if training is None:
        return None
    last = _last_runs(training)
    tasks = [task for run in last for section in run["recipe"]["data"] for task in section.get("tasks") or ()]
    plain = [task for task in tasks if "/" in task and not set(task) & set("*?[!")]
    return {
        "command": training.record["command"],
        "about": _about_stage(training.record),
        "stages": [_stage_line(digest, record) for digest, record in training.stages()],
        "data": [{"command": run["command"], "rows": _data_rows(run["recipe"]["data"])} for run in last],
        "example": plain[0] if plain else None,
    }


def _last_runs(training: Training) -> list[Record]:
    """Returns the runs of `gato train` that no other run followed: more than one for an average."""
    if "average_of" not in training.record:
        return [training.record]
    return [run for parent in training.parents() if parent for run in _last_runs(parent)]


def _data_rows(data: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Returns a row for each section of a recipe's data."""
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


def _stage_line(digest: str, record: Record) -> dict[str, str]:
    """Returns the cells of a stage in the table of stages."""
    recipe, hours = record.get("recipe"), record.get("hours")
    return {
        "digest": digest,
        "command": record["command"].replace("|", "\\|"),
        "commit": (record["git_commit"] or "-")[:12],
        "steps": str(recipe["optimization"]["steps"]) if recipe else "-",
        "hours": f"{hours:.1f}" if hours else "-",
    }


def _about_stage(record: Record) -> str:
    """Returns steps, seed, time and machine of a training run, or the checkpoints that an average is of."""
    if "average_of" in record:
        parts = ", ".join(f"{part['share']:.2g} of `{part['checkpoint']}`" for part in record["average_of"])
        return (
            f"The average of the weights of several checkpoints, {parts}{_commit(record)}. With {_versions(record)}."
        )
    recipe, hours = record["recipe"], record.get("hours")
    optimization = recipe["optimization"]
    where = f", {hours:.1f} hours on {record['hardware']}" if hours and record.get("hardware") else ""
    return (
        f"{optimization['steps']} steps of {optimization['batch_size']} rows of {recipe['sequence']['length']} "
        f"tokens, seed {recipe['seed']}{_commit(record)}{where}. With {_versions(record)}."
    )


def _about(results: Mapping[str, Any]) -> str:
    """Returns how the scores were measured."""
    settings = results["settings"]
    prompt = "with a demonstration before each episode" if settings["prompt"] else "without demonstrations"
    return (
        f"`{results['command'] or 'gato evaluate'}`: {settings['episodes']} episodes a task, on seeds that training "
        f"never saw, {prompt}, seed {settings['seed']}{_commit(results)}. Each episode is in `results.json`. "
        f"With {_versions(results)}."
    )


def _eval_results(results: Mapping[str, Any]) -> Iterator[EvalResult]:
    """Yields the entries of the card's `model-index`: means first, then the tasks that the card shows."""
    from huggingface_hub import EvalResult

    def result(
        name: str, kind: str, metric: str, value: float, metric_name: str, task: str = PIPELINE_TAG
    ) -> EvalResult:
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
        yield result(name, kind, "normalized_score", about["mean"], "mean normalized score, random 0, expert 100")
    for task_id, entry in _shown(results)["tasks"].items():
        if "normalized" in entry:
            yield result(task_id, task_id, "normalized_score", entry["normalized"], "normalized score")
        if entry.get("success_rate") is not None:
            yield result(task_id, task_id, "success_rate", entry["success_rate"], "success rate")
        elif "mean_return" in entry:
            yield result(task_id, task_id, "mean_reward", entry["mean_return"], "mean return")
        for metric, name in (("exact_match", "exact match"), ("bleu", "BLEU"), ("bits_a_byte", "bits a byte")):
            if metric in entry:
                task = "image-to-text" if metric == "bleu" else "text-generation"
                yield result(task_id, task_id, metric, entry[metric], name, task)
