"""A model folder as models.registry describes it, random weights, nothing trained.

`python -m tests.tiny_profile FOLDER`; tests make it so, in a process of its own, and stay free of torch.

Its encoders and adapters say nothing sensible, but all of them say something of their own, always the same.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel, PreTrainedTokenizerBase

from core.tasks import TASKS
from models.registry import packed
from models.training.tokenizer import train_tokenizer

WIDTH = 32
SENTENCES = (
    "안녕 로라야 오늘 뭐 했어?",
    "나는 오로라야! 샘올대학교 인공지능학과에 다녀 😊",
    "내일은 혜나랑 카페에 갈 거야",
    "좋아하는 가수가 누구야? 에스파 좋아해!",
    "눈 크게, 입 보통, 고개 돌림 없음",
    "오늘 날씨가 정말 좋다. 산책하러 갈까?",
)
RECALL = (
    {"question": "이름이 뭐야?", "answer": "나는 오로라야!", "kind": "plain"},
    {"question": "몇 살이야?", "answer": "{age}살이야", "kind": "plain"},
    {"question": "[이름: 민수] 내 이름 뭐게", "answer": "민수!", "kind": "memory"},
)


def make_tiny_profile(root: Path, seed: int = 0) -> Path:
    """Write all files of a profile under `root`; two layers of width 32."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(SENTENCES * 5, root / "base")
    LlamaForCausalLM(_config(tokenizer)).save_pretrained(root / "base")
    for task in TASKS:
        lora = LoraConfig(
            r=4, lora_alpha=64, init_lora_weights=False, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
        )
        base = LlamaForCausalLM.from_pretrained(root / "base")
        get_peft_model(base, lora).save_pretrained(str(root / "adapters" / task.name))
    for name in ("memory_encoder", "ethics_encoder"):
        _make_encoder(root / name, tokenizer)
    rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in RECALL)
    (root / "recall.jsonl").write_text(rows, encoding="utf-8")
    prompts, contexts = packed(torch.randn(len(RECALL), WIDTH).numpy()), packed(torch.randn(1, WIDTH).numpy())
    save_file({"prompts": prompts, "contexts": contexts}, root / "recall.safetensors")
    acts = {"love": 0.98, "politics": 0.95, "insult": 0.9, "hate": 0.9}
    # a veto below every cosine: random encoders punish nobody
    stored = {"memory": 0.6, "recall": 0.9, "ethics": {"acts": acts, "veto": -1.0}, "version": "tiny-0"}
    (root / "thresholds.json").write_text(json.dumps(stored), encoding="utf-8")
    return root


def _config(tokenizer: PreTrainedTokenizerBase) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )


def _make_encoder(path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    trunk = path.with_name(f"{path.name}.trunk")
    LlamaModel(_config(tokenizer)).save_pretrained(trunk)
    tokenizer.save_pretrained(trunk)
    transformer = Transformer(str(trunk), max_seq_length=128)
    modules = [transformer, Pooling(transformer.get_embedding_dimension()), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(path), create_model_card=False)


if __name__ == "__main__":
    make_tiny_profile(Path(sys.argv[1]))
