# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Laws of the model: what may see what, and that every way to compute a thing gives the same."""

import pytest
import torch
from helpers.tiny_gato import EOS_ID, IMAGE_ID, VOCAB_SIZE, WINDOW, random_inputs, tiny_config, tiny_model
from torch.nn import functional as F
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from modeling_gato import GatoForCausalLM
from modeling_gato.attention_context_gato import AttentionContext
from modeling_gato.patch_embedding_gato import GatoPatchEmbedder, distinct_patches

TOLERANCE = {"atol": 1e-5, "rtol": 0}
LONG = 2 * WINDOW + 7  # past the window


def rows_of(inputs: dict, rows: slice) -> dict:
    """Some rows of a batch, with their patches."""
    patches = len(inputs["pixel_values"]) // len(inputs["input_ids"])
    picked = slice(rows.start * patches, rows.stop * patches)
    return {name: value[picked if name[0] == "p" else rows] for name, value in inputs.items()}


# What may see what


@pytest.mark.parametrize("changed", [0, 6, 19, LONG - 1])
def test_nothing_before_a_changed_token_moves(model, changed):
    inputs = random_inputs(length=LONG)
    logits = model(**inputs).logits
    inputs["input_ids"][:, changed] = (inputs["input_ids"][:, changed] + 1) % (VOCAB_SIZE - 10) + 8
    if changed in (2, 3, 4):
        pytest.fail("that place holds a patch")
    moved = (model(**inputs).logits - logits).abs().amax(dim=(0, 2)) > 0
    assert not moved[:changed].any()
    assert moved[changed]


@pytest.mark.parametrize("patch", [0, 1, 2])
def test_nothing_before_a_changed_patch_moves(model, patch):
    inputs = random_inputs()
    logits = model(**inputs).logits
    inputs["pixel_values"][patch] = -inputs["pixel_values"][patch]
    moved = (model(**inputs).logits - logits).abs().amax(dim=2) > 0
    assert not moved[0, : 2 + patch].any()
    assert moved[0, 2 + patch]
    assert not moved[1].any(), "the patch belongs to row 0"


def test_a_token_sees_the_window_and_through_the_layers_no_further(model):
    inputs = {"input_ids": random_inputs(length=LONG, patches=0)["input_ids"]}
    logits = model(**inputs).logits
    inputs["input_ids"][:, 0] += 1
    moved = (model(**inputs).logits - logits).abs().amax(dim=(0, 2)) > 0
    reach = model.config.num_hidden_layers * (WINDOW - 1)
    assert moved[WINDOW - 1] and moved[reach]
    assert not moved[reach + 1 :].any()


# Equal ways


@pytest.mark.parametrize("attention_mask", [False, True])
def test_packed_sequences_equal_separate_ones(model, attention_mask):
    first, second = random_inputs(length=9, seed=1), random_inputs(length=14, seed=2)
    separate = torch.cat([model(**first).logits, model(**second).logits], dim=1)
    packed = {name: torch.cat([first[name], second[name]], dim=1) for name in ("input_ids", "local_position_ids")}
    # Patches go row by row.
    for name in ("pixel_values", "patch_positions"):
        packed[name] = torch.cat([first[name][:3], second[name][:3], first[name][3:], second[name][3:]])
    packed["position_ids"] = torch.cat([torch.arange(9), torch.arange(14)]).expand(2, -1)
    if attention_mask:
        packed["attention_mask"] = torch.ones_like(packed["input_ids"])
    torch.testing.assert_close(model(**packed).logits, separate, **TOLERANCE)


@pytest.mark.parametrize("with_positions", [False, True])
def test_left_padded_equals_unpadded(model, with_positions):
    inputs = random_inputs()
    expected = model(**inputs).logits
    padding = 5
    padded = dict(inputs)
    padded["input_ids"] = F.pad(inputs["input_ids"], (padding, 0), value=1)
    padded["local_position_ids"] = F.pad(inputs["local_position_ids"], (padding, 0), value=-1)
    padded["attention_mask"] = (torch.arange(20 + padding) >= padding).long().expand(2, -1)
    if with_positions:
        padded["position_ids"] = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    torch.testing.assert_close(model(**padded).logits[:, padding:], expected, **TOLERANCE)


@pytest.mark.parametrize("length", [20, LONG])
def test_eager_equals_sdpa(model, length):
    inputs = random_inputs(length=length)
    expected = model(**inputs).logits
    model.set_attn_implementation("eager")
    torch.testing.assert_close(model(**inputs).logits, expected, **TOLERANCE)


@pytest.mark.slow
def test_flex_attention_equals_sdpa(position_type):
    model = tiny_model(position_embedding_type=position_type, hidden_size=64)
    inputs = random_inputs(length=128)
    with torch.no_grad():
        expected = model(**inputs).logits
        model.set_attn_implementation("flex_attention")
        torch.testing.assert_close(model(**inputs).logits, expected, atol=2e-4, rtol=0)


def test_relative_attention_is_the_formula_of_transformer_xl():
    """Dai et al. (2019), section 3.3, written out for one query and one key at a time."""
    model = tiny_model(position_embedding_type="transformer_xl")
    attention = model.model.layers[0].self_attn
    torch.nn.init.normal_(attention.content_bias)
    torch.nn.init.normal_(attention.relative_bias)
    length, heads, size = 7, 4, 8
    hidden = torch.randn(1, length, 32)
    query, key, value = (
        projection(hidden)[0].view(length, heads, size)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    expected = torch.zeros(length, heads, size)
    frequencies = 10000.0 ** (-torch.arange(0, 32, 2) / 32)
    for i in range(length):
        scores = torch.zeros(heads, i + 1)
        for j in range(i + 1):
            encoding = torch.cat([((i - j) * frequencies).sin(), ((i - j) * frequencies).cos()])
            relative = attention.relative_proj(encoding).view(heads, size)
            scores[:, j] = ((query[i] + attention.content_bias) * key[j]).sum(-1)
            scores[:, j] += ((query[i] + attention.relative_bias) * relative).sum(-1)
        weights = (scores / size**0.5).softmax(-1)
        expected[i] = torch.einsum("hj,jhd->hd", weights, value[: i + 1])
    expected = attention.o_proj(expected.reshape(1, length, 32))
    for implementation in ("eager", "sdpa"):
        model.set_attn_implementation(implementation)
        causal = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
        encoding = model.model.positions(hidden, length)
        actual, _ = attention(hidden, position_embeddings=encoding, attention_mask=causal)
        torch.testing.assert_close(actual, expected, **TOLERANCE)


def test_flash_attention_is_told_the_boundaries_of_packed_sequences(monkeypatch):
    """A stand-in that keeps to the boundaries as the kernels do; several packed rows must come out as separate."""

    def flash(module, query, key, value, attention_mask, scaling, cu_seq_lens_q=None, **kwargs):
        assert attention_mask is None
        batch, heads, length, size = query.shape
        token = torch.arange(batch * length)
        boundaries = torch.arange(batch + 1) * length if cu_seq_lens_q is None else cu_seq_lens_q
        sequence = torch.bucketize(token, boundaries, right=True)
        mask = (sequence[:, None] == sequence) & (token[:, None] >= token)
        flat = (states.transpose(0, 1).reshape(1, heads, -1, size) for states in (query, key, value))
        attended = F.scaled_dot_product_attention(*flat, attn_mask=mask, scale=scaling)
        return attended.view(heads, batch, length, size).permute(1, 2, 0, 3), None

    model = tiny_model()
    inputs = {name: random_inputs(length=WINDOW, patches=0)[name] for name in ("input_ids", "local_position_ids")}
    positions = torch.stack([torch.cat([torch.arange(n), torch.arange(WINDOW - n)]) for n in (5, 11)])
    expected = model(**inputs, position_ids=positions).logits
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._global_mapping, "flash_attention_2", flash)
    model.config._attn_implementation = "flash_attention_2"
    torch.testing.assert_close(model(**inputs, position_ids=positions, use_cache=False).logits, expected, **TOLERANCE)


def test_relative_attention_refuses_flash_attention():
    model = tiny_model(position_embedding_type="transformer_xl")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match="flash attention can't take"):
        model(**random_inputs())


def test_embeddings_of_the_inputs_may_be_given_instead_of_ids(model):
    inputs = random_inputs()
    expected = model(**inputs).logits
    embeds = model.get_input_embeddings()(inputs.pop("input_ids"))
    torch.testing.assert_close(model(inputs_embeds=embeds, **inputs).logits, expected, **TOLERANCE)


# Patches and positions


def test_patch_positions_are_the_papers_example():
    """Rows [0.25, 0.5] and columns [0.4, 0.6] quantize to [32, 64] and [51, 77]; 48 and 64 at evaluation."""
    embedder = GatoPatchEmbedder(tiny_config()).eval()
    intervals = torch.tensor([[[32, 64], [51, 77]]])
    assert embedder.choose_positions(intervals).tolist() == [[48, 64]]
    embedder.train()
    drawn = torch.stack([embedder.choose_positions(intervals)[0] for _ in range(500)])
    assert set(drawn[:, 0].tolist()) == set(range(32, 64))
    assert set(drawn[:, 1].tolist()) == set(range(51, 77))


def test_the_last_patch_position_stays_inside_the_table():
    embedder = GatoPatchEmbedder(tiny_config())
    for training in (True, False):
        assert embedder.train(training).choose_positions(torch.tensor([[[128, 128], [127, 128]]])).max() == 127


def test_distinct_patches_are_embedded_once_and_every_patch_gets_its_own_vector():
    embedder = GatoPatchEmbedder(tiny_config()).eval()
    different = torch.rand(3, 3, 4, 4)
    order = torch.tensor([0, 1, 0, 2, 2, 0, 1, 0, 0])
    distinct, indices = distinct_patches(different[order])
    assert len(distinct) == 3
    torch.testing.assert_close(distinct[indices], different[order], atol=0, rtol=0)
    positions = torch.zeros(len(order), 2, 2, dtype=torch.long)
    one_by_one = torch.cat([embedder(different[[index]], positions[:1]) for index in order.tolist()])
    torch.testing.assert_close(embedder(different[order], positions), one_by_one, **TOLERANCE)


def test_fresh_patch_vectors_have_the_scale_of_fresh_token_embeddings():
    torch.manual_seed(0)
    model = GatoForCausalLM(tiny_config(initializer_range=0.02, hidden_size=128))
    patches = model.model.patch_embedder.embed_pixels(torch.rand(64, 3, 4, 4) - 0.5)
    assert patches.std().item() == pytest.approx(model.model.embed_tokens.weight.std().item(), rel=0.1)


def test_local_positions_matter_and_minus_one_means_none(model):
    inputs = random_inputs()
    without = dict(inputs, local_position_ids=None)
    none = dict(inputs, local_position_ids=torch.full_like(inputs["input_ids"], -1))
    torch.testing.assert_close(model(**none).logits, model(**without).logits, atol=0, rtol=0)
    assert not torch.allclose(model(**inputs).logits, model(**without).logits)


def test_without_patches_and_local_positions_it_is_a_plain_language_model(model):
    assert model(torch.tensor([[5, 6, 7]])).logits.shape == (1, 3, VOCAB_SIZE)


# Loss


def test_training_computes_logits_only_where_a_label_is_and_the_same_loss(model):
    inputs = random_inputs()
    labels = torch.where(torch.rand(inputs["input_ids"].shape) < 0.3, inputs["input_ids"], -100)
    labels[:, 0] = inputs["input_ids"][:, 0]  # a first token has nothing to be predicted from
    reference = F.cross_entropy(
        model(**inputs).logits[:, :-1].reshape(-1, VOCAB_SIZE), labels[:, 1:].reshape(-1), ignore_index=-100
    )
    evaluated = model(**inputs, labels=labels)
    assert evaluated.logits.shape == (*labels.shape, VOCAB_SIZE)
    torch.testing.assert_close(evaluated.loss, reference)
    # Patch positions are drawn in training: an interval of one place leaves nothing to chance.
    inputs["patch_positions"][..., 1] = inputs["patch_positions"][..., 0] + 1
    expected = model(**inputs, labels=labels).loss
    trained = model.train()(**inputs, labels=labels)
    assert trained.logits.shape == ((labels[:, 1:] != -100).sum(), VOCAB_SIZE)
    torch.testing.assert_close(trained.loss, expected)


def test_loss_is_divided_by_the_number_of_items_given(model):
    inputs = random_inputs(patches=0)
    labels = inputs["input_ids"]
    inputs = {"input_ids": labels}
    mean = model.train()(**inputs, labels=labels).loss
    count = labels[:, 1:].numel()
    torch.testing.assert_close(model(**inputs, labels=labels, num_items_in_batch=2 * count).loss, mean / 2)


def test_a_batch_without_labels_has_zero_loss_and_finite_gradients(model):
    inputs = random_inputs()
    loss = model.train()(**inputs, labels=torch.full_like(inputs["input_ids"], -100)).loss
    loss.backward()
    assert loss.item() == 0.0
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize("patches", [0, 3])
def test_every_parameter_gets_a_gradient_with_and_without_images(model, patches):
    inputs = random_inputs(patches=3)
    if not patches:
        inputs = {"input_ids": inputs["input_ids"].masked_fill(inputs["input_ids"] == IMAGE_ID, 9)}
    model.train()(**inputs, labels=inputs["input_ids"]).loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_logits_to_keep_takes_a_number_positions_or_a_mask(model):
    inputs = random_inputs()
    logits = model(**inputs).logits
    keep = torch.rand(logits.shape[:2]) < 0.5
    positions = torch.tensor([[1, 5, 7], [0, 2, 19]])
    torch.testing.assert_close(model(**inputs, logits_to_keep=3).logits, logits[:, -3:])
    torch.testing.assert_close(model(**inputs, logits_to_keep=keep).logits, logits[keep])
    torch.testing.assert_close(
        model(**inputs, logits_to_keep=positions).logits,
        torch.stack([logits[0, positions[0]], logits[1, positions[1]]]),
    )


@pytest.mark.parametrize("case", ["plain", "packed", "padded", "past", "longer_than_the_window"])
@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_positions_computed_alone_are_those_of_all(model, implementation, case):
    model.set_attn_implementation(implementation)
    length = WINDOW + 9 if case == "longer_than_the_window" else 20
    inputs = random_inputs(length=length)
    positions = torch.tensor([[1, 5, 19], [0, 2, 7]])
    past = {}
    if case == "packed":
        inputs["position_ids"] = torch.cat([torch.arange(8), torch.arange(length - 8)]).expand(2, -1)
    elif case == "padded":
        inputs["attention_mask"] = torch.ones(2, length, dtype=torch.long)
        inputs["attention_mask"][0, :3] = 0
        positions[0, 0] = 4
    elif case == "past":
        past = {"input_ids": torch.tensor([[7, 8, 9], [9, 8, 7]])}

    def last_hidden_state(**kwargs):
        cache = model.model(**past, use_cache=True).past_key_values if past else None
        return model.model(**inputs, past_key_values=cache, **kwargs).last_hidden_state

    expected = last_hidden_state().take_along_dim(positions[..., None], dim=1)
    torch.testing.assert_close(last_hidden_state(positions_to_keep=positions), expected, atol=1e-5, rtol=1e-5)


def test_gradients_do_not_depend_on_what_the_last_layer_leaves_out(model, monkeypatch):
    inputs = random_inputs()
    inputs["patch_positions"][..., 1] = inputs["patch_positions"][..., 0] + 1
    labels = torch.full_like(inputs["input_ids"], -100)
    labels[0, 4], labels[0, 9], labels[1, 12] = 7, 8, 9

    def gradients():
        model.zero_grad()
        model.train()(**inputs, labels=labels).loss.backward()
        return [parameter.grad.clone() for parameter in model.parameters()]

    alone = gradients()
    monkeypatch.setattr(AttentionContext, "of_queries", lambda *_: None)
    for one, other in zip(alone, gradients(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_recorded_states_are_those_of_all_positions(model):
    inputs = random_inputs()
    outputs = model(**inputs, logits_to_keep=1, output_hidden_states=True)
    assert outputs.logits.shape == (2, 1, VOCAB_SIZE)
    assert all(states.shape == (2, 20, 32) for states in outputs.hidden_states)
    torch.testing.assert_close(outputs.logits, model(**inputs, logits_to_keep=1).logits)


# Regularization


def test_stochastic_depth_skips_whole_sublayers_of_a_row_and_only_in_training(position_type):
    model = tiny_model(position_embedding_type=position_type, drop_path_rate=0.5)
    layer = model.model.layers[0].train()
    update = torch.ones(1000, 2, 3)
    dropped = layer.regularize(update)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropped.amax(dim=(1, 2)) == dropped.amin(dim=(1, 2))).all(), "a row is dropped as a whole"
    assert 0.4 < (dropped[:, 0, 0] == 0).float().mean() < 0.6
    assert (layer.eval().regularize(update) == update).all()


def test_random_actions_can_not_be_learnt_below_their_entropy():
    """A label leak would show here: fresh random actions hold nothing to learn, so their loss is their entropy."""
    torch.manual_seed(0)
    num_actions, first_action = 8, 20
    model = tiny_model(initializer_range=0.02, hidden_size=64).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(250):
        inputs = random_inputs(batch=8, length=WINDOW, patches=0, seed=int(torch.randint(2**31, ())))
        is_action = torch.arange(WINDOW) % 3 == 2
        actions = torch.randint(first_action, first_action + num_actions, inputs["input_ids"].shape)
        input_ids = torch.where(is_action, actions, inputs["input_ids"])
        labels = torch.where(is_action, input_ids, -100)
        loss = model(input_ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    entropy = torch.tensor(float(num_actions)).log().item()
    last = sum(losses[-100:]) / 100
    assert losses[0] > entropy + 1, "training has begun above the entropy"
    assert entropy - 0.01 < last < entropy + 0.1


def test_end_of_sequence_is_in_the_generation_config(model):
    assert model.generation_config.eos_token_id == EOS_ID


def test_a_new_model_takes_neighboring_values_for_similar():
    config = tiny_config(hidden_size=64, vocab_size=700, continuous_token_range=[100, 612], initializer_range=0.02)
    table = GatoForCausalLM(config).get_input_embeddings().weight
    values, others = table[100:612], table[612:]
    assert torch.allclose(values.std(), others.std(), rtol=0.05)
    assert (F.cosine_similarity(values[:-1], values[1:]) > 0.95).all()
    assert F.cosine_similarity(values[:256], values[256:]).abs().mean() < 0.5
    assert F.cosine_similarity(others[:-1], others[1:]).abs().mean() < 0.3
