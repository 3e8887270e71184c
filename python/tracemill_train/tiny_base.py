"""Verb `tiny-base`: a random model of a few thousand weights in the same forms as a real base; a llama unless asked else.

For tests: it loads in milliseconds everywhere a real base does (transformers, llama.cpp), with a byte-level BPE
tokenizer and ChatML template of the same form as SmolLM2's. What it says is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from .base import digits_apart
from .events import Emit
from .hf_gguf import write_gguf
from .refusal import Refusal
from .tiny_families import CONFIGS, SHAPE, build_tiny

VOCABULARY = 512
CONTEXT_TOKENS = SHAPE["max_position_embeddings"]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a tiny model.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEXT = [
    "SELECT name, price FROM products WHERE price > 10 AND stock IS NOT NULL ORDER BY price DESC LIMIT 3;",
    "SELECT city, COUNT(*) AS n, AVG(age) FROM customers GROUP BY city HAVING COUNT(*) >= 2 ORDER BY n;",
    "SELECT DISTINCT o.status FROM orders o JOIN customers c ON o.customer_id = c.id WHERE c.name LIKE 'A%';",
    "SELECT SUM(amount), MIN(amount), MAX(amount) FROM payments WHERE paid_on BETWEEN '2024-01-01' AND '2024-12-31';",
    "CREATE TABLE books (id INTEGER, title VARCHAR, author VARCHAR, year INTEGER, rating DOUBLE, is_new BOOLEAN);",
    "You write one SQL query for DuckDB. Answer with the query only. Question: how many rows are in the table?",
    "system user assistant\nList the names of all employees who work in the sales department, highest salary first.",
    "The table has the columns id, name, department, salary and hired_on. Which department has the most employees?",
]


@dataclass(frozen=True)
class Request:
    """The folder to write, the seed of the weights, the model's family (one of `tiny_families.CONFIGS`) and hidden size."""

    out: Path
    seed: int
    family: str = "llama"
    width: int = 64


def run(request: Request, emit: Emit) -> dict[str, object]:
    """Writes `out/hf/`, and for a llama `out/model-f16.gguf`; the same seed gives the same bytes."""
    if request.family not in CONFIGS:
        raise Refusal("BAD_REQUEST", "No such tiny model.", expected=", ".join(CONFIGS), got=request.family)
    tokenizer = build_tokenizer()
    model = build_tiny(request.family, VOCABULARY, request.seed, request.width)
    folder = request.out / "hf"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    served = request.out / "model-f16.gguf" if request.family == "llama" else None
    if served is not None:
        write_gguf(folder, served, emit)
    return {
        "hf": str(folder),
        "gguf": None if served is None else str(served),
        "source": f"tiny-base, seed {request.seed}",
        "architecture": request.family,
    }


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Trains a byte-level BPE on `TEXT`; digits stand alone, as in SmolLM2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = digits_apart()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        TEXT,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=SPECIALS,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=SPECIALS[0],
        bos_token=SPECIALS[1],
        eos_token=SPECIALS[2],
        pad_token=SPECIALS[2],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
