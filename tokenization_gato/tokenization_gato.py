# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""The vocabulary: which ids each kind of token has, and a text tokenizer extended so that every id has a name.

Gato writes all that it sees and does as one sequence of integers (A Generalist Agent, section 2.1). Text keeps the ids
of its own tokenizer. Then come the ids of continuous values, one separator between observation and action, and one
placeholder that stands for an image patch.
"""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, TokenizersBackend

CONTINUOUS_TOKEN = "<continuous_{}>"
DISCRETE_TOKEN = "<discrete_{}>"
SEPARATOR_TOKEN = "<separator>"
IMAGE_TOKEN = "<image>"
PAD_TOKEN = "<pad>"
EOS_TOKEN = "<eos>"

TOKEN_KINDS = ("text", "continuous", "discrete", "separator", "image", "special")

# Size of the default text tokenizer. The 1024 discrete values find room in it, because they share ids with text.
DEFAULT_TEXT_SIZE = 1280

# The default tokenizer is trained on instructions of gridworlds, words of control tasks, and common English.
_INSTRUCTION_WORDS = """
go to the a an red green blue purple yellow grey gray ball box key door goal object tile floor wall lava room agent
pick up put next to open close toggle drop move turn left right forward backward behind front of in your you and then
after before unlock find reach push pull place get use fetch carry touch avoid cross through corridor hidden locked
opened closed mission match matching memory maze four rooms obstacle obstacles dynamic simple crossing empty
"""
_CONTROL_WORDS = """
action actions observation observations reward rewards episode episodes step steps state states policy expert random
environment space task tasks success fail failure position velocity angle torque force joint hand arm gripper robot
drawer window button handle lever faucet hammer nail peg hole basket coffee plate dial stick shelf sweep assemble
press slide insert lock soccer basketball walk run jump hop stand swim crawl balance swing pendulum cart pole mountain
car lander taxi cliff frozen lake cheetah hopper walker ant humanoid reacher pusher swimmer score game player level
lives life ball paddle ship enemy fire shoot north south east west noop image video frame pixel camera view scene
"""
_COMMON_WORDS = """
the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not
what all were we when your can said there use an each which she do how their if will up other about out many then them
these so some her would make like him into time has look two more write see number no way could people my than first
water been call who oil its now find long down day did get come made may part over new sound take only little work
know place year live me back give most very after thing our just name good sentence man think say great where help
through much before line right too mean old any same tell boy follow came want show also around form three small set
put end does another well large must big even such because turn here why ask went men read need land different home us
move try kind hand picture again change off play spell air away animal house point page letter mother answer found
study still learn should world high every near add food between own below country plant last school father keep tree
never start city earth eye light thought head under story saw left late run while close night real life few north open
seem together next white children begin got walk example ease paper group always music those both mark often until
mile river car feet care second book carry took science eat room friend began idea fish mountain stop once base hear
horse cut sure watch color face wood main enough plain girl usual young ready above ever red list though feel talk
bird soon body dog family direct pose leave song measure door product black short class wind question happen complete
ship area half rock order fire south problem piece told knew pass since top whole king space heard best hour better
true during hundred five remember step early hold west ground interest reach fast verb sing listen six table travel
less morning ten simple several toward war lay against pattern slow center love person money serve appear road map
rain rule govern pull cold notice voice unit power town fine certain fly fall lead cry dark machine note wait plan
figure star box noun field rest correct able pound done beauty drive stood contain front teach week final gave green
quick develop ocean warm free minute strong special mind clear tail produce fact street inch nothing course stay wheel
full force blue object decide surface deep moon island foot system busy test record boat common gold possible plane
dry wonder laugh thousand ago ran check game shape yes hot miss brought heat snow tire bring fill east paint language
among zero one two three four five six seven eight nine ten eleven twelve yellow brown orange pink purple grey woman
user assistant question picture image photo caption describe standing sitting holding wearing riding playing street
building grass sky beach train bus plate
"""


@dataclass(frozen=True)
class GatoVocabulary:
    """Says which ids each kind of token has (A Generalist Agent, section 2.1).

    In the order of their ids: text, continuous values, discrete values if they have ids of their own, the separator
    between observation and action, the placeholder of an image patch, special tokens that the text tokenizer lacked.

    Args:
        text_size: Number of ids of the text tokenizer; 32000 in the paper.
        num_bins: Number of bins of a continuous value.
        num_discrete: Number of discrete values.
        share_discrete_with_text: Whether discrete value i has the id of text token i, as in the paper. Otherwise
            discrete values get the ids that follow those of continuous values.
        num_added_specials: Number of special tokens after the image placeholder.

    Raises:
        TypeError, ValueError: for a size that is no positive integer, or if shared text ids are fewer than the
            discrete values.
    """

    text_size: int
    num_bins: int = 1024
    num_discrete: int = 1024
    share_discrete_with_text: bool = True
    num_added_specials: int = 0

    def __post_init__(self) -> None:
        for name in ("text_size", "num_bins", "num_discrete", "num_added_specials"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{name} must be an integer, got {value!r}")
            minimum = 0 if name == "num_added_specials" else 1
            if value < minimum:
                raise ValueError(f"{name} must be at least {minimum}, got {value}")
        if self.share_discrete_with_text and self.text_size < self.num_discrete:
            raise ValueError(
                f"share_discrete_with_text needs text_size >= num_discrete, got text_size={self.text_size} and "
                f"num_discrete={self.num_discrete}: use a larger text tokenizer or share_discrete_with_text=False"
            )

    @property
    def text(self) -> range:
        """The ids of the text tokenizer."""
        return range(0, self.text_size)

    @property
    def continuous(self) -> range:
        """The ids of the bins of continuous values."""
        return range(self.text_size, self.text_size + self.num_bins)

    @property
    def discrete(self) -> range:
        """The ids of the discrete values."""
        start = 0 if self.share_discrete_with_text else self.continuous.stop
        return range(start, start + self.num_discrete)

    @property
    def separator_token_id(self) -> int:
        """The id of the token between a timestep's observation and its action."""
        return max(self.continuous.stop, self.discrete.stop)

    @property
    def image_token_id(self) -> int:
        """The id of the placeholder that stands where an image patch is embedded."""
        return self.separator_token_id + 1

    @property
    def size(self) -> int:
        """The number of ids: the model's vocab_size."""
        return self.image_token_id + 1 + self.num_added_specials

    def kind(self, ids: Any) -> np.ndarray:
        """Returns the kind of each id, one of TOKEN_KINDS. An id that text and discrete values share is "text".

        Args:
            ids: Integers of any shape.

        Returns:
            An array of strings in the shape of `ids`.

        Raises:
            TypeError, ValueError: for ids that are no integers, or outside [0, size).
        """
        ids = np.asarray(ids)
        if ids.dtype.kind not in "iu":
            raise TypeError(f"ids must be integers, got an array of {ids.dtype}")
        if ids.size and (ids.min() < 0 or ids.max() >= self.size):
            raise ValueError(f"ids must lie in [0, {self.size}), got values from {ids.min()} to {ids.max()}")
        starts = [self.text.stop, self.continuous.stop, self.separator_token_id, self.image_token_id]
        return np.array(TOKEN_KINDS)[np.searchsorted([*starts, self.image_token_id + 1], ids, side="right")]

    def value_token_names(self) -> list[str]:
        """Lists the names of the added tokens before the special ones, in the order of their ids."""
        names = [CONTINUOUS_TOKEN.format(index) for index in range(self.num_bins)]
        if not self.share_discrete_with_text:
            names += [DISCRETE_TOKEN.format(index) for index in range(self.num_discrete)]
        return [*names, SEPARATOR_TOKEN, IMAGE_TOKEN]


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    num_bins: int = 1024,
    num_discrete: int = 1024,
    share_discrete_with_text: bool = True,
) -> tuple[PreTrainedTokenizerBase, GatoVocabulary]:
    """Adds a name for every id of the vocabulary: "<continuous_0>" ..., "<separator>", "<image>", "<pad>", "<eos>".

    All added tokens are special, so `decode(ids, skip_special_tokens=True)` returns text alone. A tokenizer that
    already has them, because a processor saved it, is returned as it is; any other is copied first.

    Args:
        tokenizer: The text tokenizer.
        num_bins, num_discrete, share_discrete_with_text: See `GatoVocabulary`.

    Returns:
        The tokenizer, which pads on the left if it was extended here, and the vocabulary, with `len(tokenizer) ==
        vocabulary.size`.

    Raises:
        TypeError: if `tokenizer` is no tokenizer of transformers.
        ValueError: if its ids have gaps, or some of the names have other ids.
    """
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise TypeError(f"tokenizer must be a tokenizer of transformers, got {type(tokenizer).__name__}")
    known_ids = tokenizer.get_vocab()
    first_name = CONTINUOUS_TOKEN.format(0)
    already_extended = first_name in known_ids
    text_size = known_ids[first_name] if already_extended else len(tokenizer)
    layout = GatoVocabulary(text_size, num_bins, num_discrete, share_discrete_with_text)
    names = layout.value_token_names()
    if not already_extended:
        tokenizer = _extended_copy(tokenizer, names)
        known_ids = tokenizer.get_vocab()
    for offset, name in enumerate(names):
        if known_ids.get(name) != text_size + offset:
            raise ValueError(
                f"the tokenizer must hold {name} at id {text_size + offset}, got {known_ids.get(name)}: it was "
                f"extended for other values than num_bins={num_bins}, num_discrete={num_discrete}, "
                f"share_discrete_with_text={share_discrete_with_text}"
            )
    vocabulary = GatoVocabulary(
        text_size, num_bins, num_discrete, share_discrete_with_text, len(tokenizer) - layout.size
    )
    return tokenizer, vocabulary


def _extended_copy(tokenizer: PreTrainedTokenizerBase, names: list[str]) -> PreTrainedTokenizerBase:
    """Returns a copy with the names as special tokens, and with a padding and an end token."""
    known_ids, text_size = tokenizer.get_vocab(), len(tokenizer)
    if len(known_ids) != text_size or max(known_ids.values(), default=-1) != text_size - 1:
        raise ValueError(
            f"the ids of the tokenizer must be 0, 1, 2, ... without a gap, got {len(known_ids)} tokens, "
            f"length {text_size} and a highest id of {max(known_ids.values(), default=None)}"
        )
    taken = [name for name in names if name in known_ids]
    if taken:
        raise ValueError(f"the tokenizer already has tokens with the names {taken[:5]}: rename them first")
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.padding_side = "left"
    _add_special_tokens(tokenizer, names)
    if tokenizer.pad_token is None:
        _add_special_tokens(tokenizer, [PAD_TOKEN])
        tokenizer.pad_token = PAD_TOKEN
    if tokenizer.eos_token is None:
        _add_special_tokens(tokenizer, [EOS_TOKEN])
        tokenizer.eos_token = EOS_TOKEN
    return tokenizer


def _add_special_tokens(tokenizer: PreTrainedTokenizerBase, names: list[str]) -> None:
    tokens = [AddedToken(name, special=True, normalized=False) for name in names]
    tokenizer.add_tokens(tokens, special_tokens=True)


def default_tokenizer() -> PreTrainedTokenizerBase:
    """Builds a small byte-level BPE tokenizer in code: it encodes any text, and nothing is downloaded.

    It has 1280 ids: 256 bytes, pieces of common English words and of instructions, "<pad>" and "<eos>" last. For real
    text use `train_tokenizer` on your own corpus, or the tokenizer of a language model.
    """
    instructions = _INSTRUCTION_WORDS.split()
    words = instructions + _CONTROL_WORDS.split() + _COMMON_WORDS.split()
    # Each word stands alone as well, because a text may begin with it; words of instructions come three more times,
    # so that each becomes a single token.
    lines = [" ".join(words), *words] + ["the " + " ".join(instructions)] * 3
    return train_tokenizer(lines, vocab_size=DEFAULT_TEXT_SIZE)


def train_tokenizer(texts: Iterable[str], vocab_size: int = 32000) -> PreTrainedTokenizerBase:
    """Trains a byte-level BPE tokenizer on a corpus.

    Args:
        texts: The corpus, one string a document.
        vocab_size: Number of ids, 32000 in the paper (section 2.1); the last two are "<pad>" and "<eos>". A small
            corpus gives fewer.

    Returns:
        A `TokenizersBackend`, which `AutoTokenizer` loads without this package.

    Raises:
        TypeError, ValueError: for a corpus that is one string or empty, or a vocab_size below 258.
    """
    if isinstance(texts, str):
        raise TypeError("texts must be an iterable of strings, got one string")
    num_specials = 2
    if vocab_size < 256 + num_specials:
        raise ValueError(f"vocab_size must be at least 258 (256 bytes and two special tokens), got {vocab_size}")
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - num_specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    num_texts = 0

    def counted() -> Iterator[str]:
        nonlocal num_texts
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"texts must hold strings, got {type(text).__name__} at index {num_texts}")
            num_texts += 1
            yield text

    backend.train_from_iterator(counted(), trainer)
    if num_texts == 0:
        raise ValueError("texts must hold at least one string, got none")
    # They are added after training to get the last ids, which discrete values don't share.
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (PAD_TOKEN, EOS_TOKEN)])
    return TokenizersBackend(
        tokenizer_object=backend,
        pad_token=PAD_TOKEN,
        eos_token=EOS_TOKEN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


__all__ = ["TOKEN_KINDS", "GatoVocabulary", "default_tokenizer", "extend_tokenizer", "train_tokenizer"]
