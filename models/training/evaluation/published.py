"""What our figures stand beside: those the original reported (behaviour.md §6, §7, §9), and what ours should reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SEED = 7

# klue/roberta-base and, for the tutor's answers, kanana-1.5-2.1b-instruct-2505, each on the original's own test rows;
# ethics: its 5 categories and 190 sentences; seconds: Gemma-2 2B on a Quadro M6000, 25 prompts
ORIGINAL: Mapping[str, float] = {
    "memory_mse": 0.0355,
    "memory_mae": 0.1280,
    "memory_correlation": 0.7449,
    "ethics_accuracy": 0.9632,
    "ethics_mse": 0.0138,
    "ethics_mae": 0.0261,
    "ethics_correlation": 0.9568,
    "ethics_hate_precision": 1.0,
    "ethics_hate_recall": 0.9333,
    "tutor_mse": 0.0274,
    "tutor_mae": 0.1992,
    "tutor_correlation": 0.8681,
    "answer_seconds": 6.33,
}


@dataclass(frozen=True)
class Target:
    """A bound that the bundled models should reach on their held-out rows."""

    bound: float
    sign: str

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"

    def reached(self, value: Any) -> bool | None:
        """None where nothing was measured."""
        if value is None:
            return None
        return bool({"≥": value >= self.bound, "≤": value <= self.bound, "<": value < self.bound}[self.sign])


TARGETS: Mapping[str, Target] = {
    "persona_facts_right": Target(0.95, "≥"),
    "ended_on_mark": Target(0.995, "≥"),
    "no_reply": Target(0.01, "<"),
    "number_prefixed": Target(0.0, "≤"),
    "answer_ended_on_mark": Target(0.995, "≥"),
    "answer_no_reply": Target(0.01, "<"),
    "answer_number_prefixed": Target(0.0, "≤"),
    "extraction_f1": Target(0.75, "≥"),
    "extraction_nothing_right": Target(0.95, "≥"),
    "expression_all_equal": Target(0.70, "≥"),
    "expression_within_one": Target(0.95, "≥"),
    "ethics_accuracy": Target(0.93, "≥"),
    "ethics_macro_recall": Target(0.80, "≥"),
    "false_sanctions_chatbot": Target(0.001, "<"),
    "false_sanctions_chatbot_unseen": Target(0.001, "<"),
    "memory_correlation": Target(0.70, "≥"),
    "tutor_right_first": Target(0.85, "≥"),
    "tutor_no_match_recognised": Target(0.80, "≥"),
}
