"""The table models: TableFormers that see the same grid in every table."""

import json
from pathlib import Path
from typing import Any

import torch
from docling.datamodel.pipeline_options import TableFormerMode
from docling.models.stages.table_structure.table_structure_model import TableStructureModel
from docling_ibm_models.tableformer.models.table04_rs.tablemodel04_rs import TableModel04_rs
from safetensors.torch import save_file
from torch import Tensor

from tests.models.checkpoints.solving import inputs_of, seeded, solve

SIZES = {TableFormerMode.ACCURATE: (5, 4), TableFormerMode.FAST: (3, 2)}
"""Rows, the first of them a header, and columns."""
_TAGS = ("<pad>", "<unk>", "<start>", "<end>", "ecel", "fcel", "lcel", "ucel", "xcel", "nl", "ched", "rhed", "srow")
_PIXELS = 128
# TableFormer's code has this width, and 26 million weights with it, whatever tm_config.json says.
_WIDTH = 512
# One byte for each weight of the large layers: TableFormer turns them into 32 bits as it loads them.
_SMALL = torch.float8_e5m2
_LARGE = 100_000
_FILLED_CELL = 2


def build(folder: Path) -> None:
    """Write a checkpoint for each mode below a folder of models."""
    models = folder / TableStructureModel._model_repo_folder / TableStructureModel._model_path
    for mode, (rows, columns) in SIZES.items():
        place = models / mode.value
        place.mkdir(parents=True, exist_ok=True)
        (place / "tm_config.json").write_text(json.dumps(_config(), indent=1))
        with seeded():
            weights = _model(rows, columns).state_dict()
        small = {name: weight.to(_SMALL) if weight.numel() > _LARGE else weight for name, weight in weights.items()}
        save_file(small, place / f"tableformer_{mode.value}.safetensors")


def _config() -> dict[str, Any]:
    return {
        "dataset": {
            "type": "TF_prepared",
            "name": "TF",
            "resized_image": _PIXELS,
            "image_normalization": {"state": True, "mean": [0.9, 0.9, 0.9], "std": [0.2, 0.2, 0.2]},
        },
        "model": {
            "type": "TableModel04_rs",
            "name": "tiny",
            "save_dir": "",
            "enc_image_size": _PIXELS // 16,
            "hidden_dim": _WIDTH,
            "tag_attention_dim": 16,
            "tag_embed_dim": 16,
            "tag_decoder_dim": _WIDTH,
            "bbox_attention_dim": 64,
            "bbox_embed_dim": 16,
            "bbox_classes": 2,
            "enc_layers": 1,
            "dec_layers": 1,
            "nheads": 4,
            "dropout": 0.1,
        },
        "train": {"bbox": True},
        "predict": {"max_steps": 64, "beam_size": 1, "bbox": True, "pdf_cell_iou_thres": 0.05},
        "dataset_wordmap": {"word_map_tag": {tag: index for index, tag in enumerate(_TAGS)}},
    }


def _model(rows: int, columns: int) -> TableModel04_rs:
    config = _config()
    model = TableModel04_rs(config, {"word_map": config["dataset_wordmap"]}, "cpu").eval()
    # Nothing of the image, but the edges that padding adds to it, so that its parts still differ.
    stem, norm = model._encoder._resnet[:2]
    stem.weight.zero_()
    norm.bias.normal_()
    # A cell's box comes from what the cell attends to in the image, so cells have to differ in that, and much.
    for weight in model._bbox_decoder._attention.parameters():
        weight.mul_(7)
    for weight in model.state_dict().values():
        if weight.numel() > _LARGE:
            weight.copy_(weight.to(_SMALL))
    _see_the_grid(model, rows, columns)
    return model


def _see_the_grid(model: TableModel04_rs, rows: int, columns: int) -> None:
    """Run a model with the tags it is to find as its own, then solve for the layers of tags and boxes."""
    tags, boxes, classes = (
        model._tag_transformer._fc,
        model._bbox_decoder._bbox_embed.layers[-1],
        model._bbox_decoder._class_embed,
    )
    wanted = torch.eye(len(_TAGS))[_sequence(rows, columns)]
    with inputs_of(tags) as to_tags, inputs_of(boxes) as to_boxes:
        forced = tags.register_forward_hook(lambda *_: wanted[None, len(to_tags) - 1])
        model.predict(torch.zeros(1, 3, _PIXELS, _PIXELS), 0, 0)
        forced.remove()
    solve(tags, torch.cat(to_tags), wanted)
    solve(boxes, torch.cat(to_boxes), _grid(rows, columns).logit())
    classes.weight.zero_()
    classes.bias.copy_(torch.eye(3)[_FILLED_CELL])


def _sequence(rows: int, columns: int) -> list[int]:
    header, body = [*["ched"] * columns, "nl"], [*["fcel"] * columns, "nl"]
    return [_TAGS.index(tag) for tag in [*header, *body * (rows - 1), "<end>"]]


def _grid(rows: int, columns: int) -> Tensor:
    """Return each cell's centre and size, as parts of the table."""
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    return torch.tensor([((c + 0.5) / columns, (r + 0.5) / rows, 0.9 / columns, 0.9 / rows) for r, c in cells])
