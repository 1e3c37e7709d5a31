# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Descriptions of the arguments that transformers doesn't know, or knows otherwise, for its `auto_docstring`."""

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
        `(labeled positions, vocab_size)`.
    logits_to_keep (`int` or `torch.Tensor`, *optional*):
        The last positions, these positions, or where a boolean mask `(batch, length)` is true; 0 for all.
"""
)

__all__ = ["CAUSAL_LM_DOCSTRING", "MODEL_DOCSTRING"]
