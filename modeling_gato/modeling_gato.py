# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""PyTorch Gato: one causal decoder over text, image patches, discrete and continuous values.

Knows nothing of tokenizers or environments: ids, patches and positions come in, logits go out. Over 400 lines,
because transformers' readers look for attention, layer and models in one file.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import AttentionInterface, PreTrainedModel
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, auto_docstring, can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.import_utils import torch_compilable_check
from transformers.utils.output_capturing import capture_outputs

from .attention_context_gato import BLOCKWISE, AttentionContext, attention_context
from .attention_functions_gato import blockwise_attention_forward, eager_attention_forward, with_distances
from .configuration_gato import GatoConfig
from .docstrings_gato import CAUSAL_LM_DOCSTRING, MODEL_DOCSTRING
from .generation_inputs_gato import GatoGenerationMixin
from .kept_positions_gato import keep_positions, positions_to_keep, take_positions
from .labels_gato import IGNORED_LABEL, labeled_positions, shifted_labels
from .loading_gato import clear_loading_errors, refuse_fresh_weights
from .memory_gato import new_cache
from .patch_embedding_gato import GatoPatchEmbedder, GatoPatchLayerNorm, KeepsScale, check_range
from .positions_gato import GatoRelativeEncoding, GatoRotaryEmbedding, rotate
from .token_embedding_gato import GatoTokenEmbedding, image_placeholders

# An instance of our own: the library's table is left alone, and what others register there is found here, too.
ALL_ATTENTION_FUNCTIONS = AttentionInterface()
ALL_ATTENTION_FUNCTIONS[BLOCKWISE] = blockwise_attention_forward


class GatoAttention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, config: GatoConfig, layer_idx: int):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = 1
        self.scaling = config.head_dim**-0.5
        self.is_causal = True
        self.sliding_window = config.max_position_embeddings
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        positions_to_keep: torch.Tensor | None = None,
        attention_function: str | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """
        Args:
            hidden_states: `(batch, length, hidden_size)`.
            position_embeddings: cosines and sines of the positions.
            positions_to_keep: `(batch, n)`, the only positions to attend from; None for all.
            attention_function: name of the function that attends; by default the configuration's.
        """
        query, key, value = self.project(hidden_states, positions_to_keep)
        key = rotate(key, *position_embeddings)
        query = rotate(query, *(take_positions(part, positions_to_keep) for part in position_embeddings))
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        implementation = attention_function or self.config._attn_implementation
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(implementation, eager_attention_forward)
        attended, weights = attend(self, query, key, value, attention_mask, **self.attention_options(), **kwargs)
        return self.o_proj(attended.flatten(-2)), weights

    def project(
        self, hidden_states: torch.Tensor, positions_to_keep: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries, keys and values, `(batch, heads, n or length, head_dim)`."""
        key = self.split_heads(self.k_proj(hidden_states))
        value = self.split_heads(self.v_proj(hidden_states))
        query = self.split_heads(self.q_proj(take_positions(hidden_states, positions_to_keep)))
        return query, key, value

    def split_heads(self, states: torch.Tensor) -> torch.Tensor:
        return states.view(*states.shape[:-1], -1, self.head_dim).transpose(-3, -2)

    def attention_options(self) -> dict[str, Any]:
        return {
            "dropout": self.config.attention_dropout if self.training else 0.0,
            "scaling": self.scaling,
            "sliding_window": self.sliding_window,
        }


class GatoRelativeAttention(GatoAttention):
    """Causal self-attention with Transformer-XL's relative positions (Dai et al., 2019, section 3.3)."""

    def __init__(self, config: GatoConfig, layer_idx: int):
        super().__init__(config, layer_idx)
        self.relative_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(config.num_attention_heads, config.head_dim))
        self.relative_bias = nn.Parameter(torch.zeros(config.num_attention_heads, config.head_dim))

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: torch.Tensor | None,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        positions_to_keep: torch.Tensor | None = None,
        attention_function: str | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """
        Args:
            position_embeddings: `(distances, hidden_size)`; None where the cache remembers what is made of them.
            Others as in [`GatoAttention.forward`].
        """
        query, key, value = self.project(hidden_states, positions_to_keep)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        kwargs["relative_keys"] = self.relative_keys(position_embeddings, past_key_values)
        implementation = attention_function or self.config._attn_implementation
        attend = with_distances(ALL_ATTENTION_FUNCTIONS.get_interface(implementation, eager_attention_forward))
        attended, weights = attend(self, query, key, value, attention_mask, **self.attention_options(), **kwargs)
        return self.o_proj(attended.flatten(-2)), weights

    def relative_keys(self, encoding: torch.Tensor | None, past_key_values: Cache | None) -> torch.Tensor:
        """
        Projects distances to `(heads, distances, head_dim)`.

        The projections depend on the weights alone. Caches of ours remember them, so that a step costs no projection;
        with any other cache each forward pass projects anew and leaves nothing there.
        """
        if encoding is None:
            return past_key_values.relative_keys[self.layer_idx]
        keys = self.split_heads(self.relative_proj(encoding))
        if hasattr(past_key_values, "relative_keys") and not keys.requires_grad:
            past_key_values.relative_keys[self.layer_idx] = keys
        return keys


class GatoMLP(nn.Module):
    """GEGLU (Shazeer, 2020); `intermediate_size` is the width of gate and value together."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        gated_size = config.intermediate_size // 2
        self.gate_proj = nn.Linear(config.hidden_size, gated_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, gated_size, bias=False)
        self.down_proj = nn.Linear(gated_size, config.hidden_size, bias=False)
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.act_fn(self.gate_proj(hidden_states)) * self.up_proj(hidden_states))


class GatoDecoderLayer(GradientCheckpointingLayer):
    """Pre-norm attention and feed-forward sub-layers, each with stochastic depth (paper, appendix)."""

    def __init__(self, config: GatoConfig, layer_idx: int):
        super().__init__()
        self.hidden_dropout = config.hidden_dropout
        self.drop_path_rate = config.drop_path_rate
        self.self_attn = (GatoRelativeAttention if config.is_relative else GatoAttention)(config, layer_idx)
        self.mlp = GatoMLP(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        positions_to_keep: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> torch.Tensor:
        """`(batch, length, hidden_size)`, or `(batch, n, hidden_size)` for the `(batch, n)` positions to keep."""
        attended, _ = self.self_attn(
            self.input_layernorm(hidden_states),
            position_embeddings=position_embeddings,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            positions_to_keep=positions_to_keep,
            **kwargs,
        )
        hidden_states = take_positions(hidden_states, positions_to_keep) + self.regularize(attended)
        return hidden_states + self.regularize(self.mlp(self.post_attention_layernorm(hidden_states)))

    def regularize(self, update: torch.Tensor) -> torch.Tensor:
        """Applies dropout, then leaves the whole update out for some rows and scales it up for the others."""
        if not self.training:
            return update
        if self.hidden_dropout > 0.0:
            update = F.dropout(update, p=self.hidden_dropout)
        if self.drop_path_rate > 0.0:
            keep = 1.0 - self.drop_path_rate
            update = update * (torch.rand(update.shape[0], 1, 1, device=update.device) < keep).to(update.dtype) / keep
        return update


@auto_docstring
class GatoPreTrainedModel(PreTrainedModel):
    config: GatoConfig
    config_class = GatoConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = ["GatoDecoderLayer"]
    _skip_keys_device_placement = ["past_key_values"]
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = True
    _can_record_outputs = {"hidden_states": GatoDecoderLayer, "attentions": GatoAttention}

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Any,
        *model_args: Any,
        output_loading_info: bool = False,
        ignore_mismatched_sizes: bool = False,
        **kwargs: Any,
    ) -> Any:
        """
        Loads a model as [`~transformers.PreTrainedModel.from_pretrained`] does, but never one that is partly made of
        fresh weights: all must be there, in the shapes of the configuration, and in safetensors (unless
        `use_safetensors=False` asks for a pickle). A class of someone else's may add a fresh head.

        Raises:
            ValueError: files are damaged or cut off; weights are missing or have another shape.
            OSError: there is no such folder, name, or file.
        """
        where = pretrained_model_name_or_path
        kwargs.setdefault("use_safetensors", True)
        with clear_loading_errors(where):
            model, info = super().from_pretrained(
                where, *model_args, output_loading_info=True, ignore_mismatched_sizes=True, **kwargs
            )
        is_ours = cls.__module__ == GatoPreTrainedModel.__module__
        refuse_fresh_weights(
            where, info, ignore_mismatched_sizes, prefix="" if is_ours else f"{cls.base_model_prefix}."
        )
        return (model, info) if output_loading_info else model

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GatoRelativeAttention):
            init.zeros_(module.content_bias)
            init.zeros_(module.relative_bias)
        elif isinstance(module, KeepsScale):
            init.normal_(module.weight, mean=0.0, std=module.gain * module.weight[0].numel() ** -0.5)
        elif isinstance(module, GatoPatchLayerNorm):
            init.constant_(module.weight, self.config.initializer_range)
        elif isinstance(module, GatoTokenEmbedding):
            module.init_continuous_tokens(std=self.config.initializer_range)


@auto_docstring(custom_intro="The decoder without a head.")
class GatoModel(GatoPreTrainedModel):
    def __init__(self, config: GatoConfig):
        super().__init__(config)
        self.embed_tokens = GatoTokenEmbedding(config)
        self.embed_local_positions = nn.Embedding(config.num_local_positions + 1, config.hidden_size)
        self.patch_embedder = GatoPatchEmbedder(config)
        self.positions = GatoRelativeEncoding(config) if config.is_relative else GatoRotaryEmbedding(config)
        self.layers = nn.ModuleList([GatoDecoderLayer(config, index) for index in range(config.num_hidden_layers)])
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.gradient_checkpointing = False
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    @auto_docstring(custom_args=MODEL_DOCSTRING)
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.FloatTensor | None = None,
        pixel_values: torch.FloatTensor | None = None,
        patch_positions: torch.LongTensor | None = None,
        local_position_ids: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        positions_to_keep: torch.LongTensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> BaseModelOutputWithPast:
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("You must specify exactly one of `input_ids` or `inputs_embeds`")
        hidden_states = self.embed_inputs(input_ids, inputs_embeds, pixel_values, patch_positions, local_position_ids)
        use_cache, config = use_cache and not self.training, self.config
        context = attention_context(
            config, hidden_states, attention_mask, position_ids, past_key_values, use_cache, self.training, **kwargs
        )
        if context.memory_block is not None:
            past_key_values.advance(context.memory_block)
        elif use_cache and past_key_values is None:  # made earlier, it would keep the mask from seeing packed rows
            past_key_values = new_cache(config)
        position_embeddings = self.embed_positions(hidden_states, context)
        shared = {"past_key_values": past_key_values, "position_embeddings": position_embeddings, **kwargs}
        arguments = context.layer_arguments()
        for layer in self.layers[: config.num_hidden_layers - 1]:
            hidden_states = layer(hidden_states, **arguments, **shared)
        hidden_states = self.last_layer(hidden_states, positions_to_keep, context, **shared)
        return BaseModelOutputWithPast(last_hidden_state=self.norm(hidden_states), past_key_values=past_key_values)

    def embed_inputs(
        self,
        input_ids: torch.Tensor | None,
        inputs_embeds: torch.Tensor | None,
        pixel_values: torch.Tensor | None,
        patch_positions: torch.Tensor | None,
        local_position_ids: torch.Tensor | None,
    ) -> torch.Tensor:
        """Token embeddings with patches in their places and local positions added: `(batch, length, hidden_size)`."""
        if inputs_embeds is None:
            check_range("input_ids", input_ids, 0, self.config.vocab_size)
            inputs_embeds = self.embed_tokens(input_ids)
        if pixel_values is not None:
            inputs_embeds = self.place_patches(input_ids, inputs_embeds, pixel_values, patch_positions)
        elif self.training:
            # An empty sum adds nothing, but gives every parameter a gradient, which optimizers and the ranks of a
            # distributed run count on.
            blank = inputs_embeds.new_zeros((1, self.config.num_channels, *[self.config.patch_size] * 2))
            position = torch.zeros((1, 2, 2), dtype=torch.long, device=inputs_embeds.device)
            inputs_embeds = inputs_embeds + self.patch_embedder(blank, position)[:0].sum().to(inputs_embeds.dtype)
        if local_position_ids is not None:
            inputs_embeds = self.add_local_positions(inputs_embeds, local_position_ids)
        elif self.training:  # an empty sum, as above
            nowhere = torch.empty(0, dtype=torch.long, device=inputs_embeds.device)
            inputs_embeds = inputs_embeds + self.embed_local_positions(nowhere).sum().to(inputs_embeds.dtype)
        return inputs_embeds

    def place_patches(
        self,
        input_ids: torch.Tensor | None,
        inputs_embeds: torch.Tensor,
        pixel_values: torch.Tensor,
        patch_positions: torch.Tensor | None,
    ) -> torch.Tensor:
        """Token embeddings with a patch's vector in place of every image placeholder."""
        is_patch = image_placeholders(self.config.image_token_id, self.embed_tokens, input_ids, inputs_embeds)
        patches = self.patch_embedder(pixel_values.to(inputs_embeds.dtype), patch_positions)
        patches = patches.to(inputs_embeds.device, inputs_embeds.dtype)
        torch_compilable_check(
            is_patch.sum() == patches.shape[0],
            lambda: (
                f"`input_ids` hold {int(is_patch.sum())} image placeholders ({self.config.image_token_id}), but "
                f"`pixel_values` hold {patches.shape[0]} patches"
            ),
        )
        return inputs_embeds.masked_scatter(is_patch[..., None].expand_as(inputs_embeds), patches)

    def add_local_positions(self, inputs_embeds: torch.Tensor, local_position_ids: torch.Tensor) -> torch.Tensor:
        if local_position_ids.shape != inputs_embeds.shape[:2]:
            raise ValueError(
                f"`local_position_ids` must have the shape of the input, {tuple(inputs_embeds.shape[:2])}, "
                f"got {tuple(local_position_ids.shape)}"
            )
        check_range("local_position_ids", local_position_ids, -1, self.config.num_local_positions + 1)
        local = self.embed_local_positions(local_position_ids.clamp(min=0))
        return inputs_embeds + local * (local_position_ids >= 0)[..., None].to(local.dtype)

    def embed_positions(
        self, x: torch.Tensor, context: AttentionContext
    ) -> tuple[torch.Tensor, torch.Tensor] | torch.Tensor | None:
        """Rotary cosines and sines of the positions, or Transformer-XL's sinusoids of the distances to project."""
        if not self.config.is_relative:
            return self.positions(x, context.position_ids)
        return self.positions(x, context.num_distances) if context.num_distances else None

    def last_layer(
        self,
        hidden_states: torch.Tensor,
        positions_to_keep: torch.Tensor | None,
        context: AttentionContext,
        **kwargs: Any,
    ) -> torch.Tensor:
        """The states of the positions to keep, computed alone where that saves work."""
        layer = self.layers[self.config.num_hidden_layers - 1]
        alone = None if positions_to_keep is None else context.of_queries(positions_to_keep)
        if alone is None:
            return take_positions(layer(hidden_states, **context.layer_arguments(), **kwargs), positions_to_keep)
        if self.config.is_relative:
            kwargs["position_embeddings"] = self.embed_positions(hidden_states, alone)
        return layer(hidden_states, positions_to_keep=positions_to_keep, **alone.layer_arguments(), **kwargs)


@auto_docstring(
    custom_intro="Gato with its head, tied to the embeddings: predicts the next token, whether text or action."
)
class GatoForCausalLM(GatoPreTrainedModel, GatoGenerationMixin):
    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}
    _tp_plan = {"lm_head": "colwise_gather_output"}
    _pp_plan = {"lm_head": (["hidden_states"], ["logits"])}
    _fsdp_plan = {"lm_head": "keep_full_weight"}

    def __init__(self, config: GatoConfig):
        super().__init__(config)
        self.model = GatoModel(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        # A generated placeholder would ask for a patch that nobody gave.
        self.generation_config.suppress_tokens = [config.image_token_id]
        # Keeps fields that the library doesn't know, such as `agent`, when a generation config is loaded.
        self.generation_config._from_model_config = False
        self.post_init()

    @can_return_tuple
    @auto_docstring(custom_args=CAUSAL_LM_DOCSTRING)
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.FloatTensor | None = None,
        pixel_values: torch.FloatTensor | None = None,
        patch_positions: torch.LongTensor | None = None,
        local_position_ids: torch.LongTensor | None = None,
        labels: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Unpack[TransformersKwargs],
    ) -> CausalLMOutputWithPast:
        tokens = input_ids if inputs_embeds is None else inputs_embeds
        shift_labels = shifted_labels(tokens, labels, kwargs.pop("shift_labels", None))
        if self.training:
            logits_to_keep = labeled_positions(tokens, shift_labels, logits_to_keep)
        positions, is_kept = None, None
        if tokens is not None and not self.records_states(kwargs):
            positions, is_kept = positions_to_keep(logits_to_keep, tokens.shape[0], tokens.shape[1], tokens.device)
        outputs: BaseModelOutputWithPast = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            pixel_values=pixel_values,
            patch_positions=patch_positions,
            local_position_ids=local_position_ids,
            use_cache=use_cache,
            positions_to_keep=positions,
            **kwargs,
        )
        hidden_states = outputs.last_hidden_state
        if positions is None:
            hidden_states = keep_positions(hidden_states, logits_to_keep)
        elif is_kept is not None:
            hidden_states = hidden_states[is_kept]
        logits = self.lm_head(hidden_states)
        return CausalLMOutputWithPast(
            loss=None if labels is None else self.compute_loss(logits, shift_labels, logits_to_keep, **kwargs),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def records_states(self, kwargs: dict[str, Any]) -> bool:
        """Whether states of the layers are recorded, which are those of all positions."""
        names = ("output_hidden_states", "output_attentions")
        return any(kwargs.get(name) or getattr(self.config, name, False) for name in names)

    def compute_loss(
        self, logits: torch.Tensor, shift_labels: torch.Tensor, logits_to_keep: int | torch.Tensor, **kwargs: Any
    ) -> torch.Tensor:
        shift_labels = keep_positions(shift_labels.to(logits.device), logits_to_keep).contiguous()
        if kwargs.get("num_items_in_batch") is None:
            # A batch without a label has no loss; a mean over nothing would be NaN.
            kwargs["num_items_in_batch"] = (shift_labels != IGNORED_LABEL).sum().clamp(min=1)
        return self.loss_function(
            logits=logits, labels=None, shift_labels=shift_labels, vocab_size=self.config.vocab_size, **kwargs
        )


__all__ = ["GatoForCausalLM", "GatoModel", "GatoPreTrainedModel"]
