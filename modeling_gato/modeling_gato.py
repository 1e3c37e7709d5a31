# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""PyTorch Gato: one causal decoder over text, image patches, discrete and continuous values.

Knows nothing of tokenizers or environments: ids, patches and positions come in, logits go out.
"""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update
from transformers.modeling_utils import AttentionInterface, PreTrainedModel
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, auto_docstring, can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.import_utils import is_tracing, torch_compilable_check
from transformers.utils.output_capturing import capture_outputs

from .attention_context_gato import BLOCKWISE, AttentionContext, attention_context
from .attention_functions_gato import blockwise_attention_forward, eager_attention_forward, with_distances
from .configuration_gato import GatoConfig
from .kept_positions_gato import keep_positions, positions_to_keep, take_positions
from .loading_gato import clear_loading_errors, refuse_missing_weights, refuse_other_shapes
from .patch_embedding_gato import (
    GatoPatchEmbedder,
    GatoPatchLayerNorm,
    GatoScaledConv2d,
    GatoScaledLinear,
    check_range,
)

if TYPE_CHECKING:
    from .generation_gato import GatoAgent

# An instance of our own: the library's table is left alone, and what others register there is found here, too.
ALL_ATTENTION_FUNCTIONS = AttentionInterface()
ALL_ATTENTION_FUNCTIONS[BLOCKWISE] = blockwise_attention_forward

IGNORED_LABEL = -100


class GatoRotaryEmbedding(nn.Module):
    """Cosines and sines of rotary positions (Su et al., 2021)."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        self.config = config
        self.max_seq_len_cached = config.max_position_embeddings
        self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = config.rope_parameters["rope_type"]
        compute = self.compute_default_rope_parameters
        if self.rope_type != "default":
            compute = ROPE_INIT_FUNCTIONS[self.rope_type]
        inv_freq, self.attention_scaling = compute(config)
        self.inv_freq = nn.Buffer(inv_freq, persistent=False)
        self.original_inv_freq = nn.Buffer(inv_freq.clone(), persistent=False)

    @staticmethod
    def compute_default_rope_parameters(config: GatoConfig, **kwargs) -> tuple[torch.Tensor, float]:
        exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float) / config.head_dim
        return config.rope_parameters["rope_theta"] ** -exponents, 1.0

    @torch.no_grad()
    @dynamic_rope_update
    def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines `(batch, 1, length, head_dim)` in the dtype of `x`."""
        angles = position_ids[:, None, :, None].float() * self.inv_freq.to(x.device, torch.float)
        angles = torch.cat((angles, angles), dim=-1)
        cosines = angles.cos() * self.attention_scaling
        sines = angles.sin() * self.attention_scaling
        return cosines.to(x.dtype), sines.to(x.dtype)


def rotate(states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Rotates `(batch, heads, length, head_dim)` by the angles of its positions."""
    first, second = states.chunk(2, dim=-1)
    return states * cosines + torch.cat((-second, first), dim=-1) * sines


class GatoRelativeEncoding(nn.Module):
    """Sinusoids of the distance between a query and a key (Dai et al., 2019, section 3.3)."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        self.hidden_size = config.hidden_size

    def forward(self, x: torch.Tensor, num_distances: int) -> torch.Tensor:
        """Row d encodes distance d: `(num_distances, hidden_size)`, on the device and in the dtype of `x`."""
        exponents = torch.arange(0, self.hidden_size, 2, device=x.device, dtype=torch.float) / self.hidden_size
        distances = torch.arange(num_distances, device=x.device, dtype=torch.float)
        angles = distances[:, None] * 10000.0**-exponents
        return torch.cat((angles.sin(), angles.cos()), dim=-1).to(x.dtype)


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

        Returns:
            `(batch, length or n, hidden_size)`, and the attention weights where the function gives them.
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
        As [`GatoAttention.forward`], but:

        Args:
            position_embeddings: `(distances, hidden_size)`; None where the memory remembers what is made of them.
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

        The projections depend on the weights alone. A [`GatoMemory`] remembers them, so that an acting step costs no
        projection; with any other cache each forward pass projects anew and leaves nothing there.
        """
        if encoding is None:
            return past_key_values.relative_keys[self.layer_idx]
        keys = self.split_heads(self.relative_proj(encoding))
        if getattr(past_key_values, "is_gato_memory", False) and not keys.requires_grad:
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
        attention = GatoRelativeAttention if config.is_relative else GatoAttention
        self.self_attn = attention(config, layer_idx)
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


class GatoTokenEmbedding(nn.Embedding):
    """Embeddings of ids, of which a range stands for values in order; see [`smooth_embeddings`]."""

    def __init__(self, config: GatoConfig):
        super().__init__(config.vocab_size, config.hidden_size)
        self.continuous_token_range = config.continuous_token_range


def smooth_embeddings(count: int, width: int, std: float, num_waves: int = 32) -> torch.Tensor:
    """
    Draws embeddings `(count, width)` of values in order, in which neighbors are alike.

    Each is a random sum of sines and cosines of its value, the slow ones the largest. What is learnt of one value then
    holds for its neighbors, which a table of independent vectors learns one by one.
    """
    places = (torch.arange(count) + 0.5) / count
    waves = torch.arange(1, num_waves + 1)
    angles = math.pi * places[:, None] * waves
    sizes = 1.0 / (1.0 + waves / 4.0)
    features = torch.cat([angles.cos() * sizes, angles.sin() * sizes], dim=1)
    embeddings = features @ torch.randn(2 * num_waves, width)
    return embeddings * (std / embeddings.std())


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
    ):
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
        if not ignore_mismatched_sizes:
            refuse_other_shapes(where, info)
        if where is not None:
            is_ours = cls.__module__ == GatoPreTrainedModel.__module__
            refuse_missing_weights(where, info, prefix="" if is_ours else f"{cls.base_model_prefix}.")
        return (model, info) if output_loading_info else model

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GatoRelativeAttention):
            init.zeros_(module.content_bias)
            init.zeros_(module.relative_bias)
        elif isinstance(module, (GatoScaledConv2d, GatoScaledLinear)):
            init.normal_(module.weight, mean=0.0, std=module.gain * module.weight[0].numel() ** -0.5)
        elif isinstance(module, GatoPatchLayerNorm):
            init.constant_(module.weight, self.config.initializer_range)
        elif isinstance(module, GatoTokenEmbedding):
            self._init_continuous_tokens(module)

    def _init_continuous_tokens(self, embedding: GatoTokenEmbedding) -> None:
        bins = embedding.continuous_token_range
        # A slice of the weight loses the library's mark of weights that were loaded.
        if bins is not None and not getattr(embedding.weight, "_is_hf_initialized", False):
            weight = embedding.weight[bins[0] : bins[1]]
            init.copy_(weight, smooth_embeddings(*weight.shape, std=self.config.initializer_range).to(weight))


# Arguments of both forward passes that transformers doesn't know, or knows otherwise, for `auto_docstring`.
INPUTS_DOCSTRING = r"""
    input_ids (`torch.LongTensor` of shape `(batch, length)`, *optional*):
        Ids, `config.image_token_id` where a patch goes.
    position_ids (`torch.LongTensor` of shape `(batch, length)`, *optional*):
        Positions. Several sequences packed in a row each start anew; without a cache, tokens attend inside their own
        sequence only.
    pixel_values (`torch.FloatTensor` of shape `(patches, channels, patch_size, patch_size)`, *optional*):
        Every patch of the batch once, in the order of their placeholders.
    patch_positions (`torch.LongTensor` of shape `(patches, 2, 2)`, *optional*):
        Row and column interval of each patch, quantized to `config.num_patch_positions`; needed with `pixel_values`.
    local_position_ids (`torch.LongTensor` of shape `(batch, length)`, *optional*):
        Index of an observation token inside its timestep, `config.num_local_positions` for separator and action
        tokens, -1 for none.
"""
MODEL_DOCSTRING = (
    INPUTS_DOCSTRING
    + r"""
    positions_to_keep (`torch.LongTensor` of shape `(batch, n)`, *optional*):
        The only positions to return, in `last_hidden_state` `(batch, n, hidden_size)`. Where they are few, the last
        layer attends from them alone; of the other positions it needs only keys and values.
"""
)
CAUSAL_LM_DOCSTRING = (
    INPUTS_DOCSTRING
    + r"""
    labels (`torch.LongTensor` of shape `(batch, length)`, *optional*):
        The input ids, -100 where there is no loss: images and non-text observations (paper, section 2.3). In training
        the head runs only on the positions that have a label, and `logits` come as
        `(labelled positions, vocab_size)`.
    logits_to_keep (`int` or `torch.Tensor`, *optional*):
        The last positions, these positions, or where a boolean mask `(batch, length)` is true; 0 for all.
"""
)


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
        use_cache = use_cache and not self.training
        context = attention_context(
            self.config,
            hidden_states,
            attention_mask,
            position_ids,
            past_key_values,
            use_cache,
            self.training,
            **kwargs,
        )
        past_key_values = self.prepare_cache(past_key_values, use_cache, context)
        shared = {
            "position_embeddings": self.embed_positions(hidden_states, context),
            "past_key_values": past_key_values,
            **kwargs,
        }
        arguments = context.layer_arguments()
        for layer in self.layers[: self.config.num_hidden_layers - 1]:
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
        if input_ids is not None:
            is_patch = input_ids == self.config.image_token_id
        else:
            image_id = torch.tensor(self.config.image_token_id, device=inputs_embeds.device)
            is_patch = (inputs_embeds == self.embed_tokens(image_id)).all(-1)
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

    def prepare_cache(
        self, past_key_values: Cache | None, use_cache: bool | None, context: AttentionContext
    ) -> Cache | None:
        """The cache that the layers write to: a memory that has made room for the new tokens, or a new cache."""
        if context.memory_block is not None:
            past_key_values.advance(context.memory_block)
        elif use_cache and past_key_values is None:
            # Not before the mask is made: with a cache at hand, the library takes no row for packed.
            past_key_values = DynamicCache(config=self.config)
        return past_key_values

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
class GatoForCausalLM(GatoPreTrainedModel, GenerationMixin):
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
        logits_to_keep = self.labelled_positions(tokens, shift_labels, logits_to_keep)
        positions, is_kept = None, None
        if tokens is not None and not self.records_states(kwargs):
            positions, is_kept = positions_to_keep(logits_to_keep, *tokens.shape[:2], tokens.device)
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

    def labelled_positions(
        self, tokens: torch.Tensor | None, shift_labels: torch.Tensor | None, logits_to_keep: int | torch.Tensor
    ) -> int | torch.Tensor:
        """In training, a mask `(batch, length)` of the positions that have a label; else `logits_to_keep` as it is."""
        keeps_all = isinstance(logits_to_keep, int) and logits_to_keep == 0
        if self.training and shift_labels is not None and keeps_all and not is_tracing(tokens):
            return shift_labels.to(tokens.device) != IGNORED_LABEL
        return logits_to_keep

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

    def prepare_inputs_for_generation(self, input_ids: torch.LongTensor, is_first_iteration: bool = False, **kwargs):
        local_position_ids = kwargs.pop("local_position_ids", None)
        model_inputs = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if local_position_ids is not None:
            tokens = (
                model_inputs["input_ids"]
                if model_inputs.get("inputs_embeds") is None
                else model_inputs["inputs_embeds"]
            )
            model_inputs["local_position_ids"] = local_position_ids[:, -tokens.shape[1] :]
        if not is_first_iteration and kwargs.get("use_cache", True):
            model_inputs.pop("pixel_values", None)
            model_inputs.pop("patch_positions", None)
        return model_inputs

    def _update_model_kwargs_for_generation(self, outputs, model_kwargs, is_encoder_decoder=False, num_new_tokens=1):
        model_kwargs = super()._update_model_kwargs_for_generation(
            outputs, model_kwargs, is_encoder_decoder=is_encoder_decoder, num_new_tokens=num_new_tokens
        )
        if (local := model_kwargs.get("local_position_ids")) is not None:
            # After a separator come action tokens, which share its vector; after anything else comes text.
            action = self.config.num_local_positions
            new = torch.where(local[:, -1:] == action, action, -1).expand(-1, num_new_tokens)
            model_kwargs["local_position_ids"] = torch.cat([local, new], dim=-1)
        return model_kwargs

    def _expand_inputs_for_generation(self, expand_size=1, is_encoder_decoder=False, input_ids=None, **model_kwargs):
        """Beams repeat rows; the patches of a row must be repeated together, not one by one."""
        patches = {
            name: model_kwargs.pop(name) for name in ("pixel_values", "patch_positions") if name in model_kwargs
        }
        if expand_size > 1 and patches.get("pixel_values") is not None and input_ids is not None:
            counts = (input_ids == self.config.image_token_id).sum(-1).tolist()
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


def shifted_labels(
    tokens: torch.Tensor | None, labels: torch.Tensor | None, shift_labels: torch.Tensor | None
) -> torch.Tensor | None:
    """
    Gives every position the label of the next one.

    Args:
        tokens: `(batch, length)` ids or `(batch, length, hidden_size)` embeddings; None if the caller left both out.
        labels: `(batch, length)`.
        shift_labels: `(batch, length)`, labels that the caller has shifted already.

    Raises:
        ValueError: the labels have another shape than the input.
    """
    if labels is not None and shift_labels is None:
        shift_labels = F.pad(labels, (0, 1), value=IGNORED_LABEL)[..., 1:]
    if shift_labels is not None and tokens is not None and shift_labels.shape != tokens.shape[:2]:
        raise ValueError(
            f"`labels` must have the shape of the input, {tuple(tokens.shape[:2])}, got {tuple(shift_labels.shape)}"
        )
    return shift_labels


__all__ = ["GatoForCausalLM", "GatoModel", "GatoPreTrainedModel"]
