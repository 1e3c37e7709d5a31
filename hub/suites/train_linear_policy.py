# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Trains a linear policy as the expert of a task, by augmented random search.

    python -m gato_hub.suites.train_linear_policy mujoco/swimmer --seed 0 --directions 1 --best 1

The search (Mania, Guy and Recht, 2018, algorithm 2, version V2-t) shifts a matrix by random directions and by their
opposites, then moves it along the best of these directions in proportion to the difference in return. On the same
machine and with the same versions, the same command gives the same policy. The policies of this distribution are in
`linear_policies`, each with the command that made it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console

from ..system.errors import GatoError
from ..system.packages import package_versions
from ..system.progress import WorkProgress
from .environments.instruction import without_instruction
from .experts.linear_policy import LinearPolicy, trained_policy_path
from .registry import find_task
from .task import Task

if TYPE_CHECKING:
    import gymnasium

SIGNIFICANT_DIGITS = 5
REPORTED_EPISODES = 20


@dataclass(frozen=True)
class Search:
    """The settings of the search.

    Attributes:
        directions: Number of random directions tried for one move of the matrix.
        best: Number of them that the move follows, the ones with the highest return.
        step_size: Length of a move, before it is divided by the standard deviation of the returns.
        noise: Standard deviation of the shifts.
        survival_bonus: Subtracted from every reward in training. If the environment rewards every step survived, the
            policy would otherwise first learn to stand still.
        check_every: Number of moves between two checks. The matrix that did best in its check is the result.
        check_episodes: Number of episodes of a check.
    """

    directions: int = 8
    best: int = 4
    step_size: float = 0.02
    noise: float = 0.03
    survival_bonus: float = 0.0
    check_every: int = 10
    check_episodes: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.best <= self.directions:
            raise GatoError(f"best must be between 1 and directions ({self.directions}), not {self.best}")
        for name in ("step_size", "noise", "check_every", "check_episodes"):
            if getattr(self, name) <= 0:
                raise GatoError(f"{name} must be over 0, not {getattr(self, name)}")


class ObservationStatistics:
    """Keeps the mean and the standard deviation of all observations so far."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self._squares = np.zeros(size)

    def add(self, observations: np.ndarray) -> None:
        """Adds observations (steps, size), by the pairwise update of Chan, Golub and LeVeque (1983)."""
        added, mean = len(observations), observations.mean(axis=0)
        shift, total = mean - self.mean, self.count + added
        self._squares += ((observations - mean) ** 2).sum(axis=0) + shift**2 * self.count * added / total
        self.mean = self.mean + shift * added / total
        self.count = total

    @property
    def std(self) -> np.ndarray:
        """The standard deviation (size,); 1 for numbers that never changed."""
        std = np.sqrt(self._squares / max(self.count, 1))
        return np.where(std < 1e-7, 1.0, std)


def run_policy(environment: gymnasium.Env, policy: LinearPolicy, seed: int) -> tuple[float, np.ndarray]:
    """Runs one episode and returns its return and its observations (steps, n)."""
    space: Any = environment.action_space
    observation, _ = environment.reset(seed=seed)
    observations, episode_return, ended = [], 0.0, False
    while not ended:
        observations.append(observation)
        action = policy.action(observation, space.low, space.high)
        observation, reward, terminated, truncated, _ = environment.step(action)
        episode_return += float(reward)
        ended = terminated or truncated
    return episode_return, np.array(observations, dtype=float)


def round_policy(policy: LinearPolicy) -> LinearPolicy:
    """Returns the policy with as few digits as are written to its file."""

    def rounded(values: np.ndarray) -> np.ndarray:
        return np.vectorize(lambda value: float(f"{value:.{SIGNIFICANT_DIGITS}g}"))(values)

    return LinearPolicy(rounded(policy.matrix), rounded(policy.observation_mean), rounded(policy.observation_std))


def search_policy(
    environment: gymnasium.Env,
    search: Search,
    seeds: Iterator[int],
    environment_steps: int,
    seed: int = 0,
    target: float | None = None,
    advance: Callable[[int, str | None], None] = lambda steps, note: None,
) -> tuple[LinearPolicy, int]:
    """Searches for a linear policy.

    Args:
        environment: An environment whose observations and actions are vectors of real numbers.
        search: The settings of the search.
        seeds: Seeds of the episodes, used in turn.
        environment_steps: The search ends after the move in which it has made this many steps.
        seed: Seed of the directions.
        target: The search ends after the first check whose mean return is at least this.
        advance: Called after each move with the steps it made and a note on the search.

    Returns:
        The policy with the best check, rounded, and the number of steps made.

    Raises:
        GatoError: The environment is of another kind, or `environment_steps` is below 1.
    """
    if environment_steps < 1:
        raise GatoError(f"environment_steps must be at least 1, not {environment_steps}")
    matrix = np.zeros((_vector_size(environment.action_space), _vector_size(environment.observation_space)))
    random = np.random.default_rng(seed)
    statistics = ObservationStatistics(matrix.shape[1])
    best_policy, best_return, steps_made = None, -np.inf, 0
    for move in count(1):
        directions = random.standard_normal((search.directions, *matrix.shape))
        returns, seen = _try_directions(environment, search, matrix, directions, statistics, seeds)
        matrix = _moved(matrix, directions, returns, search)
        statistics.add(seen)
        steps = len(seen)
        ends = steps_made + steps >= environment_steps
        if ends or move % search.check_every == 0:
            policy = round_policy(LinearPolicy(matrix, statistics.mean, statistics.std))
            checks = [run_policy(environment, policy, next(seeds)) for _ in range(search.check_episodes)]
            steps += sum(len(observations) for _, observations in checks)
            mean_return = float(np.mean([episode_return for episode_return, _ in checks]))
            if best_policy is None or mean_return > best_return:
                best_policy, best_return = policy, mean_return
            ends = ends or (target is not None and mean_return >= target)
        steps_made += steps
        advance(steps, f"best {best_return:.6g}")
        if ends:
            break
    assert best_policy is not None  # the last move was checked
    return best_policy, steps_made


def _vector_size(space: gymnasium.Space) -> int:
    if space.shape is None or len(space.shape) != 1 or space.dtype is None or space.dtype.kind != "f":
        raise GatoError(f"a linear policy is for vectors of real numbers, not for {space}")
    return space.shape[0]


def _try_directions(
    environment: gymnasium.Env,
    search: Search,
    matrix: np.ndarray,
    directions: np.ndarray,
    statistics: ObservationStatistics,
    seeds: Iterator[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Runs an episode with the matrix shifted along each direction and one with the opposite shift.

    The statistics stay as they are, so that all directions are judged alike.

    Returns:
        The returns, (directions, 2), without the bonus for survival, and all observations (steps, n).
    """
    seen, returns = [], []
    for direction in directions:
        for shift in (search.noise * direction, -search.noise * direction):
            policy = LinearPolicy(matrix + shift, statistics.mean, statistics.std)
            episode_return, observations = run_policy(environment, policy, next(seeds))
            seen.append(observations)
            returns.append(episode_return - search.survival_bonus * len(observations))
    return np.array(returns).reshape(-1, 2), np.concatenate(seen)


def _moved(matrix: np.ndarray, directions: np.ndarray, returns: np.ndarray, search: Search) -> np.ndarray:
    """Returns the matrix moved along the best directions, in proportion to their differences in return."""
    chosen = np.argsort(-returns.max(axis=1), kind="stable")[: search.best]
    spread = returns[chosen].std()
    if spread > 0:
        gains = returns[chosen, 0] - returns[chosen, 1]
        matrix = matrix + search.step_size / (search.best * spread) * np.tensordot(gains, directions[chosen], 1)
    return matrix


def train(
    task: Task,
    search: Search,
    output: Path,
    command: str,
    environment_steps: int,
    seed: int = 0,
    target: float | None = None,
    console: Console | None = None,
) -> None:
    """Trains a policy on the training seeds of a task and writes it to a file, with facts about how it was made.

    The mean return in the file is that of the written policy on the first evaluation seeds.

    Args:
        task: The task to train for.
        search: The settings of the search.
        output: The file to write.
        command: The command to record.
        environment_steps: Number of steps to train for.
        seed: Seed of the directions, which also chooses among the training seeds.
        target: End when a check reaches this mean return.
        console: Shows progress here; None for none.
    """
    environment = without_instruction(task.make_environment())
    first_seed = seed * 2**20
    seeds = iter(task.train_seeds[first_seed : first_seed + 2**20])
    with WorkProgress(console or Console(quiet=True), f"Training {task.id}", environment_steps) as progress:
        policy, steps_made = search_policy(
            environment, search, seeds, environment_steps, seed, target, progress.advance
        )
    returns = [run_policy(environment, policy, seed)[0] for seed in task.evaluation_seeds[:REPORTED_EPISODES]]
    environment.close()
    policy.save(
        output,
        task=task.id,
        method="augmented random search V2-t (Mania, Guy and Recht, 2018)",
        command=command,
        seed=seed,
        environment_steps=steps_made,
        mean_return=round(float(np.mean(returns)), 3),
        std_of_returns=round(float(np.std(returns)), 3),
        episodes=REPORTED_EPISODES,
        versions=package_versions((*task.packages, "numpy")),
    )


def _control_task(task_id: str) -> Task:
    task = find_task(task_id)
    if not isinstance(task, Task):
        raise GatoError(f"{task_id} is made of documents, in which nothing acts")
    return task


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    task: Annotated[str, typer.Argument(help="Id of the task.")],
    steps: Annotated[int, typer.Option(min=1, help="Steps of the environment to train for.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, max=1000, help="The same seed gives the same policy.")] = 0,
    target: Annotated[float | None, typer.Option(help="End when a check reaches this mean return.")] = None,
    directions: Annotated[int, typer.Option(min=1, help="Random directions for one move.")] = Search.directions,
    best: Annotated[int, typer.Option(min=1, help="Number of directions that a move follows.")] = Search.best,
    step_size: Annotated[float, typer.Option(help="Length of a move.")] = Search.step_size,
    noise: Annotated[float, typer.Option(help="Standard deviation of the shifts.")] = Search.noise,
    survival_bonus: Annotated[
        float, typer.Option(help="Subtracted from every reward in training.")
    ] = Search.survival_bonus,
    check_every: Annotated[int, typer.Option(min=1, help="Moves between two checks.")] = Search.check_every,
    check_episodes: Annotated[int, typer.Option(min=1, help="Episodes of a check.")] = Search.check_episodes,
    output: Annotated[
        Path | None, typer.Option(help="File to write; by default among the files of this package.")
    ] = None,
) -> None:
    """Trains a linear policy as the expert of a task, by augmented random search."""
    options = {
        "--steps": steps,
        "--seed": seed,
        "--target": target,
        "--directions": directions,
        "--best": best,
        "--step-size": step_size,
        "--noise": noise,
        "--survival-bonus": survival_bonus,
        "--check-every": check_every,
        "--check-episodes": check_episodes,
    }
    words = [task, *(f"{name}={value}" for name, value in options.items() if value is not None)]
    command = f"python -m gato_hub.suites.train_linear_policy {shlex.join(words)}"
    path = output or trained_policy_path(task)
    console = Console(stderr=True)
    try:
        search = Search(directions, best, step_size, noise, survival_bonus, check_every, check_episodes)
        train(_control_task(task), search, path, command, steps, seed, target, console)
    except GatoError as error:
        raise typer.BadParameter(str(error)) from error
    console.print(f"Written: {path}")


if __name__ == "__main__":
    app()
