"""The picture classifier: a small EfficientNet that hardly looks."""

from itertools import takewhile
from pathlib import Path

import torch
from docling.datamodel.picture_classification_options import DocumentPictureClassifierOptions
from docling_core.types.doc import PictureClassificationLabel
from transformers import EfficientNetConfig, EfficientNetForImageClassification, EfficientNetImageProcessor

from tests.models.checkpoints.solving import seeded

# The names that older models gave come last.
LABELS = [
    label.value
    for label in takewhile(lambda label: label != PictureClassificationLabel.CAD_DRAWING, PictureClassificationLabel)
]
FAVOURITE = LABELS[0]
"""What it takes every picture for; the other names follow, ever less sure."""
_SIDE = 32


def build(folder: Path) -> None:
    """Write the checkpoint below a folder of models."""
    options = DocumentPictureClassifierOptions.from_preset("document_figure_classifier_v2")
    place = folder / options.repo_cache_folder
    with seeded():
        model = EfficientNetForImageClassification(_config())
        # Far enough apart for their order not to depend on the machine.
        model.classifier.bias.copy_(torch.arange(len(LABELS)) * -0.5)
    model.save_pretrained(place)
    EfficientNetImageProcessor(size={"height": _SIDE, "width": _SIDE}).save_pretrained(place)


def _config() -> EfficientNetConfig:
    return EfficientNetConfig(
        image_size=_SIDE,
        width_coefficient=0.25,
        depth_coefficient=0.25,
        # The last of its layers, scaled by the width.
        hidden_dim=1280 // 4,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
