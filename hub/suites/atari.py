# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Atari 2600 (Bellemare et al., JAIR 2013): the 57 games of the benchmark, by way of ale-py.

The package is licensed under GPL-2.0-only, and the games in it belong to their makers. It is therefore an extra of its
own, and this project does not distribute recordings of it.

The agent sees the screen at 80 x 80 pixels, which are 25 patches; the usual 84 x 84 pixels would need 36. Its actions
are the ones that make a difference in the game. A step is four frames. Each pixel shows the larger of its values in
the last two, because a game may draw a sprite only in every other frame. Games have little randomness of their own, so
actions are sticky (Machado et al., JAIR 2018, section 5.2): in each frame, with probability 0.25, the action of the
frame before is executed again. An episode ends with the game or after 4500 steps, which are five minutes.

Six games have an expert. It tries out actions in the emulator, from the current state and without sticky actions, and
then restores the state. Four experts read positions from the console's memory, at the addresses that Anand et al.
(NeurIPS 2019) list.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .task import Policy, Task

if TYPE_CHECKING:
    import gymnasium

FRAMES_PER_STEP = 4
STICKINESS = 0.25
MOST_STEPS = 4500
SIDE = 80

GAMES = (
    "alien amidar assault asterix asteroids atlantis bank-heist battle-zone beam-rider berzerk bowling "
    "boxing breakout centipede chopper-command crazy-climber defender demon-attack double-dunk enduro "
    "fishing-derby freeway frostbite gopher gravitar hero ice-hockey jamesbond kangaroo krull "
    "kung-fu-master montezuma-revenge ms-pacman name-this-game phoenix pitfall pong private-eye qbert "
    "riverraid road-runner robotank seaquest skiing solaris space-invaders star-gunner surround tennis "
    "time-pilot tutankham up-n-down venture video-pinball wizard-of-wor yars-revenge zaxxon "
).split()


def make_environment(game: str, render_mode: str | None = None) -> gymnasium.Env:
    """Makes the environment of a game. Its observation is a picture, (80, 80, 3) uint8.

    It has three attributes for experts: `ale`, an `ale_py.ALEInterface`, is the console; `actions` are the console's
    actions in the order of the action space; `action_names` are their names.
    """
    import ale_py
    import gymnasium
    from ale_py import roms

    class AtariGame(gymnasium.Env):
        """A game of the console with sticky actions."""

        metadata = {"render_modes": ["rgb_array"], "render_fps": 60 // FRAMES_PER_STEP}

        def __init__(self) -> None:
            self.render_mode = render_mode
            ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
            self.ale = ale_py.ALEInterface()
            self.ale.setFloat("repeat_action_probability", 0.0)  # `step` makes actions sticky, with our generator
            self.ale.setInt("random_seed", 0)
            self.ale.loadROM(roms.get_rom_path(game.replace("-", "_")))
            self.actions = self.ale.getMinimalActionSet()
            self.action_names = tuple(action.name for action in self.actions)
            self.action_space: gymnasium.spaces.Discrete = gymnasium.spaces.Discrete(len(self.actions))
            self.observation_space = gymnasium.spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[np.ndarray, dict[str, Any]]:
            super().reset(seed=seed)
            self.ale.reset_game()
            self._executed = self.actions[0]
            self._num_steps = 0
            self._screen = self.ale.getScreenRGB()
            return _picture(self._screen), {}

        def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
            if not self.action_space.contains(action):
                raise ValueError(f"the action must be one of 0 to {self.action_space.n - 1}, got {action!r}")
            reward, screens = 0, []
            for frame in range(FRAMES_PER_STEP):
                if self.np_random.random() >= STICKINESS:
                    self._executed = self.actions[action]
                reward += self.ale.act(self._executed)
                if frame >= FRAMES_PER_STEP - 2:
                    screens.append(self.ale.getScreenRGB())
            self._num_steps += 1
            self._screen = screens[-1]
            over = self.ale.game_over(with_truncation=False)
            return _picture(np.maximum(*screens)), float(reward), over, self._num_steps >= MOST_STEPS, {}

        def render(self) -> np.ndarray:
            return self._screen  # the console's own screen may show what an expert tried out

    return AtariGame()


def _picture(screen: np.ndarray) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(screen).resize((SIDE, SIDE), Image.Resampling.BOX))


@contextlib.contextmanager
def _tried_out(environment: Any) -> Iterator[None]:
    """Restores the console's state at the end of a block. The generator of sticky actions is not part of it."""
    state = environment.ale.cloneState()
    try:
        yield
    finally:
        environment.ale.restoreState(state)


def _memory(environment: Any, *addresses: int) -> list[int]:
    memory = environment.ale.getRAM()
    return [int(memory[address]) for address in addresses]


def _hold(environment: Any, action: int, num_frames: int) -> int:
    """Executes an action for some frames and returns the sum of their rewards."""
    return sum(environment.ale.act(environment.actions[action]) for _ in range(num_frames))


def _move_to(environment: Any, address: int, target: float, moves: Iterable[int]) -> int:
    """Returns the move after which a paddle, once it has stopped gliding, is nearest to the target."""

    def distance(move: int) -> float:
        with _tried_out(environment):
            _hold(environment, move, FRAMES_PER_STEP)
            _hold(environment, 0, FRAMES_PER_STEP)
            return abs(_memory(environment, address)[0] - target)

    return min(moves, key=distance)


def _reflected(position: float, low: float, high: float) -> float:
    """Returns the position of a ball between two walls that reflect it, given its position without the walls."""
    span = high - low
    beyond = (position - low) % (2 * span)
    return low + min(beyond, 2 * span - beyond)


def _boxing(environment: Any) -> Policy:
    """Takes the action that, held for three steps, gains the most points; if several do, the one that gets nearest."""
    x, y, other_x, other_y = 32, 34, 33, 35
    in_reach = 14
    names = ("NOOP", "FIRE", "UPFIRE", "DOWNFIRE", "LEFTFIRE", "RIGHTFIRE", "UP", "DOWN", "LEFT", "RIGHT")
    actions = [environment.action_names.index(name) for name in names]

    def value(action: int) -> float:
        with _tried_out(environment):
            hits = _hold(environment, action, 3 * FRAMES_PER_STEP)
            own_x, own_y, their_x, their_y = _memory(environment, x, y, other_x, other_y)
            away = max(abs(their_x - own_x) - in_reach, 0) + abs(their_y - own_y)
            return hits - 0.004 * away

    return lambda observation: max(actions, key=value)


def _breakout(environment: Any) -> Policy:
    """Moves the middle of the paddle to where the ball will come down, and serves."""
    paddle, x, y = 72, 99, 101
    height_of_paddle, half_a_paddle, most_frames_ahead = 172, 8, 60
    fire, noop, right, left = (environment.action_names.index(name) for name in ("FIRE", "NOOP", "RIGHT", "LEFT"))

    def policy(observation: np.ndarray) -> int:
        with _tried_out(environment):
            ball_x, ball_y = _memory(environment, x, y)
            if ball_y == 0:  # no ball is in play
                return fire
            frames = 0
            while ball_y < height_of_paddle and frames < most_frames_ahead:
                _hold(environment, noop, 1)
                ball_x, ball_y = _memory(environment, x, y)
                frames += 1
        target = ball_x - half_a_paddle
        if frames <= 2 * FRAMES_PER_STEP:
            return _move_to(environment, paddle, target, (noop, right, left))
        with _tried_out(environment):
            _hold(environment, noop, FRAMES_PER_STEP)
            (at_rest,) = _memory(environment, paddle)
        # A step moves the paddle farther than it is wide. While there is time, sticky actions bring it nearer.
        if abs(at_rest - target) < half_a_paddle - 2:
            return noop
        return right if at_rest < target else left

    return policy


def _freeway(environment: Any) -> Policy:
    """Walks up if no car hits it in the next six steps; else first waits or steps back, whichever gets it farthest."""
    y, ahead, step_up = 14, 6, 4
    noop, up, down = (environment.action_names.index(name) for name in ("NOOP", "UP", "DOWN"))

    def progress(first: int, num_steps: int) -> int:
        with _tried_out(environment):
            (before,) = _memory(environment, y)
            crossed = _hold(environment, first, num_steps * FRAMES_PER_STEP)
            crossed += _hold(environment, up, (ahead - num_steps) * FRAMES_PER_STEP)
            (after,) = _memory(environment, y)
            return ahead * step_up if crossed else after - before

    def policy(observation: np.ndarray) -> int:
        best, most = up, progress(up, 0)
        if most < (ahead - 1) * step_up:
            for action, num_steps in ((noop, 1), (noop, 2), (noop, 4), (down, 1), (down, 2), (down, 4)):
                reached = progress(action, num_steps)
                if reached > most:
                    best, most = action, reached
        return best

    return policy


def _pong(environment: Any) -> Policy:
    """Goes to where the ball will arrive; then takes a stroke that scores, or else the fastest one."""
    paddle, x, y = 51, 49, 54
    top_wall, bottom_wall, own_line, half_a_paddle, at_rest = 44, 205, 189, 8, 118
    longest_rally = 260  # in frames
    noop, up, down = moves = [environment.action_names.index(name) for name in ("NOOP", "RIGHT", "LEFT")]
    strokes = [(noop, 0)] + [(move, frames) for move in (up, down) for frames in (3, 6, 9, 12, 15)]
    last_x, last_y = 0, 0

    def value(stroke: tuple[int, int]) -> int:
        move, held = stroke
        with _tried_out(environment):
            (last,) = _memory(environment, x)
            hit_at = None
            for frame in range(longest_rally):
                points = _hold(environment, move if frame < held else noop, 1)
                if points:
                    return 1000 * points - frame
                (ball_x,) = _memory(environment, x)
                if hit_at is None and ball_x < last:
                    hit_at = frame
                elif hit_at is not None and ball_x > last:  # the opponent hit it
                    return hit_at - frame
                last = ball_x
        return -longest_rally

    def policy(observation: np.ndarray) -> int:
        nonlocal last_x, last_y
        ball_x, ball_y = _memory(environment, x, y)
        speed_x, speed_y = ball_x - last_x, ball_y - last_y
        comes = last_x > 0 and 0 < speed_x < 30  # a serve makes the ball jump
        last_x, last_y = ball_x, ball_y
        target: float = at_rest
        if comes:
            steps = (own_line - ball_x) / speed_x
            if steps <= 3:
                return max(strokes, key=value)[0]
            target = _reflected(ball_y + steps * speed_y, top_wall, bottom_wall) - half_a_paddle
        return _move_to(environment, paddle, target, moves)

    return policy


def _hold_the_best(names: tuple[str, ...], environment: Any) -> Policy:
    """Takes the action that, held for ten steps, loses no life and gains the most points; early points count more.

    Among equally good actions it keeps the one of the step before, or else draws one with a fixed seed.
    """
    actions = [environment.action_names.index(name) for name in names]
    chance = np.random.default_rng(0)
    last = actions[0]

    def value(action: int) -> float:
        with _tried_out(environment):
            lives, points = environment.ale.lives(), 0.0
            for frame in range(10 * FRAMES_PER_STEP):
                points += _hold(environment, action, 1) * 0.995**frame
                if environment.ale.lives() < lives or environment.ale.game_over():
                    return points - 1e6
            return points

    def policy(observation: np.ndarray) -> int:
        nonlocal last
        values = [value(action) for action in actions]
        best = [action for action, its_value in zip(actions, values, strict=True) if its_value == max(values)]
        if last not in best:
            last = best[chance.integers(len(best))]
        return last

    return policy


_DIRECTIONS = ("UP", "RIGHT", "LEFT", "DOWN")
EXPERTS: dict[str, Callable[[Any], Policy]] = {
    "asterix": partial(_hold_the_best, ("NOOP", *_DIRECTIONS, "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT")),
    "boxing": _boxing,
    "breakout": _breakout,
    "freeway": _freeway,
    "ms-pacman": partial(_hold_the_best, _DIRECTIONS),
    "pong": _pong,
}


def make_expert(game: str, environment: gymnasium.Env) -> Policy:
    """Returns the expert of a game for the episode that `environment` has just begun."""
    return EXPERTS[game](environment.unwrapped)


TASKS = tuple(
    Task(
        id=f"atari/{game}",
        extra="atari",
        packages=("gymnasium", "ale-py"),
        make_environment=partial(make_environment, game),
        make_expert=partial(make_expert, game) if game in EXPERTS else None,
        expert="look-ahead in the emulator" if game in EXPERTS else None,
        score="return",
        horizon=MOST_STEPS,
        expert_seconds=5.0,
    )
    for game in GAMES
)
