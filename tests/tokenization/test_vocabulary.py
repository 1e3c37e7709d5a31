# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, TokenizersBackend

from tokenization_gato import GatoVocabulary, default_tokenizer, extend_tokenizer, train_tokenizer


def word_tokenizer(num_words: int, **kwargs) -> TokenizersBackend:
    """A tokenizer of made-up words, without special tokens unless `kwargs` name some."""
    backend = Tokenizer(models.WordLevel({f"word{index}": index for index in range(num_words)}, unk_token="word0"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return TokenizersBackend(tokenizer_object=backend, **kwargs)


def test_ids_of_the_paper():
    vocabulary = GatoVocabulary(32000)
    assert vocabulary.text == range(0, 32000)
    assert vocabulary.continuous == range(32000, 33024)
    assert vocabulary.discrete == range(0, 1024)
    assert vocabulary.separator_token_id == 33024
    assert vocabulary.image_token_id == 33025
    assert vocabulary.size == 33026


def test_discrete_values_may_have_ids_of_their_own():
    vocabulary = GatoVocabulary(32000, share_discrete_with_text=False, num_added_specials=2)
    assert vocabulary.discrete == range(33024, 34048)
    assert (vocabulary.separator_token_id, vocabulary.image_token_id, vocabulary.size) == (34048, 34049, 34052)


@given(
    text_size=st.integers(1, 40),
    num_bins=st.integers(1, 20),
    num_discrete=st.integers(1, 20),
    shared=st.booleans(),
    num_added_specials=st.integers(0, 3),
)
def test_every_id_has_one_kind(text_size, num_bins, num_discrete, shared, num_added_specials):
    if shared:
        text_size = max(text_size, num_discrete)
    vocabulary = GatoVocabulary(text_size, num_bins, num_discrete, shared, num_added_specials)
    kinds = vocabulary.kind(np.arange(vocabulary.size)).tolist()
    expected = ["text"] * text_size + ["continuous"] * num_bins
    expected += [] if shared else ["discrete"] * num_discrete
    assert kinds == expected + ["separator", "image"] + ["special"] * num_added_specials
    assert vocabulary.kind([[0], [vocabulary.separator_token_id]]).tolist() == [["text"], ["separator"]]


def test_default_tokenizer_is_the_same_each_time(tokenizer):
    again = default_tokenizer()
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again("the quick brown fox")["input_ids"] == tokenizer("the quick brown fox")["input_ids"]


def test_default_tokenizer_leaves_the_shared_ids_to_text(tokenizer):
    assert len(tokenizer) == 1280
    assert min(tokenizer.pad_token_id, tokenizer.eos_token_id) >= 1024


def test_words_of_instructions_are_single_tokens(tokenizer):
    mission = "put the green key next to the purple box"
    assert len(tokenizer(mission)["input_ids"]) == len(mission.split())


@given(text=st.text())
def test_any_text_can_be_written_and_read(text, tokenizer):
    ids = tokenizer(text, split_special_tokens=True)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_training_a_tokenizer():
    tokenizer = train_tokenizer(["pick up the grey box"] * 3, vocab_size=270)
    assert len(tokenizer) == 270
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (268, 269)
    assert tokenizer.decode(tokenizer("grey box")["input_ids"]) == "grey box"


def test_a_tokenizer_of_the_papers_size_gives_the_papers_ids():
    tokenizer, vocabulary = extend_tokenizer(word_tokenizer(32000, pad_token="word1", eos_token="word2"))
    assert (vocabulary.text_size, vocabulary.separator_token_id, vocabulary.image_token_id) == (32000, 33024, 33025)
    assert len(tokenizer) == 33026


@pytest.mark.parametrize("shared", [True, False])
def test_every_id_has_a_name_of_its_own(tokenizer, shared):
    extended, vocabulary = extend_tokenizer(tokenizer, share_discrete_with_text=shared)
    assert len(extended) == vocabulary.size
    assert extended.convert_ids_to_tokens(vocabulary.continuous[0]) == "<continuous_0>"
    assert extended.convert_ids_to_tokens(vocabulary.continuous[-1]) == "<continuous_1023>"
    assert extended.convert_ids_to_tokens(vocabulary.separator_token_id) == "<separator>"
    assert extended.convert_ids_to_tokens(vocabulary.image_token_id) == "<image>"
    if not shared:
        assert extended.convert_ids_to_tokens(vocabulary.discrete[5]) == "<discrete_5>"
    names = extended.convert_ids_to_tokens(list(range(vocabulary.size)))
    assert len(set(names)) == vocabulary.size and None not in names


def test_the_callers_tokenizer_stays_as_it_was(tokenizer):
    before = tokenizer.get_vocab()
    extended, _ = extend_tokenizer(tokenizer)
    assert tokenizer.get_vocab() == before
    assert extended is not tokenizer
    assert extended.padding_side == "left"


def test_text_survives_without_the_tokens_of_values(tokenizer):
    extended, vocabulary = extend_tokenizer(tokenizer)
    added = [vocabulary.continuous[7], vocabulary.separator_token_id, vocabulary.image_token_id, extended.eos_token_id]
    ids = extended("go to")["input_ids"] + added + extended(" the door")["input_ids"]
    assert extended.decode(ids, skip_special_tokens=True) == "go to the door"
    assert "<continuous_7><separator><image>" in extended.decode(ids)


def test_a_tokenizer_without_special_tokens_gets_them():
    extended, vocabulary = extend_tokenizer(word_tokenizer(1100))
    assert vocabulary.num_added_specials == 2
    assert (extended.pad_token_id, extended.eos_token_id) == (vocabulary.size - 2, vocabulary.size - 1)
    assert vocabulary.kind([extended.pad_token_id]).item() == "special"


def test_a_tokenizer_with_special_tokens_keeps_them():
    extended, vocabulary = extend_tokenizer(word_tokenizer(1100, pad_token="word1", eos_token="word2"))
    assert vocabulary.num_added_specials == 0
    assert (extended.pad_token_id, extended.eos_token_id) == (1, 2)


@pytest.mark.parametrize("shared", [True, False])
def test_a_saved_tokenizer_is_recognized(tmp_path, shared):
    extended, vocabulary = extend_tokenizer(word_tokenizer(1100), share_discrete_with_text=shared)
    extended.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    again, same_vocabulary = extend_tokenizer(loaded, share_discrete_with_text=shared)
    assert again is loaded
    assert same_vocabulary == vocabulary
    assert again.get_vocab() == extended.get_vocab()


def test_a_tokenizer_extended_for_other_values_is_refused(tokenizer):
    extended, _ = extend_tokenizer(tokenizer, num_bins=512)
    with pytest.raises(ValueError, match="num_bins=1024"):
        extend_tokenizer(extended, num_bins=1024)
    with pytest.raises(ValueError, match="share_discrete_with_text=False"):
        extend_tokenizer(extended, num_bins=512, share_discrete_with_text=False)


def test_ids_with_gaps_are_refused():
    backend = Tokenizer(models.WordLevel({"first": 0, "third": 2}, unk_token="first"))
    with pytest.raises(ValueError, match="without a gap"):
        extend_tokenizer(TokenizersBackend(tokenizer_object=backend), num_discrete=1)


def test_a_name_that_is_taken_is_refused():
    tokenizer = word_tokenizer(1100)
    tokenizer.add_tokens(["<image>"])
    with pytest.raises(ValueError, match="<image>"):
        extend_tokenizer(tokenizer)
