# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""An agent that reads observations, remembers them across steps, and answers with actions.

The processor turns observations into tokens and tokens into actions; this file knows nothing of that.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from .acting_settings_gato import ActingSettings, acting_settings
from .environment_batches_gato import leading_sizes, split_batch, unbatch_space
from .memory_gato import GatoMemory


class GatoAgent:
    """
    Acts in one environment, or in many at once, with a memory that lives across steps (paper, section 2.4).

    An action costs one forward pass of the step's new observation tokens and one for each further action token,
    however long the episode. Only tokens that are legal in the action space can come out. All state is in the agent.

    Args:
        model ([`GatoForCausalLM`]): the model, which is not changed.
        processor ([`GatoProcessor`]): turns observations into tokens and tokens into actions.
        action_space (`gymnasium.Space`): with `num_envs`, the space of ONE environment. Without, either the space of
            a single environment or the batched `action_space` of a vector environment: the first observation, batched
            alike or not, decides.
        prompt (`dict`, *optional*): a demonstration, one row of an episode dataset. Its last whole steps that fit
            half the window come before every episode.
        do_sample (`bool`, *optional*): whether to sample action tokens rather than to take the likeliest.
        temperature (`float`, *optional*): temperature of sampling, above 0.
        continuous_actions (`str`, *optional*): how to choose a continuous action from the distribution over its bins:
            `"sample"` draws a bin, `"mode"` takes the likeliest, `"mean"` the one nearest to the mean. By default
            `do_sample` decides between the first two.
        context_steps (`int`, *optional*): clear the memory, but for the prompt, every so many steps; use it when the
            current observation suffices. By default a step is remembered as long as the window holds it.
        past_window (`str`, *optional*): what to do when the window is full. `"memory"`, the default, slides the
            window; older tokens still reach through the layers, as in the paper. `"reread"` starts a new window with
            the last whole steps that fit half of it, texts first; use it when the model was never trained on longer
            sequences than the window.
        task (`str`, *optional*): name of the task, such as "metaworld/reach", under which the checkpoint may have
            settings.
        num_envs (`int`, *optional*): number of environments in `observations`.
        observation_space (`gymnasium.Space`, *optional*): the space of one environment; needed if the training data
            was encoded with it.
        seed (`int`, *optional*): seed of sampling.

    Settings from `do_sample` to `past_window` that are left out come from `model.generation_config.agent`, see
    [`acting_settings`]; without those, tokens are sampled at temperature 1.

    Raises:
        ValueError: a setting that can't be, or a processor with more ids than the model.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        action_space: Any,
        prompt: Mapping[str, Any] | None = None,
        do_sample: bool | None = None,
        temperature: float | None = None,
        num_envs: int | None = None,
        observation_space: Any = None,
        seed: int | None = None,
        continuous_actions: str | None = None,
        context_steps: int | None = None,
        task: str | None = None,
        past_window: str | None = None,
    ) -> None:
        self.model = model.get_base_model() if hasattr(model, "get_base_model") else model  # PEFT keeps it inside
        settings = ActingSettings.resolve(
            getattr(self.model.generation_config, "agent", None),
            task,
            do_sample=do_sample,
            temperature=temperature,
            continuous_actions=continuous_actions,
            context_steps=context_steps,
            past_window=past_window,
        )
        self.do_sample = settings.do_sample
        self.temperature = settings.temperature
        self.continuous_actions = settings.continuous_actions
        self.context_steps = settings.context_steps
        self.past_window = settings.past_window
        if num_envs is not None and num_envs < 1:
            raise ValueError(f"`num_envs` must be at least 1, got {num_envs}")
        vocab_size = self.model.config.vocab_size
        if len(processor.tokenizer) > vocab_size:
            raise ValueError(
                f"the processor has {len(processor.tokenizer)} ids, the model only {vocab_size}: they don't belong "
                "together"
            )
        self.processor = processor
        self.action_space = action_space
        self.observation_space = observation_space
        self.prompt = prompt
        self.is_vectorized = num_envs is not None
        self.generator = torch.Generator(device=self.model.device)
        if seed is not None:
            self.generator.manual_seed(seed)
        self.memory: GatoMemory | None = None
        self.num_envs = num_envs
        self._prompt_memory: GatoMemory | None = None
        self._token_ranges: list[tuple[int, int]] | None = None
        # By environment, filled once their number is known: the steps to read again when the window is full, each an
        # observation and action ids; what was shown last, with the tokens since its texts were last written; the last
        # action token, -1 for none; and the number of steps in memory.
        self._history: list[list[tuple[Any, np.ndarray]]] = []
        self._shown: list[tuple[Any, int]] = []
        self._last_action = torch.empty(0, dtype=torch.long)
        self._num_steps = np.zeros(0, dtype=np.int64)
        if num_envs is not None:
            self._start(num_envs)

    @property
    def window(self) -> int:
        return self.model.config.max_position_embeddings

    @property
    def previous_observations(self) -> list[Any]:
        """The last observation of each environment that the agent remembers; None where its memory is empty."""
        if self.memory is None:
            return [None]
        return [
            None if steps == self.context_steps else observation
            for (observation, _), steps in zip(self._shown, self._num_steps, strict=True)
        ]

    def reset(self, mask: np.ndarray | None = None) -> None:
        """
        Starts new episodes: forgets everything but the prompt.

        Args:
            mask: boolean `(num_envs,)`, true for the environments whose next observation is the first of an episode;
                None for all. With a vector environment in gymnasium's `AutoresetMode.SAME_STEP` these are
                `terminated | truncated` of the last step, in `NEXT_STEP` of the step before it.

        Raises:
            ValueError: the mask has another shape or type, or comes before the first observation.
        """
        if self.memory is None and mask is None:
            return
        mask = np.ones(self.num_envs, dtype=bool) if mask is None else self._checked_mask(mask)
        if not mask.any():
            return
        rows = torch.from_numpy(mask).to(self.model.device)
        self.memory.clear(rows)
        if self.prompt is not None:
            self.memory.load(self._encoded_prompt(), rows)
        self._last_action = self._last_action.masked_fill(rows, -1)
        self._num_steps[mask] = 0
        for index in np.flatnonzero(mask):
            self._shown[index] = (None, 0)
            self._history[index] = []

    def keep(self, mask: np.ndarray) -> None:
        """
        Drops finished environments from the batch, so that they cost nothing more.

        Args:
            mask: boolean `(num_envs,)`, true for the environments to keep, at least one. Later observations and
                actions have as many environments as were kept.

        Raises:
            ValueError: the mask keeps none, has another shape or type, or comes before the first observation.
        """
        mask = self._checked_mask(mask)
        if not mask.any():
            raise ValueError("`mask` must keep at least one environment")
        kept = np.flatnonzero(mask)
        rows = torch.from_numpy(kept).to(self.model.device)
        self.memory.batch_select_indices(rows)
        self._last_action = self._last_action[rows]
        self._num_steps = self._num_steps[kept]
        self._shown = [self._shown[index] for index in kept]
        self._history = [self._history[index] for index in kept]
        self.num_envs = len(kept)

    def _checked_mask(self, mask: np.ndarray) -> np.ndarray:
        if self.memory is None:
            raise ValueError(
                "`mask` was given before the first observation: there is nothing to reset yet, nor to keep"
            )
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise ValueError(
                f"`mask` must be boolean of shape ({self.num_envs},), got {mask.dtype} of shape {mask.shape}"
            )
        return mask

    @torch.no_grad()
    def act(self, observations: Any) -> Any:
        """
        Chooses an action for each environment, legal in its space.

        Args:
            observations: the observation of one environment; or those of many, batched as a gymnasium vector
                environment returns them: arrays with a leading `num_envs`, texts as a tuple, mappings and tuples of
                those.

        Returns:
            an action, or actions batched as `envs.step` takes them.

        Raises:
            ValueError: the observations are of another number of environments, or can't be encoded.
        """
        if self.memory is None:
            self._infer_num_envs(observations)
        if self.context_steps is not None:
            self.reset(self._num_steps == self.context_steps)
        was_training = self.model.training
        if was_training:  # asked, because `eval` visits all modules, which takes a tenth of an action's time
            self.model.eval()
        try:
            ids = self._generate(self._encode(observations))
        finally:
            if was_training:
                self.model.train()
        self._num_steps += 1
        ids = ids.cpu().numpy()
        if self.past_window == "reread":
            for index, row in enumerate(ids):
                self._history[index].append((self._shown[index][0], row))
        actions = [self.processor.decode_action(row, self.action_space) for row in ids]
        return self._batched(actions) if self.is_vectorized else actions[0]

    def _start(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self._token_ranges = self.processor.action_token_ranges(self.action_space)
        self.memory = GatoMemory(self.window, num_envs, device=self.model.device)
        self._last_action = torch.full((num_envs,), -1, dtype=torch.long, device=self.model.device)
        self._shown = [(None, 0)] * num_envs
        self._history = [[] for _ in range(num_envs)]
        self._num_steps = np.zeros(num_envs, dtype=np.int64)
        self.reset()

    def _infer_num_envs(self, observations: Any) -> None:
        unbatched = unbatch_space(self.action_space)
        if unbatched is not None:
            single_space, num_envs = unbatched
            if leading_sizes(observations) == {num_envs}:
                self.action_space, self.is_vectorized = single_space, True
                return self._start(num_envs)
        self._start(1)
        return None

    def _encode(self, observations: Any) -> Mapping[str, torch.Tensor]:
        """The new tokens of every environment, left padded: its last action token, then its observation."""
        rows = split_batch(observations, self.num_envs) if self.is_vectorized else [observations]
        sequences = self.processor.encode_observations(
            rows,
            previous_observations=self.previous_observations,
            observation_space=self.observation_space,
        )
        num_action_tokens = len(self._token_ranges)
        if self.past_window == "reread":
            room = self.window - num_action_tokens
            if self.prompt is not None:
                room -= self._encoded_prompt().get_seq_length()
            full = [age + len(new) > room for (_, age), new in zip(self._shown, sequences, strict=True)]
            self._reread(np.array(full) & [len(history) > 0 for history in self._history], room // 2)
        for index, (observation_before, age) in enumerate(self._shown):
            age += len(sequences[index]) + num_action_tokens
            # A text is written at the start, and again before it leaves the window.
            if observation_before is not None and age > self.window and self.past_window == "memory":
                sequences[index] = self.processor.encode_observation(rows[index], self.observation_space)
                age = len(sequences[index]) + num_action_tokens
            self._shown[index] = (rows[index], age)
        inputs = self.processor.pad(sequences, return_tensors="pt", padding_side="left")
        inputs = {name: value.to(self.model.device) for name, value in inputs.items()}

        # The last action token was chosen but not yet read, so it comes first. A row without padding takes it in one
        # more column on the left, a row with padding in the place before its first token.
        mask = F.pad(inputs["attention_mask"], (1, 0))
        places = mask.shape[1] - 1 - mask.sum(1, keepdim=True)
        last_action = self._last_action[:, None]
        inputs["attention_mask"] = mask.scatter(1, places, (last_action >= 0).to(mask.dtype))
        inputs["input_ids"] = F.pad(inputs["input_ids"], (1, 0)).scatter(1, places, last_action.clamp(min=0))
        action_position = torch.full_like(places, self.model.config.num_local_positions)
        inputs["local_position_ids"] = F.pad(inputs["local_position_ids"], (1, 0), value=-1).scatter(
            1, places, action_position
        )
        return inputs

    def _reread(self, mask: np.ndarray, budget: int) -> None:
        """Fills the memory of the environments in `mask` anew with their last steps, at most `budget` tokens."""
        if not mask.any():
            return
        rows = []
        for index in np.flatnonzero(mask):
            history = self._history[index]
            row, twice = self._encode_steps(history), self._encode_steps(history[-1:] * 2)
            told = 2 * twice.step_starts[1] - len(twice)  # the first of the two has the texts, too
            left = len(row) - row.step_starts  # tokens from each step on
            start = min(np.searchsorted(-left, told - budget), len(history) - 1)
            history = self._history[index] = history[start:]
            row = self._encode_steps(history)
            rows.append(row[:-1])  # the last action token is still to be read
            self._shown[index] = (self._shown[index][0], len(row))
            self._num_steps[index] = len(history)
        inputs = self.processor.pad(rows, return_tensors="pt", padding_side="left")
        memory = GatoMemory(self.window, len(rows), device=self.model.device)
        if self.prompt is not None:
            memory.load(self._encoded_prompt(), torch.ones(len(rows), dtype=torch.bool))
        inputs = {name: value.to(self.model.device) for name, value in inputs.items()}
        self.model.model(**inputs, past_key_values=memory, use_cache=True)
        self.memory.load(memory, torch.from_numpy(mask).to(self.model.device))

    def _encode_steps(self, history: list[tuple[Any, np.ndarray]]) -> Any:
        """Encodes steps of one environment, each an observation and action ids, as a sequence of their own."""
        observations, actions = zip(*history, strict=True)
        return self.processor.encode_steps(observations, np.stack(actions), self.observation_space)

    def _generate(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Action ids `(num_envs, tokens of an action)`; the last one is left for the next step to read."""
        if not self._token_ranges:
            raise ValueError(f"the action space {self.action_space} has no action to choose")
        action_position = self.model.config.num_local_positions
        ids = []
        for low, high in self._token_ranges:
            hidden = self.model.model(**inputs, past_key_values=self.memory, use_cache=True).last_hidden_state[:, -1]
            ids.append(self._choose(self._logits(hidden, low, high), self._is_continuous(low)) + low)
            inputs = {
                "input_ids": ids[-1][:, None],
                "local_position_ids": torch.full_like(ids[-1][:, None], action_position),
            }
        self._last_action = ids[-1]
        return torch.stack(ids, dim=1)

    def _logits(self, hidden: torch.Tensor, low: int, high: int) -> torch.Tensor:
        """Logits of the ids in [low, high): only those rows of the head are computed."""
        head = self.model.get_output_embeddings()
        # Reads a plain head's weight, so that a step computes few rows; a head of an adapter or quantizer is called.
        if type(head) is torch.nn.Linear:
            return F.linear(hidden, head.weight[low:high]).float()
        return head(hidden)[:, low:high].float()

    def _is_continuous(self, token: int) -> bool:
        return token in self.processor.vocabulary.continuous

    def _choose(self, logits: torch.Tensor, is_continuous: bool) -> torch.Tensor:
        how = self.continuous_actions if is_continuous else "sample" if self.do_sample else "mode"
        if how == "mode":
            return logits.argmax(-1)
        probabilities = torch.softmax(logits / self.temperature, dim=-1)
        if how == "mean":
            bins = torch.arange(logits.shape[-1], device=logits.device, dtype=probabilities.dtype)
            return (probabilities @ bins).round().long()
        return torch.multinomial(probabilities, 1, generator=self.generator)[:, 0]

    def _encoded_prompt(self) -> GatoMemory:
        if self._prompt_memory is None:
            spaces = {"observation_space": self.observation_space, "action_space": self.action_space}
            lengths = self.processor.step_lengths(self.prompt, **spaces)
            start = self.processor.last_steps(lengths, self.window // 2)
            sequence = self.processor.encode_episode(self.prompt, start=start, **spaces)
            inputs = self.processor.pad([sequence], return_tensors="pt")
            memory = GatoMemory(self.window, 1, device=self.model.device)
            inputs = {name: value.to(self.model.device) for name, value in inputs.items()}
            self.model.model(**inputs, past_key_values=memory, use_cache=True)
            self._prompt_memory = memory
        return self._prompt_memory

    def _batched(self, actions: list) -> Any:
        # An import statement would make gymnasium a requirement of each checkpoint that carries its code.
        utils = importlib.import_module("gymnasium.vector.utils")
        empty = utils.create_empty_array(self.action_space, self.num_envs)
        return utils.concatenate(self.action_space, actions, empty)


__all__ = ["GatoAgent", "GatoMemory", "acting_settings"]
