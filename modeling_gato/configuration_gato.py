# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Gato model configuration and its named sizes."""

import difflib
from dataclasses import fields
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig
from transformers.generation.configuration_utils import GenerationConfig
from transformers.modeling_rope_utils import RopeParameters
from transformers.utils import logging

logger = logging.get_logger(__name__)

POSITION_EMBEDDING_TYPES = ("rotary", "transformer_xl")

_AT_LEAST_ONE = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "head_dim",
    "max_position_embeddings",
    "patch_size",
    "num_channels",
    "patch_embed_channels",
    "patch_embed_groups",
    "num_patch_positions",
    "num_local_positions",
)

# Keyword arguments that transformers itself may give to a configuration, beside the fields of its dataclass.
_LIBRARY_KEYS = {
    "attn_implementation",
    "auto_map",
    "experts_implementation",
    "model_type",
    "name_or_path",
    "num_labels",
    "output_attentions",
    "partial_rotary_factor",
    "per_layer_config",
    "quantization_config",
    "rope_scaling",
    "rope_theta",
    "torch_dtype",
    "transformers_version",
}


@strict
class GatoConfig(PreTrainedConfig):
    r"""
    Configuration of a [`GatoModel`]: "A Generalist Agent" (Reed et al., 2022), one causal decoder over text, image
    patches, discrete and continuous values.

    The defaults have the shape of the paper's smallest model with rotary positions. The paper's own sizes are
    [`GatoConfig.small`], [`GatoConfig.baseline`] and [`GatoConfig.large`]; [`GatoConfig.nano`] and
    [`GatoConfig.mini`] train on a CPU. All arguments are keyword arguments; an unknown one is refused.

    Args:
        vocab_size (`int`): number of ids, text tokenizer and Gato's own together; `GatoProcessor.model_kwargs` has it.
        hidden_size (`int`): width of the residual stream.
        intermediate_size (`int`): width of the feed-forward layer *before* the GEGLU gate, as the paper counts it;
            the gate leaves half of it.
        num_hidden_layers (`int`): number of decoder layers.
        num_attention_heads (`int`): number of attention heads.
        head_dim (`int`, *optional*): size of a head; `hidden_size // num_attention_heads` where left out.
        hidden_act (`str`): activation of the gate; GELU makes it GEGLU.
        position_embedding_type (`str`): `"rotary"`, or `"transformer_xl"` for relative attention (Dai et al., 2019),
            which the paper's parameter counts imply.
        rope_parameters (`dict`, *optional*): parameters of rotary positions, as everywhere in transformers.
        max_position_embeddings (`int`): the window in tokens: the length of a training sequence, and the number of
            tokens that a token attends to. The library reads it as `sliding_window`, too: longer caches slide.
        attention_dropout (`float`): dropout on attention probabilities.
        hidden_dropout (`float`): dropout on the output of each sub-layer.
        drop_path_rate (`float`): stochastic depth, the probability that a sub-layer is skipped for a row in training.
        layer_norm_eps (`float`): epsilon of the layer norms.
        initializer_range (`float`): standard deviation of a fresh embedding, and of a fresh patch vector.
        patch_size (`int`): side of a square image patch in pixels, a multiple of 4.
        num_channels (`int`): channels of a patch.
        patch_embed_channels (`int`): channels inside the patch embedder's residual block.
        patch_embed_groups (`int`): groups of its group norms.
        num_patch_positions (`int`): rows of each of the two patch position tables.
        num_local_positions (`int`): observation tokens one timestep can hold.
        image_token_id (`int`): id that stands where a patch goes.
        separator_token_id (`int`): id between the observation and the action.
        continuous_token_range (`tuple[int, int]`, *optional*): first id of the bins of continuous values, and the id
            after the last. A new model then starts with similar embeddings for neighboring bins and learns faster.
    """

    model_type = "gato"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {"sliding_window": "max_position_embeddings"}
    default_theta = 10000.0
    base_model_tp_plan = {
        "layers.*.self_attn.q_proj": "colwise",
        "layers.*.self_attn.k_proj": "colwise",
        "layers.*.self_attn.v_proj": "colwise",
        "layers.*.self_attn.relative_proj": "colwise",
        "layers.*.self_attn.content_bias": "colwise",
        "layers.*.self_attn.relative_bias": "colwise",
        "layers.*.self_attn.o_proj": "rowwise",
        "layers.*.mlp.gate_proj": "colwise",
        "layers.*.mlp.up_proj": "colwise",
        "layers.*.mlp.down_proj": "rowwise",
        "embed_tokens": "embedding_rowwise",
    }
    base_model_pp_plan = {
        "embed_tokens": (["input_ids"], ["inputs_embeds"]),
        "layers": (["hidden_states", "attention_mask"], ["hidden_states"]),
        "norm": (["hidden_states"], ["hidden_states"]),
    }
    base_model_fsdp_plan = {
        "embed_tokens": "free_full_weight",
        "layers.*": "free_full_weight",
        "norm": "keep_full_weight",
    }

    vocab_size: int = 33026
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 8
    num_attention_heads: int = 24
    head_dim: int | None = None
    hidden_act: str = "gelu"
    position_embedding_type: str = "rotary"
    rope_parameters: RopeParameters | dict | None = None
    max_position_embeddings: int = 1024
    attention_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.0
    drop_path_rate: float | int = 0.0
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    patch_size: int = 16
    num_channels: int = 3
    patch_embed_channels: int = 64
    patch_embed_groups: int = 32
    num_patch_positions: int = 128
    num_local_positions: int = 512
    image_token_id: int = 33025
    separator_token_id: int = 33024
    continuous_token_range: tuple[int, int] | list[int] | None = None
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    tie_word_embeddings: bool = True
    use_cache: bool = True

    def __post_init__(self, **kwargs: Any) -> None:
        self._refuse_unknown_keys(kwargs)
        if self.head_dim is None and self.num_attention_heads > 0:
            self.head_dim = self.hidden_size // self.num_attention_heads
        super().__post_init__(**kwargs)
        if self.position_embedding_type != "transformer_xl":
            relative = ("relative_proj", "content_bias", "relative_bias")
            plan = self.base_model_tp_plan.items()
            self.base_model_tp_plan = {name: style for name, style in plan if not name.endswith(relative)}

    @property
    def is_relative(self) -> bool:
        """Whether attention has Transformer-XL's relative positions."""
        return self.position_embedding_type == "transformer_xl"

    def _refuse_unknown_keys(self, kwargs: dict) -> None:
        """Refuses a misspelt key, which the library would keep as an attribute that nobody reads."""
        known = {field.name for field in fields(self)} | set(self.attribute_map)
        known |= set(GenerationConfig._get_default_generation_params()) | _LIBRARY_KEYS
        for key in kwargs:
            if key in known or key.startswith("_"):
                continue
            closest = difflib.get_close_matches(key, GatoConfig.__annotations__, n=1)
            hint = f"; did you mean `{closest[0]}`?" if closest else ""
            message = f"GatoConfig got an unexpected keyword argument `{key}`{hint}"
            if "model_type" not in kwargs:
                raise TypeError(message)
            logger.warning(message)  # the key comes from a file, which a later version may have written

    def validate_architecture(self) -> None:
        """Checks fields against each other; `@strict` calls it once their types are right."""
        self._check_ranges()
        self._check_layers()
        self._check_patches()
        self._check_ids()

    def _check_ranges(self) -> None:
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            _require(value is None or value >= 1, f"`{name}` must be at least 1, got {value}")
        for name in ("attention_dropout", "hidden_dropout", "drop_path_rate"):
            value = getattr(self, name)
            _require(0.0 <= value < 1.0, f"`{name}` must lie in [0, 1), got {value}")

    def _check_layers(self) -> None:
        _require(
            self.position_embedding_type in POSITION_EMBEDDING_TYPES,
            f"`position_embedding_type` must be one of {POSITION_EMBEDDING_TYPES}, "
            f"got {self.position_embedding_type!r}",
        )
        _require(
            self.num_attention_heads * self.head_dim == self.hidden_size,
            f"`num_attention_heads` ({self.num_attention_heads}) times `head_dim` ({self.head_dim}) must be "
            f"`hidden_size` ({self.hidden_size})",
        )
        _require(
            self.is_relative or self.head_dim % 2 == 0,
            f"rotary positions need an even `head_dim`, got {self.head_dim}",
        )
        _require(
            not self.is_relative or self.hidden_size % 2 == 0,
            f"Transformer-XL positions need an even `hidden_size`, got {self.hidden_size}",
        )
        _require(
            self.intermediate_size % 2 == 0,
            f"`intermediate_size` is split in two by the gate: it must be even, got {self.intermediate_size}",
        )

    def _check_patches(self) -> None:
        _require(self.patch_size % 4 == 0, f"`patch_size` must be a multiple of 4, got {self.patch_size}")
        _require(
            self.patch_embed_channels % self.patch_embed_groups == 0,
            f"`patch_embed_channels` ({self.patch_embed_channels}) must be a multiple of `patch_embed_groups` "
            f"({self.patch_embed_groups})",
        )

    def _check_ids(self) -> None:
        for name in ("image_token_id", "separator_token_id", "pad_token_id", "bos_token_id"):
            value = getattr(self, name)
            _require(
                value is None or 0 <= value < self.vocab_size,
                f"`{name}` must lie in [0, vocab_size = {self.vocab_size}), got {value}",
            )
        bins = self.continuous_token_range
        _require(
            bins is None or (len(bins) == 2 and 0 <= bins[0] < bins[1] <= self.vocab_size),
            f"`continuous_token_range` must be two ids in order, up to vocab_size = {self.vocab_size}, got {bins}",
        )
        _require(
            self.image_token_id != self.separator_token_id,
            f"`image_token_id` and `separator_token_id` must differ, both are {self.image_token_id}",
        )

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> "GatoConfig":
        """
        Makes a configuration as [`~transformers.PreTrainedConfig.from_dict`] does.

        Raises:
            ValueError: the dictionary is the configuration of another model.
        """
        found = config_dict.get("model_type", cls.model_type)
        if found != cls.model_type:
            raise ValueError(f"this is the configuration of a model of type {found!r}, not {cls.model_type!r}")
        return super().from_dict(config_dict, **kwargs)

    @classmethod
    def nano(cls, **kwargs: Any) -> "GatoConfig":
        """A model of about 1 M parameters beside the vocabulary; learns a few tasks on a CPU in minutes."""
        shape = {
            "hidden_size": 128, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 4,
            "patch_embed_channels": 32,
        }  # fmt: skip
        return cls(**(shape | kwargs))

    @classmethod
    def mini(cls, **kwargs: Any) -> "GatoConfig":
        """A model of about 5 M parameters beside the vocabulary; learns many tasks on a CPU in hours."""
        shape = {
            "hidden_size": 256, "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 8,
            "patch_embed_channels": 32,
        }  # fmt: skip
        return cls(**(shape | kwargs))

    @classmethod
    def small(cls, **kwargs: Any) -> "GatoConfig":
        """The paper's 79 M model (appendix, model architecture), with Transformer-XL relative attention."""
        return cls(**(_PAPER | kwargs))

    @classmethod
    def baseline(cls, **kwargs: Any) -> "GatoConfig":
        """The paper's 364 M model (appendix, model architecture), with Transformer-XL relative attention."""
        shape = {
            "hidden_size": 1536, "intermediate_size": 6144, "num_hidden_layers": 12, "num_attention_heads": 12,
        }  # fmt: skip
        return cls(**(_PAPER | shape | kwargs))

    @classmethod
    def large(cls, **kwargs: Any) -> "GatoConfig":
        """The paper's 1.18 B model (section 2.1 and appendix), with Transformer-XL relative attention."""
        shape = {
            "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24, "num_attention_heads": 16,
        }  # fmt: skip
        return cls(**(_PAPER | shape | kwargs))


def _require(is_right: bool, message: str) -> None:
    if not is_right:
        raise ValueError(message)


_PAPER = {"position_embedding_type": "transformer_xl", "drop_path_rate": 0.1}

__all__ = ["GatoConfig"]
