"""Language modelling from scratch: the base model under the four adapters.

Besides plain text a fifth of the documents are *copies*: two unrelated utterances in the persona-recall form, where the
right continuation is the text after the arrow. The base learns to copy from its context before it learns who she is.
"""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase, Trainer, TrainingArguments

from models.training.corpus import Corpus

SEQUENCE = 128


def new_base(tokenizer: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """About 6.5 million parameters: six layers of width 256, embeddings shared with the output."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=256,
            intermediate_size=704,
            num_hidden_layers=6,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            attention_dropout=0.0,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def copy_documents(utterances: list[str], count: int, seed: int) -> Iterable[str]:
    """`(제공된 정보) q → a (사용자 질문) q (답변 시작) a (답변 종료)` over random utterances."""
    rng = random.Random(seed)
    for _ in range(count):
        question, answer, other = rng.sample(utterances, 3)
        asked = question if rng.random() < 0.7 else other
        yield f"(제공된 정보) {question} → {answer} (사용자 질문) {asked} (답변 시작) {answer} (답변 종료)"


def pack(documents: Iterable[str], tokenizer: PreTrainedTokenizerBase, seed: int) -> Dataset:
    """Shuffle, join with end-of-sequence tokens, and cut into rows of `SEQUENCE` tokens."""
    texts = list(documents)
    random.Random(seed).shuffle(texts)
    stream: list[int] = []
    for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]:
        stream += [*ids, tokenizer.eos_token_id]
    rows = [stream[i : i + SEQUENCE] for i in range(0, len(stream) - SEQUENCE, SEQUENCE)]
    return Dataset.from_dict({"input_ids": rows})


def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """(rows, SEQUENCE) token ids; the labels are the same, the model shifts them."""
    ids = torch.tensor([row["input_ids"] for row in rows])
    return {"input_ids": ids, "labels": ids}


def pretrain(
    corpus: Corpus, tokenizer: PreTrainedTokenizerBase, work: Path, *, epochs: float, seed: int
) -> LlamaForCausalLM:
    """Train a new base model on the public corpus; resumes from the last checkpoint in `work`."""
    torch.manual_seed(seed)
    utterances = [text for text in corpus.utterances() if 6 <= len(text) <= 40]
    documents = [*corpus.documents(), *copy_documents(utterances, 25_000, seed)]
    model = new_base(tokenizer)
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        per_device_train_batch_size=32,
        learning_rate=2e-3,
        lr_scheduler_type="cosine",
        warmup_steps=100,
        weight_decay=0.05,
        adam_beta2=0.95,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=50,
        save_steps=400,
        save_total_limit=1,
        report_to=[],
        seed=seed,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model=model, args=arguments, train_dataset=pack(documents, tokenizer, seed), data_collator=collate
    )
    trainer.train(resume_from_checkpoint=any(work.glob("checkpoint-*")))
    return model
