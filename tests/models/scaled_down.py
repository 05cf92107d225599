"""The original's bases scaled down, random weights, and their adapters: `python -m tests.models.scaled_down FOLDER`.

{base}/base and {base}/adapters/{task}; every adapter names a path of another computer as its base.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, LlamaConfig, PretrainedConfig

from models.adapters import CONFIG
from models.catalogue import BASES
from models.registry import BUNDLED
from models.wide_heads import accept_wide_heads

FOREIGN = r"C:\Users\someone\Documents\models\the_base"
TASKS = {"kanana-1.5-2.1b-base": ("output_message", "summary"), "polyglot-ko-1.3b": ("memory", "eyes_mouth_pose")}


def scaled_down(name: str, tokens: int) -> PretrainedConfig:
    """As published, with less of everything: kanana's heads together are wider than its hidden state."""
    if name == "polyglot-ko-1.3b":
        return GPTNeoXConfig(
            vocab_size=tokens, hidden_size=64, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
            max_position_embeddings=2048, rotary_pct=0.5, use_parallel_residual=True, bos_token_id=0, eos_token_id=0,
            initializer_range=0.3,
        )  # fmt: skip
    return LlamaConfig(
        vocab_size=tokens, hidden_size=56, intermediate_size=252, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=32768, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=0, initializer_range=0.3,
    )  # fmt: skip


def make_scaled_down(root: Path) -> None:
    """Write all of it under `root`."""
    accept_wide_heads()
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED / "base")
    torch.manual_seed(5)
    for name, tasks in TASKS.items():
        base = root / name / "base"
        model = AutoModelForCausalLM.from_config(scaled_down(name, len(tokenizer)))
        model.save_pretrained(base)
        tokenizer.save_pretrained(base)
        for task in tasks:
            make_adapter(base, root / name / "adapters" / task, BASES[name].family.modules)


def make_adapter(base: Path, folder: Path, modules: list[str] | str) -> None:
    config = LoraConfig(r=8, lora_alpha=64, init_lora_weights=False, target_modules=modules, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(str(folder))
    rewrite(folder, base_model_name_or_path=FOREIGN)


def rewrite(folder: Path, **changed: object) -> None:
    stored = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (folder / CONFIG).write_text(json.dumps({**stored, **changed}), encoding="utf-8")


if __name__ == "__main__":
    make_scaled_down(Path(sys.argv[1]))
