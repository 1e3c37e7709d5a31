# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The inputs of `generate`: patches and local positions, which transformers doesn't know."""

from typing import TYPE_CHECKING, Any

import torch
from transformers.cache_utils import DynamicCache
from transformers.generation import GenerationMixin

from .memory_gato import new_cache
from .token_embedding_gato import image_placeholders

if TYPE_CHECKING:
    from .generation_gato import GatoAgent


class GatoGenerationMixin(GenerationMixin):
    """Adds patches and local positions to `generate`, and makes agents."""

    def prepare_inputs_for_generation(
        self,
        input_ids: torch.LongTensor,
        inputs_embeds: torch.FloatTensor | None = None,  # `generate` looks for this name in the signature
        is_first_iteration: bool = False,
        local_position_ids: torch.LongTensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        model_inputs = super().prepare_inputs_for_generation(
            input_ids, inputs_embeds=inputs_embeds, is_first_iteration=is_first_iteration, **kwargs
        )
        if local_position_ids is not None:
            embeds = model_inputs.get("inputs_embeds")
            tokens = model_inputs["input_ids"] if embeds is None else embeds
            # Assisted generation asks about candidates, tokens that are not accepted yet.
            num_candidates = max(0, input_ids.shape[1] - local_position_ids.shape[1])
            local = self._followed_by_new_tokens(local_position_ids.to(tokens.device), num_candidates)
            model_inputs["local_position_ids"] = local[:, -tokens.shape[1] :]
        if not is_first_iteration and kwargs.get("use_cache", True):
            model_inputs.pop("pixel_values", None)
            model_inputs.pop("patch_positions", None)
        return model_inputs

    def _prepare_cache_for_generation(
        self, generation_config: Any, model_kwargs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        """Takes a cache of ours where the library would make a plain one: see [`GatoDynamicCache`]."""
        given = model_kwargs.get("past_key_values")
        super()._prepare_cache_for_generation(generation_config, model_kwargs, *args, **kwargs)
        made = model_kwargs.get("past_key_values")
        is_plain = made is not given and type(made) is DynamicCache and not made.offloading
        if self.config.is_relative and is_plain:
            model_kwargs["past_key_values"] = new_cache(self.config)

    def _update_model_kwargs_for_generation(
        self, outputs: Any, model_kwargs: dict[str, Any], is_encoder_decoder: bool = False, num_new_tokens: int = 1
    ) -> dict[str, Any]:
        model_kwargs = super()._update_model_kwargs_for_generation(
            outputs, model_kwargs, is_encoder_decoder=is_encoder_decoder, num_new_tokens=num_new_tokens
        )
        if (local := model_kwargs.get("local_position_ids")) is not None:
            model_kwargs["local_position_ids"] = self._followed_by_new_tokens(local, num_new_tokens)
        return model_kwargs

    def _followed_by_new_tokens(self, local: torch.Tensor, num_new_tokens: int) -> torch.Tensor:
        """Local positions `(batch, length + num_new_tokens)` of a sequence that goes on with generated tokens."""
        # After a separator come action tokens, which share its vector; after anything else comes text.
        action = self.config.num_local_positions
        new = torch.where(local[:, -1:] == action, action, -1).expand(-1, num_new_tokens)
        return torch.cat([local, new], dim=-1)

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: torch.LongTensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[torch.LongTensor | None, dict[str, Any]]:
        """Repeats rows, for beams, with the patches of a row together rather than one by one."""
        patches = {
            name: model_kwargs.pop(name) for name in ("pixel_values", "patch_positions") if name in model_kwargs
        }
        if expand_size > 1 and patches.get("pixel_values") is not None and input_ids is not None:
            embeds = model_kwargs.get("inputs_embeds")
            ids = input_ids if embeds is None else None
            is_patch = image_placeholders(self.config.image_token_id, self.get_input_embeddings(), ids, embeds)
            counts = is_patch.sum(-1).tolist()
            patches = {
                name: torch.cat(
                    [part.repeat(expand_size, 1, 1, *[1] * (part.ndim - 3)) for part in value.split(counts)]
                )
                for name, value in patches.items()
            }
        input_ids, model_kwargs = super()._expand_inputs_for_generation(
            expand_size=expand_size, is_encoder_decoder=is_encoder_decoder, input_ids=input_ids, **model_kwargs
        )
        return input_ids, model_kwargs | patches

    def make_agent(self, processor: Any, action_space: Any, **options: Any) -> "GatoAgent":
        """
        Makes an agent that acts with this model; see [`GatoAgent`] for the arguments.

        The import is local, and relative, so that a saved checkpoint carries the agent's code beside the model's.
        """
        from .generation_gato import GatoAgent

        return GatoAgent(self, processor, action_space, **options)


__all__ = ["GatoGenerationMixin"]
