"""The Korean tokenizer of the bundled models: byte-fallback BPE, each structural mark one token.

A mark that is one token keeps prompts short and lets generation stop after a single step; people cannot type one,
because core.text.neutralise takes its brackets off first.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from core.tasks import MARKS

VOCABULARY = 6400
# The emoji our own rows use; in the alphabet, so that each is one token although public text has few of them.
EMOJI = "😊😄😆😍🥰😢😭😮😅🤔😎😴🥺👍💪👋🎉🎂🎵🎮🎓📚🌌✨❄☕🌶🍰🍕🦊💜💚🔥⭐🌙☀☔🙏🤖💤"


def train_tokenizer(documents: Iterable[str], path: Path) -> PreTrainedTokenizerFast:
    """Train on `documents` and save to `path`; the same documents give the same tokenizer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(MARKS),
        min_frequency=3,
        special_tokens=["<pad>", "<eos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))],
        initial_alphabet=list(EMOJI),
        limit_alphabet=2200,
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.add_tokens([AddedToken(mark, lstrip=True, normalized=False) for mark in MARKS])
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        padding_side="left",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )
    wrapped.save_pretrained(path)
    return wrapped
