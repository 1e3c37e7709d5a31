# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Atari 2600 (Bellemare et al., JAIR 2013): the 57 games of the benchmark, by way of ale-py.

The package is under GPL-2.0-only, and the games in it belong to their makers: it is an extra of its own, and what is
recorded of it is not passed on with this project.

The agent sees the screen in 80 x 80 pixels, 25 patches, where the customary 84 x 84 would need 36, and takes the
game's own actions, the ones that differ in it. A step is four frames; of the last two each pixel shows the larger
value, because sprites may be drawn in every other frame only. A game has little chance of its own, so that an action
sticks, as Machado et al. (JAIR 2018, section 5.2) propose: in each frame the one before it is executed again with
probability 0.25. An episode ends with the game, or after 4500 steps, five minutes.

Six games have an expert. Each tries out in the emulator what an action leads to, from where the game stands and
without sticky actions, then sets the game back. Four read positions from the console's memory, at the addresses that
Anand et al. (NeurIPS 2019) name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

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
    """The game as an environment; its observation is a picture, (80, 80, 3) uint8.

    Its attribute `ale`, an `ale_py.ALEInterface`, is the console; `actions` are the console's actions in the order of
    the action space, `action_names` their names.
    """
    import ale_py
    import gymnasium
    from ale_py import roms
    from PIL import Image

    class AtariGame(gymnasium.Env):
        """A game of the console with sticky actions."""

        metadata = {"render_modes": ["rgb_array"], "render_fps": 60 // FRAMES_PER_STEP}

        def __init__(self):
            self.render_mode = render_mode
            ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
            self.ale = ale_py.ALEInterface()
            self.ale.setFloat("repeat_action_probability", 0.0)  # actions stick below, by our generator
            self.ale.setInt("random_seed", 0)
            self.ale.loadROM(roms.get_rom_path(game.replace("-", "_")))
            self.actions = self.ale.getMinimalActionSet()
            self.action_names = tuple(action.name for action in self.actions)
            self.action_space = gymnasium.spaces.Discrete(len(self.actions))
            self.observation_space = gymnasium.spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.ale.reset_game()
            self._executed = self.actions[0]
            self._num_steps = 0
            self._screen = self.ale.getScreenRGB()
            return self._picture(self._screen), {}

        def step(self, action):
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
            return self._picture(np.maximum(*screens)), float(reward), over, self._num_steps >= MOST_STEPS, {}

        def render(self):
            return self._screen  # the console's own may be of what an expert tried out

        @staticmethod
        def _picture(screen: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(screen).resize((SIDE, SIDE), Image.Resampling.BOX))

    return AtariGame()


@contextlib.contextmanager
def _tried_out(environment: gymnasium.Env) -> Iterator[None]:
    """Sets the game back at the end of a block. What chance decides is no part of the console."""
    state = environment.ale.cloneState()
    try:
        yield
    finally:
        environment.ale.restoreState(state)


def _memory(environment: gymnasium.Env, *addresses: int) -> list[int]:
    memory = environment.ale.getRAM()
    return [int(memory[address]) for address in addresses]


def _hold(environment: gymnasium.Env, action: int, num_frames: int) -> int:
    """Executes an action for some frames and gives the sum of their rewards."""
    return sum(environment.ale.act(environment.actions[action]) for _ in range(num_frames))


def _move_to(environment: gymnasium.Env, address: int, target: float, moves: Iterable[int]) -> int:
    """The move after which a paddle comes to rest nearest to the target; it glides on for a while."""

    def distance(move: int) -> float:
        with _tried_out(environment):
            _hold(environment, move, FRAMES_PER_STEP)
            _hold(environment, 0, FRAMES_PER_STEP)
            return abs(_memory(environment, address)[0] - target)

    return min(moves, key=distance)


def _reflected(position: float, low: float, high: float) -> float:
    """Where something is between two walls that would be at `position` without them."""
    span = high - low
    beyond = (position - low) % (2 * span)
    return low + min(beyond, 2 * span - beyond)


def _boxing(environment: gymnasium.Env) -> Policy:
    """Of the actions, held for three steps, that which hits most and is hit least, else comes nearest."""
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


def _breakout(environment: gymnasium.Env) -> Policy:
    """Has the middle of the paddle where the ball comes down, and serves."""
    paddle, x, y = 72, 99, 101
    height_of_paddle, half_a_paddle, most_frames_ahead = 172, 8, 60
    fire, noop, right, left = (environment.action_names.index(name) for name in ("FIRE", "NOOP", "RIGHT", "LEFT"))

    def policy(observation) -> int:
        with _tried_out(environment):
            ball_x, ball_y = _memory(environment, x, y)
            if ball_y == 0:  # there is no ball
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
        # A step moves the paddle further than it is wide; while there is time, chance brings it nearer.
        if abs(at_rest - target) < half_a_paddle - 2:
            return noop
        return right if at_rest < target else left

    return policy


def _freeway(environment: gymnasium.Env) -> Policy:
    """Walks on where no car comes in the next six steps, else waits or goes back as long as gets it furthest."""
    y, ahead, step_up = 14, 6, 4
    noop, up, down = (environment.action_names.index(name) for name in ("NOOP", "UP", "DOWN"))

    def progress(first: int, num_steps: int) -> int:
        with _tried_out(environment):
            (before,) = _memory(environment, y)
            crossed = _hold(environment, first, num_steps * FRAMES_PER_STEP)
            crossed += _hold(environment, up, (ahead - num_steps) * FRAMES_PER_STEP)
            (after,) = _memory(environment, y)
            return ahead * step_up if crossed else after - before

    def policy(observation) -> int:
        best, most = up, progress(up, 0)
        if most < (ahead - 1) * step_up:
            for action, num_steps in ((noop, 1), (noop, 2), (noop, 4), (down, 1), (down, 2), (down, 4)):
                reached = progress(action, num_steps)
                if reached > most:
                    best, most = action, reached
        return best

    return policy


def _pong(environment: gymnasium.Env) -> Policy:
    """Goes to where the ball arrives; just before, takes the stroke that scores, or else makes the fastest ball."""
    paddle, x, y = 51, 49, 54
    top_wall, bottom_wall, own_line, half_a_paddle, at_rest = 44, 205, 189, 8, 118
    longest_rally = 260  # frames until the ball is back
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
                elif hit_at is not None and ball_x > last:  # the other one hit it
                    return hit_at - frame
                last = ball_x
        return -longest_rally

    def policy(observation) -> int:
        nonlocal last_x, last_y
        ball_x, ball_y = _memory(environment, x, y)
        speed_x, speed_y = ball_x - last_x, ball_y - last_y
        comes = last_x > 0 and 0 < speed_x < 30  # it is put into play by a jump
        last_x, last_y = ball_x, ball_y
        target = at_rest
        if comes:
            steps = (own_line - ball_x) / speed_x
            if steps <= 3:
                return max(strokes, key=value)[0]
            target = _reflected(ball_y + steps * speed_y, top_wall, bottom_wall) - half_a_paddle
        return _move_to(environment, paddle, target, moves)

    return policy


def _hold_the_best(names: tuple[str, ...], environment: gymnasium.Env) -> Policy:
    """Of the actions, held for ten steps, that with the most points, the sooner the better, and no life lost.

    Where several are as good, the one of the step before goes on, or else chance decides, always alike.
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

    def policy(observation) -> int:
        nonlocal last
        values = [value(action) for action in actions]
        best = [action for action, its_value in zip(actions, values, strict=True) if its_value == max(values)]
        if last not in best:
            last = best[chance.integers(len(best))]
        return last

    return policy


_DIRECTIONS = ("UP", "RIGHT", "LEFT", "DOWN")
EXPERTS = {
    "asterix": partial(_hold_the_best, ("NOOP", *_DIRECTIONS, "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT")),
    "boxing": _boxing,
    "breakout": _breakout,
    "freeway": _freeway,
    "ms-pacman": partial(_hold_the_best, _DIRECTIONS),
    "pong": _pong,
}


def make_expert(game: str, environment: gymnasium.Env) -> Policy:
    """The expert of a game for the episode that `environment` has just begun."""
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
