"""Trains a tiny random model for two steps by TRL on folders of rows, as their users would, and prints what TRL made of
the rows as JSON. Arguments: the tokenizer's folder, a folder to work in, then `sft`, `dpo` or `kto` with a folder each.
"""

import json
import logging
import sys

import torch
from datasets import load_dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

# Shows a call's arguments by their keys, so that arguments that are text would show as no keys at all.
TEMPLATE = """{% if tools %}<|im_start|>system
{{ tools | tojson }}<|im_end|>
{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content or "" }}{% for c in m.tool_calls or [] %}{{ c.function.name }}({% for k, v in c.function.arguments.items() %}{{ k }}={{ v }};{% endfor %}){% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

TRAINERS = {"sft": (SFTTrainer, SFTConfig), "dpo": (DPOTrainer, DPOConfig), "kto": (KTOTrainer, KTOConfig)}


class Warned(logging.Handler):
    """Keeps what TRL warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main(tokenizer_folder: str, work: str, *jobs: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    tokenizer.chat_template = TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    warned = Warned()
    logging.getLogger("trl").addHandler(warned)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(1)
    base = f"{work}/tiny"  # as a folder, from which the preference trainers make their reference too
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), num_key_value_heads=2, **shape)).save_pretrained(base)
    found = {}
    for kind, folder, settings in zip(jobs[::3], jobs[1::3], jobs[2::3]):
        model = LlamaForCausalLM.from_pretrained(base)
        trainer_class, config_class = TRAINERS[kind]
        config = config_class(
            output_dir=f"{work}/{kind}",
            max_steps=2,
            per_device_train_batch_size=2,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            logging_steps=1,
            **json.loads(settings),
        )
        rows = load_dataset(folder, cache_dir=f"{work}/cache", split="train")
        trainer = trainer_class(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
        trainer.train()
        made = trainer.train_dataset
        texts = {
            name: [tokenizer.decode(ids) for ids in made[name]]
            for name in made.column_names
            if name.endswith("_ids") and not name.startswith("KL")
        }
        if "labels" in made.column_names:
            texts["trained"] = [tokenizer.decode([i for i in labels if i >= 0]) for labels in made["labels"]]
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        found[kind] = {"texts": texts, "losses": losses, "rows": len(made)}
    print(json.dumps({**found, "warnings": warned.messages}))


main(*sys.argv[1:])
