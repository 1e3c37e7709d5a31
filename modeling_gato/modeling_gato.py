# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""PyTorch Gato: one causal decoder over text, image patches, discrete and continuous values.

Knows nothing of tokenizers or environments: ids, patches and positions come in, logits go out.
"""

import json
import math
from collections.abc import Callable

import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn import functional as F
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.masking_utils import create_sliding_window_causal_mask, find_packed_sequence_indices
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, PreTrainedModel
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.import_utils import is_tracing, torch_compilable_check
from transformers.utils.output_capturing import capture_outputs

from .blockwise_attention_gato import (
    RelativeBlockwiseAttention,
    blockwise_attention,
    shift_to_distances,
    worthwhile_blocks,
)
from .configuration_gato import GatoConfig
from .generation_gato import is_memory

IGNORED_LABEL = -100


class GatoPatchEmbedder(nn.Module):
    """
    Image patches to vectors: one pre-activation residual block with group norm and GELU (paper, section 2.2), plus a
    learnt vector for the patch's row interval and one for its column interval.

    Stem and channels are unpublished. Ours: a strided convolution to a 4 x 4 map and GELU, the block on that map, a
    linear layer to the width, and a layer norm that starts at `initializer_range`, so that a fresh patch vector has
    the scale of a fresh token embedding. The stem's GELU sees absolute values, which the group norms take away.
    """

    def __init__(self, config: GatoConfig):
        super().__init__()
        channels, groups = config.patch_embed_channels, config.patch_embed_groups
        stride = config.patch_size // 4
        self.patch_shape = (config.num_channels, config.patch_size, config.patch_size)
        self.stem = nn.Conv2d(config.num_channels, channels, kernel_size=stride, stride=stride)
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.proj = nn.Linear(16 * channels, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        # For `_init_weights`, which the library does not call on a module without parameters of its own. Each layer
        # keeps the scale of its input; the stem undoes the paper's division of pixels by sqrt(patch_size).
        for layer in (self.conv1, self.conv2, self.proj):
            layer.initial_gain = 1.0
        self.stem.initial_gain = config.patch_size**0.5
        self.norm.starts_as_embedding = True
        self.row_embeddings = nn.Embedding(config.num_patch_positions, config.hidden_size)
        self.column_embeddings = nn.Embedding(config.num_patch_positions, config.hidden_size)

    def forward(self, pixel_values: torch.Tensor, patch_positions: torch.Tensor) -> torch.Tensor:
        """
        Args:
            pixel_values: `(patches, channels, patch_size, patch_size)`.
            patch_positions: `(patches, 2, 2)`, integer `[[row start, row end], [column start, column end]]`.

        Returns:
            `(patches, hidden_size)`.
        """
        distinct, indices = distinct_patches(pixel_values)
        embeds = self.embed_pixels(distinct)
        if indices is not None:
            embeds = F.embedding(indices, embeds)  # whose gradient, unlike that of indexing, adds up in a fixed order
        rows, columns = self.choose_positions(patch_positions).unbind(-1)
        return embeds + self.row_embeddings(rows) + self.column_embeddings(columns)

    def embed_pixels(self, pixel_values: torch.Tensor) -> torch.Tensor:
        hidden = F.gelu(self.stem(pixel_values.to(self.stem.weight.dtype)))  # (patches, C, 4, 4)
        residual = hidden
        hidden = self.conv1(F.gelu(self.norm1(hidden)))
        hidden = self.conv2(F.gelu(self.norm2(hidden)))
        return self.norm(self.proj((residual + hidden).flatten(1)))

    def choose_positions(self, patch_positions: torch.Tensor) -> torch.Tensor:
        """A uniform index inside each interval in training, its middle otherwise. `(patches, 2)`."""
        start, end = patch_positions.unbind(-1)
        if self.training:
            draw = torch.rand(start.shape, device=start.device)
            index = start + (draw * (end - start)).long()
        else:
            index = (start + end) // 2
        # The last interval ends at the table's size, and an image of over 128 patches a side has empty intervals.
        return index.clamp(max=self.row_embeddings.num_embeddings - 1)


def distinct_patches(pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """
    The distinct patches, and for each patch its place among them; `(pixel_values, None)` where nothing is saved.

    Screens and grids repeat the same few patches; embedding each once is most of a small model's patch cost. Patches
    are matched by a projection on a fixed direction, and the match is then verified, so that a collision can't lie.
    """
    count = pixel_values.shape[0]
    if count < 2 or pixel_values.requires_grad or is_tracing(pixel_values):
        return pixel_values, None
    flat = pixel_values.flatten(1)
    direction = torch.sin(torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=torch.float32) * 12.9898)
    # A matrix product may round equal rows differently; a sum along the row does not.
    _, indices = torch.unique((flat.float() * direction).sum(-1), return_inverse=True)
    distinct_count = int(indices.max()) + 1
    if distinct_count > 0.9 * count:
        return pixel_values, None
    first = torch.zeros(distinct_count, dtype=torch.long, device=flat.device)
    first[indices] = torch.arange(count, device=flat.device)
    distinct = pixel_values[first]
    return (distinct, indices) if torch.equal(distinct[indices], pixel_values) else (pixel_values, None)


class GatoRotaryEmbedding(nn.Module):
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
    first, second = states.chunk(2, dim=-1)
    return states * cosines + torch.cat((-second, first), dim=-1) * sines


class GatoRelativeEncoding(nn.Module):
    """Sinusoids of the distance between a query and a key (Dai et al., 2019, section 3.3)."""

    def __init__(self, config: GatoConfig):
        super().__init__()
        self.hidden_size = config.hidden_size

    def forward(self, num_distances: int, like: torch.Tensor) -> torch.Tensor:
        """Row d encodes distance d: `(num_distances, hidden_size)`, on the device and in the dtype of `like`."""
        exponents = torch.arange(0, self.hidden_size, 2, device=like.device, dtype=torch.float) / self.hidden_size
        distances = torch.arange(num_distances, device=like.device, dtype=torch.float)
        angles = distances[:, None] * 10000.0**-exponents
        return torch.cat((angles.sin(), angles.cos()), dim=-1).to(like.dtype)


def eager_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    position_bias: torch.Tensor | None = None,
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, torch.Tensor]:
    weights = query @ key.transpose(2, 3) * scaling
    if position_bias is not None:
        weights = weights + position_bias
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            weights = weights.masked_fill(~attention_mask, torch.finfo(weights.dtype).min)
        else:
            weights = weights + attention_mask
    weights = F.softmax(weights, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, p=dropout, training=module.training)
    return (weights @ value).transpose(1, 2).contiguous(), weights


class GatoAttention(nn.Module):
    """Causal self-attention with rotary positions, or with Transformer-XL's relative ones."""

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
        self.is_relative = config.position_embedding_type == "transformer_xl"
        if self.is_relative:
            self.relative_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
            self.content_bias = nn.Parameter(torch.zeros(config.num_attention_heads, config.head_dim))
            self.relative_bias = nn.Parameter(torch.zeros(config.num_attention_heads, config.head_dim))

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        positions_to_keep: torch.Tensor | None = None,
        blocks: list[tuple[int, int, int]] | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        batch, length, _ = hidden_states.shape
        heads_shape = (batch, length, -1, self.head_dim)
        key = self.k_proj(hidden_states).view(heads_shape).transpose(1, 2)
        value = self.v_proj(hidden_states).view(heads_shape).transpose(1, 2)
        if positions_to_keep is not None:
            length = positions_to_keep.shape[1]
            heads_shape = (batch, length, -1, self.head_dim)
            hidden_states = take_positions(hidden_states, positions_to_keep)
        query = self.q_proj(hidden_states).view(heads_shape).transpose(1, 2)

        if not self.is_relative:
            key = rotate(key, *position_embeddings)
            if positions_to_keep is not None:
                position_embeddings = [
                    take_positions(part, positions_to_keep[:, None], dim=2) for part in position_embeddings
                ]
            query = rotate(query, *position_embeddings)
        if blocks is not None:
            attended = self.attend_in_blocks(query, key, value, attention_mask, blocks, *position_embeddings)
            return self.o_proj(attended.reshape(batch, length, -1)), None
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        if self.is_relative:
            kwargs["position_bias"] = self.score_distances(query, key.shape[2], past_key_values, *position_embeddings)
            query = query + self.content_bias[:, None, :]

        implementation = self.config._attn_implementation
        if isinstance(attention_mask, torch.Tensor) and attention_mask.ndim == 4 and implementation != "eager":
            implementation = "sdpa"  # neither flash nor flex attention takes a mask of each query and key
        attend: Callable = ALL_ATTENTION_FUNCTIONS.get_interface(implementation, eager_attention_forward)
        attended, weights = attend(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.config.attention_dropout if self.training else 0.0,
            scaling=self.scaling,
            sliding_window=self.sliding_window,
            **kwargs,
        )
        return self.o_proj(attended.reshape(batch, length, -1)), weights

    def attend_in_blocks(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        blocks: list[tuple[int, int, int]],
        encoding: torch.Tensor | GatoRelativeEncoding,
        *_,
    ) -> torch.Tensor:
        """All queries of a window over its own keys, `(batch, length, heads, head_dim)`; see [`query_blocks`]."""
        if not self.is_relative:
            return blockwise_attention(query, key, value, mask, blocks, self.scaling)
        distance_keys = self.relative_keys(encoding, max(stop - first for _, stop, first in blocks), None)
        attended = RelativeBlockwiseAttention.apply(
            query, key, value, distance_keys, self.content_bias, self.relative_bias, mask, blocks, self.scaling
        )
        return attended.transpose(1, 2)

    def score_distances(
        self,
        query: torch.Tensor,
        num_keys: int,
        past_key_values: Cache | None,
        encoding: GatoRelativeEncoding,
        distances: torch.Tensor | None,
    ) -> torch.Tensor:
        """
        Transformer-XL's terms (b) and (d): what a query thinks of a distance.

        Args:
            query: `(batch, heads, queries, head_dim)`.
            distances: `(batch or 1, queries, keys)`; None where the last key is the last query's own.

        Returns:
            `(batch, heads, queries, keys)`.
        """
        query = (query + self.relative_bias[:, None, :]) * self.scaling
        if distances is None:
            keys = self.relative_keys(encoding, num_keys, past_key_values)[:, :num_keys].flip(1)
            return shift_to_distances(scores_of_all(query, keys))
        keys = self.relative_keys(encoding, min(self.sliding_window, num_keys), past_key_values)
        scores = scores_of_all(query, keys)
        # Distances outside the window and those of keys yet to come are hidden by the mask.
        index = distances.clamp(0, keys.shape[1] - 1)[:, None]
        return scores.gather(-1, index.expand(scores.shape[0], scores.shape[1], -1, -1))

    def relative_keys(self, encoding: GatoRelativeEncoding, num_distances: int, cache: Cache | None) -> torch.Tensor:
        """
        Projected distances `(heads, >= num_distances, head_dim)`. They depend on the weights alone, so a cache, which
        lives no longer than its weights, remembers them: an acting step costs no projection.
        """
        remembered = None
        if cache is not None and not torch.is_grad_enabled() and not is_tracing(self.relative_proj.weight):
            remembered = cache.__dict__.setdefault("_relative_keys", {})
            if self.layer_idx in remembered and remembered[self.layer_idx].shape[1] >= num_distances:
                return remembered[self.layer_idx]
            num_distances = 1 << (num_distances - 1).bit_length()  # so that a growing cache projects seldom
        keys = self.relative_proj(encoding(num_distances, like=self.relative_proj.weight))
        keys = keys.view(keys.shape[0], -1, self.head_dim).transpose(0, 1)
        if remembered is not None:
            remembered[self.layer_idx] = keys
        return keys


def scores_of_all(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """`(batch, heads, queries, keys)` of keys `(heads, keys, head_dim)`, which all rows share without a copy."""
    batch, heads, queries, head_dim = query.shape
    scores = query.transpose(0, 1).reshape(heads, batch * queries, head_dim) @ keys.transpose(1, 2)
    return scores.view(heads, batch, queries, -1).transpose(0, 1)


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
        self.self_attn = GatoAttention(config, layer_idx)
        self.mlp = GatoMLP(config)
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_embeddings: tuple | None = None,
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
        if positions_to_keep is not None:
            hidden_states = take_positions(hidden_states, positions_to_keep)
        hidden_states = hidden_states + self.regularise(attended)
        return hidden_states + self.regularise(self.mlp(self.post_attention_layernorm(hidden_states)))

    def regularise(self, update: torch.Tensor) -> torch.Tensor:
        """Dropout, then the whole update left out for some rows and scaled up for the others."""
        if not self.training:
            return update
        if self.hidden_dropout > 0.0:
            update = F.dropout(update, p=self.hidden_dropout)
        if self.drop_path_rate > 0.0:
            keep = 1.0 - self.drop_path_rate
            update = update * (torch.rand(update.shape[0], 1, 1, device=update.device) < keep).to(update.dtype) / keep
        return update


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
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, output_loading_info: bool = False, **kwargs):
        """
        As [`~transformers.PreTrainedModel.from_pretrained`], but all weights must be there, in the shapes of the
        configuration, and in safetensors (unless `use_safetensors=False` asks for a pickle): a model that was partly
        made of fresh weights would act, badly.

        Raises:
            ValueError: files that are damaged or cut off, weights that are missing or of another shape.
            OSError: no such folder, name, or file.
        """
        where = pretrained_model_name_or_path
        kwargs.setdefault("use_safetensors", True)
        allows_other_shapes = kwargs.pop("ignore_mismatched_sizes", False)
        try:
            model, info = super().from_pretrained(
                where, *model_args, output_loading_info=True, ignore_mismatched_sizes=True, **kwargs
            )
        except SafetensorError as error:
            raise ValueError(f"the weights of {where} are damaged, cut off, or no safetensors: {error}") from error
        except json.JSONDecodeError as error:
            raise ValueError(f"a JSON file of {where} is damaged: {error}") from error
        except FileNotFoundError as error:
            raise OSError(f"{where} is incomplete, a file that it names is not there: {error}") from error
        if info["mismatched_keys"] and not allows_other_shapes:
            found = ", ".join(
                f"{name} {tuple(there)} instead of {tuple(expected)}"
                for name, there, expected in sorted(info["mismatched_keys"])[:3]
            )
            raise ValueError(f"{len(info['mismatched_keys'])} weights of {where} have another shape: {found}")
        # A head of someone's own may be fresh, as usual.
        is_ours = cls.__module__ == GatoPreTrainedModel.__module__
        prefix = "" if is_ours else f"{cls.base_model_prefix}."
        mismatched = {name for name, *_ in info["mismatched_keys"]}
        missing = sorted(name for name in set(info["missing_keys"]) - mismatched if name.startswith(prefix))
        if missing and where is not None:
            raise ValueError(f"{len(missing)} weights of {where} are missing: {', '.join(missing[:3])}")
        return (model, info) if output_loading_info else model

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GatoAttention) and module.is_relative:
            init.zeros_(module.content_bias)
            init.zeros_(module.relative_bias)
        elif hasattr(module, "initial_gain"):
            init.normal_(module.weight, mean=0.0, std=module.initial_gain * module.weight[0].numel() ** -0.5)
        elif getattr(module, "starts_as_embedding", False):
            init.constant_(module.weight, self.config.initializer_range)
        elif (bins := getattr(module, "continuous_token_range", None)) is not None:
            if not getattr(module.weight, "_is_hf_initialized", False):
                weight = module.weight[bins[0] : bins[1]]
                init.copy_(weight, smooth_embeddings(*weight.shape, std=self.config.initializer_range).to(weight))


def smooth_embeddings(count: int, width: int, std: float, num_waves: int = 32) -> torch.Tensor:
    """
    `(count, width)` embeddings of values in order: random sums of sines and cosines of the value, the slower the
    larger, so that what is learnt of one value holds for its neighbours. A table learns each by itself.
    """
    places = (torch.arange(count) + 0.5) / count
    waves = torch.arange(1, num_waves + 1)
    angles = math.pi * places[:, None] * waves
    sizes = 1.0 / (1.0 + waves / 4.0)
    features = torch.cat([angles.cos() * sizes, angles.sin() * sizes], dim=1)
    embeddings = features @ torch.randn(2 * num_waves, width)
    return embeddings * (std / embeddings.std())


class GatoModel(GatoPreTrainedModel):
    """The decoder without a head."""

    def __init__(self, config: GatoConfig):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_tokens.continuous_token_range = config.continuous_token_range  # for `_init_weights`
        self.embed_local_positions = nn.Embedding(config.num_local_positions + 1, config.hidden_size)
        self.patch_embedder = GatoPatchEmbedder(config)
        is_relative = config.position_embedding_type == "transformer_xl"
        self.positions = GatoRelativeEncoding(config) if is_relative else GatoRotaryEmbedding(config)
        self.layers = nn.ModuleList([GatoDecoderLayer(config, index) for index in range(config.num_hidden_layers)])
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.gradient_checkpointing = False
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
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
        r"""
        Args:
            input_ids (`torch.LongTensor` of shape `(batch, length)`): ids, `config.image_token_id` where a patch goes.
            attention_mask (`torch.Tensor` of shape `(batch, length)`, *optional*): 1 for tokens, 0 for padding.
            position_ids (`torch.LongTensor` of shape `(batch, length)`, *optional*): positions. Several sequences
                packed in a row each start anew; without a cache, tokens attend inside their own sequence only.
            past_key_values (`Cache`, *optional*): keys and values of earlier tokens.
            inputs_embeds (`torch.FloatTensor` of shape `(batch, length, hidden_size)`, *optional*): instead of ids.
            pixel_values (`torch.FloatTensor` of shape `(patches, channels, patch_size, patch_size)`, *optional*):
                every patch of the batch once, in the order of their placeholders.
            patch_positions (`torch.LongTensor` of shape `(patches, 2, 2)`, *optional*): row and column interval of
                each patch, quantised to `config.num_patch_positions`; needed with `pixel_values`.
            local_position_ids (`torch.LongTensor` of shape `(batch, length)`, *optional*): index of an observation
                token inside its timestep, `config.num_local_positions` for separator and action tokens, -1 for none.
            use_cache (`bool`, *optional*): whether to return keys and values; never in training.
            positions_to_keep (`torch.LongTensor` of shape `(batch, n)`, *optional*): the only positions to return, in
                `last_hidden_state` `(batch, n, hidden_size)`. Where they are few, the last layer, of which nothing
                else is needed but keys and values, computes them alone.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("You must specify exactly one of `input_ids` or `inputs_embeds`")
        self._check_attention_implementation()
        inputs_embeds = self.embed_inputs(input_ids, inputs_embeds, pixel_values, patch_positions, local_position_ids)
        batch, length, _ = inputs_embeds.shape

        distances = None
        if is_memory(past_key_values):
            position_ids, mask, distances = past_key_values.advance(
                batch, length, attention_mask, inputs_embeds.device
            )
        else:
            mask = self.create_mask(inputs_embeds, attention_mask, past_key_values, position_ids, kwargs)
            # Created after the mask: with a cache at hand, packed sequences would go unnoticed.
            if use_cache and past_key_values is None and not self.training:
                past_key_values = DynamicCache(config=self.config)
            num_past = 0 if past_key_values is None else past_key_values.get_seq_length()
            if position_ids is None:
                position_ids = (torch.arange(length, device=inputs_embeds.device) + num_past)[None]
            if past_key_values is not None and past_key_values.is_compileable:  # its keys don't end at the query
                num_keys, first_key = past_key_values.get_mask_sizes(length, 0)
                queries = torch.arange(length, device=inputs_embeds.device) + num_past
                distances = (queries[:, None] - torch.arange(num_keys, device=queries.device) - first_key)[None]

        if self.config.position_embedding_type == "transformer_xl":
            position_embeddings = (self.positions, distances)
        else:
            position_embeddings = self.positions(inputs_embeds, position_ids)

        blocks = None
        if past_key_values is None and self._can_attend_in_blocks(mask, length, inputs_embeds, kwargs):
            blocks = worthwhile_blocks(mask, length, self.config.position_embedding_type == "transformer_xl")
        hidden_states = inputs_embeds
        for layer in self.layers[:-1]:
            hidden_states = layer(
                hidden_states,
                attention_mask=mask,
                position_embeddings=position_embeddings,
                past_key_values=past_key_values,
                position_ids=position_ids,
                blocks=blocks,
                **kwargs,
            )
        keeps_few = self._can_compute_positions_alone(positions_to_keep, length, mask, past_key_values)
        if keeps_few:
            mask = mask_of_positions(positions_to_keep, length, mask)
            if self.config.position_embedding_type == "transformer_xl":
                if distances is None:
                    num_keys = mask.shape[-1]  # the last is the last query's own
                    key_indices = torch.arange(num_keys, device=mask.device) - (num_keys - length)
                    distances = positions_to_keep[..., None] - key_indices
                else:
                    distances = take_positions(distances, positions_to_keep)
                position_embeddings = (self.positions, distances)
        hidden_states = self.layers[-1](
            hidden_states,
            attention_mask=mask,
            position_embeddings=position_embeddings,
            past_key_values=past_key_values,
            position_ids=position_ids,
            positions_to_keep=positions_to_keep if keeps_few else None,
            blocks=None if keeps_few else blocks,
            **kwargs,
        )
        if positions_to_keep is not None and not keeps_few:
            hidden_states = take_positions(hidden_states, positions_to_keep)
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
            check_range("input_ids", input_ids, 0, self.embed_tokens.num_embeddings)
            inputs_embeds = self.embed_tokens(input_ids)

        if pixel_values is not None:
            self._check_patches(pixel_values, patch_positions)
            if input_ids is not None:
                is_patch = input_ids == self.config.image_token_id
            else:
                image_id = torch.tensor(self.config.image_token_id, device=inputs_embeds.device)
                is_patch = (inputs_embeds == self.embed_tokens(image_id)).all(-1)
            patches = self.patch_embedder(pixel_values, patch_positions).to(inputs_embeds.device, inputs_embeds.dtype)
            torch_compilable_check(
                is_patch.sum() == patches.shape[0],
                lambda: (
                    f"`input_ids` hold {int(is_patch.sum())} image placeholders ({self.config.image_token_id}), but "
                    f"`pixel_values` hold {patches.shape[0]} patches"
                ),
            )
            inputs_embeds = inputs_embeds.masked_scatter(is_patch[..., None].expand_as(inputs_embeds), patches)
        elif self.training:
            # Parameters without a gradient would break optimizers and ranks of a distributed run.
            blank = inputs_embeds.new_zeros((1, *self.patch_embedder.patch_shape))
            position = torch.zeros((1, 2, 2), dtype=torch.long, device=inputs_embeds.device)
            inputs_embeds = inputs_embeds + 0.0 * self.patch_embedder(blank, position).sum().to(inputs_embeds.dtype)

        if local_position_ids is not None:
            if local_position_ids.shape != inputs_embeds.shape[:2]:
                raise ValueError(
                    f"`local_position_ids` must have the shape of the input, {tuple(inputs_embeds.shape[:2])}, "
                    f"got {tuple(local_position_ids.shape)}"
                )
            check_range("local_position_ids", local_position_ids, -1, self.embed_local_positions.num_embeddings)
            local = self.embed_local_positions(local_position_ids.clamp(min=0))
            inputs_embeds = inputs_embeds + local * (local_position_ids >= 0)[..., None].to(local.dtype)
        elif self.training:
            inputs_embeds = inputs_embeds + 0.0 * self.embed_local_positions.weight[0].to(inputs_embeds.dtype)
        return inputs_embeds

    def create_mask(
        self,
        inputs_embeds: torch.Tensor,
        attention_mask: torch.Tensor | None,
        past_key_values: Cache | None,
        position_ids: torch.Tensor | None,
        kwargs: dict,
    ):
        """
        The mask of the attention implementation: causal, inside the window, inside the sequence. For packed rows on
        flash attention the boundaries of the sequences are added to `kwargs` instead.
        """
        is_flash = "flash" in self.config._attn_implementation
        if position_ids is not None and past_key_values is None and not is_tracing(inputs_embeds):
            if is_flash and attention_mask is None and "cu_seq_lens_q" not in kwargs:
                kwargs.update(flash_sequence_boundaries(position_ids.expand(inputs_embeds.shape[0], -1)))
            elif not is_flash and attention_mask is not None and attention_mask.ndim == 2:
                # Given a padding mask, the library no longer looks for packed sequences. Padding is one more break
                # between them: no position follows on -2, and -2 follows on none.
                position_ids = position_ids.masked_fill(attention_mask == 0, -2)
                attention_mask = None
        return create_sliding_window_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )

    def _can_attend_in_blocks(self, mask, length: int, inputs_embeds: torch.Tensor, kwargs: dict) -> bool:
        return (
            inputs_embeds.device.type == "cpu"
            and self.config._attn_implementation == "sdpa"
            and not (self.training and self.config.attention_dropout)
            and not kwargs.get("output_attentions")
            and not self.config.output_attentions
            and not is_tracing(inputs_embeds)
            and (mask is None or (mask.dtype == torch.bool and mask.shape[-2:] == (length, length)))
        )

    def _can_compute_positions_alone(
        self, positions_to_keep: torch.Tensor | None, length: int, mask, past_key_values: Cache | None
    ) -> bool:
        """Whether the last layer may compute some positions only, and whether that is worth their own mask."""
        if positions_to_keep is None or 2 * positions_to_keep.shape[1] > length:
            return False
        if mask is None:  # causal by a flag, which a cache with empty slots after the queries takes by another rule
            has_plain_keys = past_key_values is None or not past_key_values.is_compileable
            return has_plain_keys and self.config._attn_implementation in ("eager", "sdpa")
        return isinstance(mask, torch.Tensor) and mask.ndim == 4

    def _check_attention_implementation(self) -> None:
        is_relative = self.config.position_embedding_type == "transformer_xl"
        if is_relative and "flash" in self.config._attn_implementation:
            raise ValueError(
                "Transformer-XL positions add a score to every query and key, which flash attention can't take: "
                "use attn_implementation='sdpa', 'eager' or 'flex_attention', or rotary positions"
            )

    def _check_patches(self, pixel_values: torch.Tensor, patch_positions: torch.Tensor | None) -> None:
        if pixel_values.ndim != 4 or tuple(pixel_values.shape[1:]) != self.patch_embedder.patch_shape:
            raise ValueError(
                f"`pixel_values` must have shape (patches, {', '.join(map(str, self.patch_embedder.patch_shape))}), "
                f"got {tuple(pixel_values.shape)}"
            )
        if patch_positions is None:
            raise ValueError("`patch_positions` of shape (patches, 2, 2) are needed with `pixel_values`")
        if tuple(patch_positions.shape) != (pixel_values.shape[0], 2, 2):
            raise ValueError(
                f"`patch_positions` must have shape ({pixel_values.shape[0]}, 2, 2), one a patch, "
                f"got {tuple(patch_positions.shape)}"
            )
        check_range("patch_positions", patch_positions, 0, self.config.num_patch_positions + 1)
        if not is_tracing(patch_positions) and patch_positions.device.type == "cpu":
            if (patch_positions[..., 0] > patch_positions[..., 1]).any():
                raise ValueError("`patch_positions` must be intervals [start, end] with start <= end")


def take_positions(states: torch.Tensor, positions: torch.Tensor, dim: int = 1) -> torch.Tensor:
    """`(batch or 1, ..., length, size)` at the `(batch, ..., n)` positions along `dim`."""
    return torch.take_along_dim(states, positions[..., None], dim=dim)


def mask_of_positions(positions: torch.Tensor, length: int, mask: torch.Tensor | None) -> torch.Tensor:
    """
    Which keys the queries at some positions see.

    Args:
        positions: `(batch, n)`.
        mask: `(batch or 1, 1, length, keys)` of all queries; None where `length` keys are seen causally.

    Returns:
        `(batch, 1, n, keys)`.
    """
    if mask is None:
        return (torch.arange(length, device=positions.device) <= positions[..., None])[:, None]
    return take_positions(mask, positions[:, None], dim=2)


def check_range(name: str, ids: torch.Tensor, low: int, high: int) -> None:
    """Raises ValueError unless all ids lie in [low, high). On an accelerator a look would cost a synchronisation."""
    if ids.device.type != "cpu" or is_tracing(ids) or ids.numel() == 0:
        return
    smallest, largest = ids.aminmax()
    if smallest < low or largest >= high:
        raise ValueError(f"`{name}` must lie in [{low}, {high}), got values from {int(smallest)} to {int(largest)}")


def flash_sequence_boundaries(position_ids: torch.Tensor) -> dict:
    """
    What flash attention needs to keep packed sequences apart in any number of rows; nothing where none are packed.

    Args:
        position_ids: `(batch, length)`.
    """
    sequence_ids = find_packed_sequence_indices(position_ids)
    if sequence_ids is None:
        return {}
    is_start = torch.ones_like(sequence_ids, dtype=torch.bool)
    is_start[:, 1:] = sequence_ids[:, 1:] != sequence_ids[:, :-1]
    starts = is_start.flatten().nonzero().flatten().to(torch.int32)
    boundaries = F.pad(starts, (0, 1), value=position_ids.numel())
    longest = int(boundaries.diff().max())
    return {
        "cu_seq_lens_q": boundaries,
        "cu_seq_lens_k": boundaries,
        "max_length_q": longest,
        "max_length_k": longest,
    }


class GatoForCausalLM(GatoPreTrainedModel, GenerationMixin):
    """Gato with its head: predicts the next token, whether text or action. The head is tied to the embeddings."""

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
        # Otherwise one that is loaded loses what the library doesn't know, such as `agent`.
        self.generation_config._from_model_config = False
        self.post_init()

    @can_return_tuple
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
        r"""
        Inputs as in [`GatoModel.forward`], and:

        Args:
            labels (`torch.LongTensor` of shape `(batch, length)`, *optional*): the input ids, -100 where there is no
                loss: images and non-text observations (paper, section 2.3). In training the head runs only on the
                positions that have a label, and `logits` come as `(labelled positions, vocab_size)`.
            logits_to_keep (`int` or `torch.Tensor`, *optional*): the last positions, these positions, or where a
                boolean mask `(batch, length)` is true; 0 for all.
        """
        tokens = input_ids if inputs_embeds is None else inputs_embeds
        shift_labels = kwargs.pop("shift_labels", None)
        if labels is not None and shift_labels is None:
            shift_labels = F.pad(labels, (0, 1), value=IGNORED_LABEL)[..., 1:]
        if shift_labels is not None and tokens is not None and shift_labels.shape != tokens.shape[:2]:
            raise ValueError(
                f"`labels` must have the shape of the input, {tuple(tokens.shape[:2])}, "
                f"got {tuple(shift_labels.shape)}"
            )
        keeps_all = isinstance(logits_to_keep, int) and logits_to_keep == 0
        if self.training and shift_labels is not None and keeps_all and not is_tracing(tokens):
            logits_to_keep = shift_labels.to(tokens.device) != IGNORED_LABEL

        # Recorded states are those of all positions.
        records = any(
            kwargs.get(name) or getattr(self.config, name, False)
            for name in ("output_hidden_states", "output_attentions")
        )
        positions, is_kept = None, None
        if tokens is not None and not records:
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

        loss = None
        if labels is not None:
            shift_labels = keep_positions(shift_labels.to(logits.device), logits_to_keep).contiguous()
            if kwargs.get("num_items_in_batch") is None:
                # A batch without a label has no loss; a mean over nothing would be NaN.
                kwargs["num_items_in_batch"] = (shift_labels != IGNORED_LABEL).sum().clamp(min=1)
            loss = self.loss_function(
                logits=logits, labels=None, shift_labels=shift_labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
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


def positions_to_keep(
    logits_to_keep: int | torch.Tensor, batch: int, length: int, device: torch.device
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """
    The positions that `logits_to_keep` names as `(batch, n)` indices. Of a mask that keeps more in one row than in
    another, the shorter rows are filled up, and a boolean `(batch, n)` tells which count; else that is None. Both are
    None where all are kept, or where a graph is traced and the number can't be known.
    """
    if isinstance(logits_to_keep, int):
        if not 0 < logits_to_keep < length:
            return None, None
        return torch.arange(length - logits_to_keep, length, device=device).expand(batch, -1), None
    if is_tracing(logits_to_keep):
        return None, None
    logits_to_keep = logits_to_keep.to(device)
    if logits_to_keep.ndim != 2:
        return (torch.arange(length, device=device)[logits_to_keep]).expand(batch, -1), None
    if logits_to_keep.dtype != torch.bool:
        return logits_to_keep, None
    counts = logits_to_keep.sum(1)
    most = max(int(counts.max()), 1)
    order = logits_to_keep.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
    return order[:, :most], torch.arange(most, device=device) < counts[:, None]


def keep_positions(states: torch.Tensor, logits_to_keep: int | torch.Tensor) -> torch.Tensor:
    """
    The positions of `(batch, length, ...)` that `logits_to_keep` names: the last n (0: all), a list of them for every
    row, `(batch, n)` of them, or where a boolean `(batch, length)` is true, which flattens rows and positions.
    """
    if isinstance(logits_to_keep, int):
        return states[:, -logits_to_keep:] if logits_to_keep else states
    if logits_to_keep.ndim == 2 and logits_to_keep.dtype != torch.bool:
        index = logits_to_keep if states.ndim == 2 else logits_to_keep[..., None]
        return torch.take_along_dim(states, index, dim=1)
    return states[logits_to_keep] if logits_to_keep.ndim == 2 else states[:, logits_to_keep]


__all__ = ["GatoForCausalLM", "GatoModel", "GatoPreTrainedModel"]
