# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.

import functools
import operator
from collections import Counter

import numpy as np
import pytest
from helpers.sources import source_of, spaces_of
from hypothesis import given, settings
from hypothesis import strategies as st

from gato_hub.data.collect import collect
from gato_hub.training.mixture import Mixture, MixturePart, Turns
from gato_hub.training.mixture_report import measure_mixture
from tokenization_gato import GatoProcessor

WEIGHTS = {"babyai/go-to-local": 3.0, "metaworld/reach": 2.0, "classic-control/pendulum": 2.0, "captions/shapes": 1.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demonstrations")
    # More files than a stream holds.
    collect(["babyai/go-to-local"], folder, 48, workers=0, chunk_size=6)
    collect([task for task in WEIGHTS if not task.startswith("babyai")], folder, 6, workers=0)
    return folder


@pytest.fixture(scope="module")
def processor():
    return GatoProcessor(repeat_text_observations=False)


@pytest.fixture(scope="module")
def make_mixture(folder, processor):
    def make(length=128, seed=0, streaming=False, tasks=WEIGHTS, num_rows=100_000, context_steps=None, **options):
        parts = [
            MixturePart(
                task,
                source_of(folder, task, streaming=streaming),
                weight,
                **spaces_of(task),
                context_steps=context_steps,
            )
            for task, weight in WEIGHTS.items()
            if task in tasks
        ]
        return Mixture(parts, processor, length, num_rows, seed, **options)

    return make


def tokens_of(row):
    return [window.sequence.input_ids.tolist() for window in row.windows]


# ---------------------------------------------------------------------------------------------------------------
# Shares
# ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    weights=st.lists(st.floats(0.01, 10.0), min_size=1, max_size=30),
    seed=st.integers(0, 2**32 - 1),
    start=st.integers(0, 10**6),
)
def test_each_task_has_its_share_of_any_stretch_of_rows(weights, seed, start):
    turns = Turns(weights, seed)
    counts = np.bincount([turns(row)[0] for row in range(start, start + 1000)], minlength=len(weights))
    np.testing.assert_allclose(counts / 1000, np.array(weights) / sum(weights), atol=0.006)


@given(weights=st.lists(st.floats(0.1, 10.0), min_size=2, max_size=6), seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_turns_of_a_task_are_numbered_without_gaps_also_across_blocks(weights, seed):
    turns, edge = Turns(weights, seed), 2**16
    seen = {}
    for row in range(edge - 300, edge + 300):
        part, number = turns(row)
        assert number == seen.get(part, number - 1) + 1
        seen[part] = number
    # Asked for in another order, the same.
    assert Turns(weights, seed)(edge + 299) == (part, number)


@pytest.mark.slow
def test_mixture_over_many_windows(make_mixture):
    mixture = make_mixture(length=192)
    measured = measure_mixture(mixture, 3000)
    assert measured["windows"] >= 3000
    assert measured["full"] == 1.0
    assert measured["prompted"] == pytest.approx(0.25, abs=0.02)
    assert measured["from_end"] == pytest.approx(0.5, abs=0.06)
    for about in measured["tasks"].values():
        assert about["token_share"] == pytest.approx(about["weight"], abs=0.01)


def test_no_window_holds_two_tasks_and_none_sees_another(make_mixture):
    mixture = make_mixture(length=192)
    rows = [mixture[number] for number in range(40)]
    batch = mixture.collate(rows)
    assert batch["part_ids"].tolist() == [row.part for row in rows]
    for number, row in enumerate(rows):
        # Attention begins anew wherever a position does not follow on the one before it.
        begins = (batch["position_ids"][number].diff() != 1).nonzero().flatten() + 1
        assert begins.tolist() == np.cumsum([len(window) for window in row.windows])[:-1].tolist()
        assert batch["input_ids"][number].tolist() == functools.reduce(operator.iadd, tokens_of(row), [])
        is_document = mixture.parts[row.part].name.startswith("captions")
        assert all((len(window.sequence.step_starts) == 0) == is_document for window in row.windows)


# ---------------------------------------------------------------------------------------------------------------
# Rows
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("streaming", [False, True])
def test_a_row_depends_on_its_number_and_the_seed_alone(make_mixture, streaming):
    one, other = make_mixture(streaming=streaming), make_mixture(streaming=streaming)
    forwards = [tokens_of(one[row]) for row in range(30)]
    assert [tokens_of(other[row]) for row in reversed(range(30))] == forwards[::-1]
    assert [tokens_of(make_mixture(seed=1)[row]) for row in range(30)] != forwards


def test_all_episodes_come_before_any_comes_again(make_mixture):
    mixture = make_mixture(tasks=("babyai/go-to-local",), prompt_probability=0.0, length=64)
    drawer, seen, turn = mixture._drawers[0], Counter(), 0
    while seen.total() < 2 * len(drawer._rows):
        count = len(drawer.windows(turn, np.random.default_rng(turn)))
        seen.update(drawer._row_at(int(turn * drawer._windows_a_row) + place) for place in range(count))
        turn += 1
    # Rows don't all hold as many windows: near the joints of rows an episode may be left out or come twice.
    assert len(seen) >= 0.95 * 48 and max(seen.values()) <= 6


def test_labels_are_told_by_kind(make_mixture, processor):
    mixture = make_mixture(length=192)
    batch = mixture.collate([mixture[number] for number in range(40)])
    vocabulary = processor.vocabulary
    for kind, ids in {0: vocabulary.text, 2: vocabulary.continuous, 3: range(7)}.items():
        labels = batch["labels"][(batch["label_kinds"] == kind) & (batch["labels"] != -100)]
        assert len(labels) and ids.start <= labels.min() and labels.max() < ids.stop


def test_a_window_at_the_end_of_a_row_is_cut_within_its_last_step(make_mixture):
    mixture = make_mixture(tasks=("metaworld/reach",), length=100, prompt_probability=0.0)
    for number in range(10):
        assert sum(len(window) for window in mixture[number].windows) == 100


@pytest.mark.parametrize("prompt_probability", [0.0, 1.0])
def test_windows_of_a_few_steps(make_mixture, processor, prompt_probability):
    """Each holds so many, but for the last of a row."""
    mixture = make_mixture(
        tasks=("metaworld/reach",), length=200, context_steps=3, prompt_probability=prompt_probability
    )
    separator = processor.vocabulary.separator_token_id
    counts = Counter()
    for number in range(60):
        windows = mixture[number].windows
        assert sum(map(len, windows)) == 200
        for window in windows[:-1]:
            steps = np.count_nonzero(window.sequence.input_ids == separator)
            counts[steps] += 1
            assert steps == 3 or (window.prompt and steps > 3)
    assert sum(counts.values()) > 60 * (3 if prompt_probability == 0.0 else 0.5)


# ---------------------------------------------------------------------------------------------------------------
# Errors
# ---------------------------------------------------------------------------------------------------------------


def test_a_step_longer_than_a_row(make_mixture):
    with pytest.raises(
        ValueError, match="metaworld/reach, row 0: a timestep has 16 tokens, more than sequence.length=12"
    ):
        make_mixture(length=12, tasks=("metaworld/reach",))


def test_mixtures_of_nothing_and_of_bad_weights(processor, folder):
    with pytest.raises(ValueError, match="at least one part"):
        Mixture([], processor, 64, 10)
    source = source_of(folder, "captions/shapes")
    for weight in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="the weight of captions must be a positive number"):
            Mixture([MixturePart("captions", source, weight)], processor, 64, 10)
        with pytest.raises(ValueError, match="the label weight of captions must be a positive number"):
            Mixture([MixturePart("captions", source, 1.0, label_weight=weight)], processor, 64, 10)


def test_a_row_past_the_end(make_mixture):
    with pytest.raises(IndexError, match="there are 5 rows, 5 was asked for"):
        make_mixture(num_rows=5)[5]


@pytest.mark.parametrize("streaming", [False, True])
def test_the_first_steps_of_episodes_alone_can_be_shown(folder, streaming):
    whole = source_of(folder, "babyai/go-to-local", streaming=streaming)
    cut = source_of(folder, "babyai/go-to-local", streaming=streaming, max_steps=4)
    np.testing.assert_array_equal(cut.lengths, np.minimum(whole.lengths, 4))
    longest = int(whole.lengths.argmax())
    assert whole.lengths[longest] > 4
    for name, column in whole[longest].items():
        shown = cut[longest][name]
        if name.endswith(("_actions", "_observations")) and column is not None:
            assert len(shown) == 4
            column = column[:4]
        np.testing.assert_array_equal(shown, column)
    documents = source_of(folder, "captions/shapes", streaming=streaming, max_steps=4)
    assert documents[0]["text"] == source_of(folder, "captions/shapes", streaming=streaming)[0]["text"]
    np.testing.assert_array_equal(documents.lengths, source_of(folder, "captions/shapes").lengths)


def test_no_steps_at_all_are_refused(folder):
    with pytest.raises(ValueError, match="max_steps must be at least 1, got 0"):
        source_of(folder, "babyai/go-to-local", max_steps=0)
