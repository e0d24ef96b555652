"""A random-weight Qwen2 of about 50,000 parameters, with a tokenizer and a chat template like its larger kin's."""

from __future__ import annotations

from pathlib import Path

from reasonry.torch_extra import quiet
from reasonry.trainers.tokenizer import build_tokenizer
from tests.trainers.examples import conversations

TEMPLATE = (
    "{%- for message in messages -%}"
    "<|turn|>{{ message['role'] + '\\n' + message['content'] }}<|end|>{{ '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|turn|>{{ 'assistant\\n' }}{%- endif -%}"
)


def base_model(folder: Path, template: str = TEMPLATE) -> Path:
    """Write it into `folder`, the same weights each time."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = build_tokenizer(conversations(60), vocabulary=512, max_length=512)
    tokenizer.chat_template = template
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = Qwen2ForCausalLM(config)
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
