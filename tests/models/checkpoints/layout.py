"""The layout model: an RT-DETR v2 that finds the same five boxes on every page.

The decoder's input from the image is a constant, another one for each level of the feature pyramid. A level is one
point, as the image is small, so each level is one query, and the last layers can tell them apart.
"""

from pathlib import Path

import torch
from docling.datamodel.pipeline_options import LayoutObjectDetectionOptions
from docling_core.types.doc import DocItemLabel
from torch import Tensor
from transformers import RTDetrImageProcessor, RTDetrResNetConfig, RTDetrV2Config, RTDetrV2ForObjectDetection

from tests.models.checkpoints.solving import inputs_of, seeded, solve

BOXES = (
    (DocItemLabel.SECTION_HEADER, (0.08, 0.06, 0.92, 0.12)),
    (DocItemLabel.PICTURE, (0.08, 0.14, 0.92, 0.31)),
    (DocItemLabel.CAPTION, (0.08, 0.32, 0.92, 0.36)),
    (DocItemLabel.TABLE, (0.08, 0.37, 0.92, 0.53)),
    (DocItemLabel.TEXT, (0.08, 0.55, 0.92, 0.94)),
)
"""Label, and left, top, right and bottom as parts of the page."""
# In the order of the real model.
LABELS = (
    DocItemLabel.CAPTION,
    DocItemLabel.FOOTNOTE,
    DocItemLabel.FORMULA,
    DocItemLabel.LIST_ITEM,
    DocItemLabel.PAGE_FOOTER,
    DocItemLabel.PAGE_HEADER,
    DocItemLabel.PICTURE,
    DocItemLabel.SECTION_HEADER,
    DocItemLabel.TABLE,
    DocItemLabel.TEXT,
    DocItemLabel.TITLE,
    DocItemLabel.DOCUMENT_INDEX,
    DocItemLabel.CODE,
    DocItemLabel.CHECKBOX_SELECTED,
    DocItemLabel.CHECKBOX_UNSELECTED,
    DocItemLabel.FORM,
    DocItemLabel.KEY_VALUE_REGION,
)
_SURE, _UNLIKELY = 2.0, -6.0
_WIDTH = 32
_SIDE = 32


def build(folder: Path) -> None:
    """Write the checkpoint below a folder of models."""
    place = folder / LayoutObjectDetectionOptions().model_spec.repo_id.replace("/", "--")
    with seeded():
        model = RTDetrV2ForObjectDetection(_config()).eval()
        _forget_the_image(model)
        _find_the_boxes(model)
    model.save_pretrained(place)
    RTDetrImageProcessor(size={"height": _SIDE, "width": _SIDE}).save_pretrained(place)


def _config() -> RTDetrV2Config:
    return RTDetrV2Config(
        backbone_config=RTDetrResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 8, 8, _WIDTH],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            out_features=["stage4"],
        ),
        encoder_in_channels=[_WIDTH],
        encode_proj_layers=[0],
        feat_strides=[_SIDE],
        encoder_hidden_dim=_WIDTH,
        encoder_ffn_dim=_WIDTH,
        encoder_attention_heads=2,
        d_model=_WIDTH,
        decoder_in_channels=[_WIDTH],
        num_feature_levels=len(BOXES),
        decoder_n_levels=len(BOXES),
        decoder_layers=1,
        # There are no further layers for the heads of the first one to be tied to.
        tie_word_embeddings=False,
        decoder_ffn_dim=_WIDTH,
        decoder_attention_heads=2,
        num_queries=len(BOXES),
        num_denoising=0,
        id2label=dict(enumerate(label.value for label in LABELS)),
        label2id={label.value: index for index, label in enumerate(LABELS)},
    )


def _forget_the_image(model: RTDetrV2ForObjectDetection) -> None:
    for level in model.model.decoder_input_proj:
        level[-1].weight.zero_()
        level[-1].bias.normal_()


def _find_the_boxes(model: RTDetrV2ForObjectDetection) -> None:
    labels, boxes = model.model.decoder.class_embed[0], model.model.decoder.bbox_embed[0].layers[-1]
    with inputs_of(labels) as to_labels, inputs_of(boxes) as to_boxes:
        output = model(torch.zeros(1, 3, _SIDE, _SIDE))
    wanted = torch.full((len(BOXES), len(LABELS)), _UNLIKELY)
    for query, (label, _box) in enumerate(BOXES):
        wanted[query, LABELS.index(label)] = _SURE
    solve(labels, to_labels[0][0], wanted)
    # The decoder moves each query's box away from where the encoder puts it.
    solve(boxes, to_boxes[0][0], _centred().logit() - output.init_reference_points[0])


def _centred() -> Tensor:
    left, top, right, bottom = torch.tensor([box for _label, box in BOXES]).unbind(1)
    return torch.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], dim=1)
