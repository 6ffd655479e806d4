"""The model that describes pictures: a small Idefics3, which SmolVLM is, with one sentence to say.

Each of its words depends on the one before and on nothing else: the colon that ends every prompt starts the sentence.
"""

import json
from pathlib import Path

import torch
from docling.datamodel.pipeline_options import PdfPipelineOptions, PictureDescriptionVlmEngineOptions
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessor,
    PreTrainedTokenizerFast,
)

from tests.models.checkpoints.solving import seeded, solve

TEXT = "A few dark lines and some small words on white paper."
"""What it says of every picture. No word twice, as it would not know which one comes next."""
_START, _END, _PAD = "<|im_start|>", "<end_of_utterance>", "<|im_end|>"
_IMAGE = "<image>"
_SPECIAL = [_PAD, _START, _END, "<|endoftext|>", "<fake_token_around_image>", _IMAGE, "<global-img>"]
# SmolVLM's own.
_CHAT = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
_SIDE, _PATCH, _SCALE = 32, 8, 2
_WIDTH = 64


def build(folder: Path) -> None:
    """Write the checkpoint below a folder of models."""
    options = PdfPipelineOptions().picture_description_options
    assert isinstance(options, PictureDescriptionVlmEngineOptions)
    place = folder / options.model_spec.default_repo_id.replace("/", "--")
    tokenizer = _tokenizer()
    with seeded():
        model = Idefics3ForConditionalGeneration(_config(tokenizer)).eval()
        _learn_the_sentence(model, tokenizer)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(place)
    _save_processor(place, tokenizer)


def _tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes, to which each word of the sentence is one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=_START, eos_token=_END, pad_token=_PAD)


def _config(tokenizer: PreTrainedTokenizerFast) -> Idefics3Config:
    layers = {"hidden_size": _WIDTH, "intermediate_size": _WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2}
    return Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids(_IMAGE),
        scale_factor=_SCALE,
        vision_config={**layers, "image_size": _SIDE, "patch_size": _PATCH},
        text_config={
            **layers,
            "model_type": "llama",
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
    )


def _learn_the_sentence(model: Idefics3ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    language = model.model.text_model
    for layer in language.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    words = tokenizer(f":{TEXT}{_END}").input_ids
    before, after = torch.tensor(words[:-1]), words[1:]
    solve(model.lm_head, language.norm(language.embed_tokens(before)), torch.eye(len(tokenizer))[after])


def _save_processor(place: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write files as SmolVLM has them; transformers would put all of it into processor_config.json."""
    tokenizer.save_pretrained(place)
    Idefics3ImageProcessor(
        size={"longest_edge": _SIDE}, max_image_size={"longest_edge": _SIDE}, do_image_splitting=False
    ).save_pretrained(place)
    processor = {"processor_class": "Idefics3Processor", "image_seq_len": (_SIDE // _PATCH // _SCALE) ** 2}
    (place / "processor_config.json").write_text(json.dumps(processor))
    (place / "chat_template.json").write_text(json.dumps({"chat_template": _CHAT}))
