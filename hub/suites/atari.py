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

The experts read the memory of the console; `LOOK_AHEAD` says which play ahead in a copy of the game besides.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from .task import Policy, Task

if TYPE_CHECKING:
    import ale_py
    import gymnasium

FRAMES_PER_STEP = 4
STICKINESS = 0.25
MOST_STEPS = 4500
SIDE = 80

GAMES = (
    "alien amidar assault asterix asteroids atlantis bank-heist battle-zone beam-rider berzerk bowling boxing breakout "
    "centipede chopper-command crazy-climber defender demon-attack double-dunk enduro fishing-derby freeway frostbite "
    "gopher gravitar hero ice-hockey jamesbond kangaroo krull kung-fu-master montezuma-revenge ms-pacman "
    "name-this-game phoenix pitfall pong private-eye qbert riverraid road-runner robotank seaquest skiing solaris "
    "space-invaders star-gunner surround tennis time-pilot tutankham up-n-down venture video-pinball wizard-of-wor "
    "yars-revenge zaxxon"
).split()


def make_environment(game: str, render_mode: str | None = None) -> gymnasium.Env:
    """The game as an environment; its observation is a picture, (80, 80, 3) uint8.

    Attribute `ale` of it, an `ale_py.ALEInterface`, is the console; `action_names` names the actions.
    """
    import ale_py
    import gymnasium
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
            self.ale.loadROM(ale_py.roms.get_rom_path(game.replace("-", "_")))
            self._actions = self.ale.getMinimalActionSet()
            self.action_names = tuple(action.name for action in self._actions)
            self.action_space = gymnasium.spaces.Discrete(len(self._actions))
            self.observation_space = gymnasium.spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.ale.reset_game()
            self._executed = self._actions[0]
            self._num_steps = 0
            return self._picture(self.ale.getScreenRGB()), {}

        def step(self, action):
            if not self.action_space.contains(action):
                raise ValueError(f"the action must be one of 0 to {self.action_space.n - 1}, got {action!r}")
            reward, screens = 0, []
            for frame in range(FRAMES_PER_STEP):
                if self.np_random.random() >= STICKINESS:
                    self._executed = self._actions[action]
                reward += self.ale.act(self._executed)
                if frame >= FRAMES_PER_STEP - 2:
                    screens.append(self.ale.getScreenRGB())
            self._num_steps += 1
            over = self.ale.game_over(with_truncation=False)
            return self._picture(np.maximum(*screens)), float(reward), over, self._num_steps >= MOST_STEPS, {}

        def render(self):
            return self.ale.getScreenRGB()

        @staticmethod
        def _picture(screen: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(screen).resize((SIDE, SIDE), Image.Resampling.BOX))

    return AtariGame()


EXPERTS = {}
TASKS = tuple(
    Task(
        id=f"atari/{game}",
        extra="atari",
        packages=("gymnasium", "ale-py"),
        make_environment=partial(make_environment, game),
        make_expert=EXPERTS.get(game),
        expert="reads the console's memory" if game in EXPERTS else None,
        score="return",
        horizon=MOST_STEPS,
    )
    for game in GAMES
)
