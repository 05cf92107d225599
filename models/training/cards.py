"""A model card for each bundled model: what it was trained on, licences, figures, limits."""

import json
from pathlib import Path
from typing import Any

from core.tasks import TASKS
from models.training.evaluation.published import SEED, TARGETS

_SOURCES = """\
| file | licence | used for |
|---|---|---|
| songys/Chatbot_data @ 4cf20d1 | MIT | tokenizer, language modelling, encoders |
| songys/Question_pair @ e84b6f0 | MIT | tokenizer, language modelling, encoders |
| warnikchow/paraKQC @ c16270f | CC BY-SA 4.0 | tokenizer, language modelling, encoders |
| warnikchow/3i4k @ cfa90c1 | CC BY-SA 4.0 | tokenizer, language modelling, encoders |
| kakaobrain/kor-nlu-datasets @ 0df0fe7 (KorSTS, XNLI-ko) | CC BY-SA 4.0 | tokenizer, language modelling, encoders |
| adlnlp/K-MHaS @ ec7a7e7 | CC BY-SA 4.0 | tokenizer, language modelling, ethics encoder |
| models/datasets of this repository | MIT | everything |
"""
_LICENCE = "cc-by-sa-4.0"
_LIMITS = """\
A model of this size speaks about what its rows speak about. It cannot reason, calculate or look anything up, and what
it does not know it answers with something that only sounds like an answer. It was built for 오로라's service, with
the prompts of `core/tasks.py`, and is of little use elsewhere."""


def _of(prefix: str, *contents: str) -> tuple[str, ...]:
    """A language task's figures: content on all rows and by what was unseen of them, form and cost."""
    by_split = [name + unseen for name in contents for unseen in ("", "_unseen_phrasings", "_unseen_intents")]
    form = ("ended_on_mark", "format_errors", "attempts", "tokens", "seconds")
    return tuple(f"{prefix}_{name}" for name in ("rows", *by_split, *form))


_CARDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "base": (
        "Base language model",
        "Llama architecture, six layers of width 256, byte-fallback BPE of 6,400 entries. Pre-trained from scratch on "
        "the public text below, then fine-tuned (all parameters, loss on completions) on our own persona rows in the "
        "four task forms. No public answer is a training target of `output_message`.",
        (),
    ),
    "memory_encoder": (
        "Memory encoder",
        "The first four layers of the pre-trained base with mean pooling; contrastive training on public and own "
        "paraphrases, then cosine-similarity loss on every memory with every message (behaviour.md §6). Beside it, it "
        "learned which persona rows belong to a prompt and which text answers a question to the tutor (behaviour.md "
        "§9): three uses of one set of weights. Its thresholds stand in `../thresholds.json`.",
        (
            "memory_pairs", "memory_correlation", "memory_mse", "memory_mae",
            "memory_right_first", "memory_precision", "memory_recall",
            "tutor_texts", "tutor_questions", "tutor_right_first", "tutor_match_kept", "tutor_no_match_recognised",
            "tutor_mse", "tutor_mae", "tutor_correlation",
        ),
    ),
    "ethics_encoder": (
        "Ethics encoder",
        "The same untuned encoder, tuned on pairs of an utterance and a category name (behaviour.md §7). Its "
        "thresholds stand in `../thresholds.json`: per category the smallest one at which everyday text is hardly ever "
        "sanctioned. It errs towards silence; subtle insults pass.",
        (
            "ethics_rows", "ethics_accuracy", "ethics_mse", "ethics_mae", "ethics_correlation",
            "ethics_hate_precision", "ethics_hate_recall", "ethics_macro_recall",
            "ethics_recall_love", "ethics_recall_politics", "ethics_recall_insult", "ethics_recall_hate",
            "sanctioned", "sanctioned_macro_recall", "sanctioned_lookalikes",
            "ethics_recall", "ethics_recall_zero_width",
            "ethics_recall_spread_jamo", "ethics_recall_full_width", "ethics_recall_spaced", "ethics_recall_repeated",
            "ethics_everyday_acted_on",
            "everyday_questions", "false_sanctions_chatbot", "false_sanctions_chatbot_unseen",
        ),
    ),
}  # fmt: skip
_ADAPTER_FIGURES = {
    "output_message": (
        "persona_questions", "persona_facts_right", "answers", "ended_on_mark", "no_reply", "number_prefixed",
        *_of("answer", "overlap"),
        "answer_empty", "answer_repeated", "answer_distinct_1", "answer_distinct_2",
        "answer_weekday_rows", "answer_weekday_errors", "answer_weekday_errors_said",
    ),
    "summary": _of("summary", "overlap"),
    "memory": _of("extraction", "f1", "nothing_right"),
    "eyes_mouth_pose": _of("expression", "all_equal", "within_one"),
}  # fmt: skip


def write(target: Path, figures: dict[str, Any]) -> None:
    """One README.md beside each model, with the figures that `ohlora evaluate bundled` printed."""
    cards = dict(_CARDS)
    for task in TASKS:
        cards[f"adapters/{task.name}"] = (
            f"LoRA adapter `{task.name}`",
            "LoRA of rank 16 (alpha 16, dropout 0.05, gaussian initialisation, learning rate 3e-4) on the bundled "
            "base, trained with TRL on our own persona rows; loss on the completion only.",
            _ADAPTER_FIGURES.get(task.name, ()),
        )
    for folder, (title, text, names) in cards.items():
        if not (target / folder).is_dir():
            continue
        rows = "\n".join(
            f"| {name} | {figures[name]} | {TARGETS.get(name, '')} |" for name in names if figures.get(name) is not None
        )
        measured = (
            f"\n## Figures\n\n`ohlora evaluate bundled --corpus …`, seed {SEED}, {figures['model']}:\n\n"
            f"| figure | value | wanted |\n|---|---|---|\n{rows}\n"
        )
        card = (
            f"---\nlanguage: ko\nlicense: {_LICENCE}\nlibrary_name: {_library(folder)}\n---\n\n# {title}\n\n{text}\n\n"
            f"## Trained on\n\n{_SOURCES}\nRebuilt by `make bundled CORPUS=…`; seeds stand in "
            f"`models/training/bundled.py`. The weights are shared under {_LICENCE.upper()}, as the text they learned "
            f"from asks.\n"
            f"{measured if rows else ''}\n## Limits\n\n{_LIMITS}\n"
        )
        (target / folder / "README.md").write_text(card, encoding="utf-8")
    (target / "figures.json").write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _library(folder: str) -> str:
    if folder.startswith("adapters"):
        return "peft"
    return "sentence-transformers" if folder.endswith("encoder") else "transformers"
