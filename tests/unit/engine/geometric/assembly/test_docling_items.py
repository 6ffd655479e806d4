"""Items that are made here are those that Docling's own ``add_text`` and ``add_list_item`` would have made."""

from pathlib import Path

from docling_core.types.doc import ContentLayer, DoclingDocument, ListItem, TextItem

from tests.support.pages import Sheet, assembled, prose
from tests.unit.engine.geometric.test_pipeline import converter

REPORT = Path("tests/data/harbour-report.pdf")


def added_by_docling(item: TextItem) -> TextItem:
    """Return the item as Docling adds it, in the same place."""
    document = DoclingDocument(name="by Docling")
    made: TextItem
    if isinstance(item, ListItem):
        made = document.add_list_item(
            item.text,
            enumerated=item.enumerated,
            marker=item.marker,
            prov=item.prov[0],
            parent=document.add_list_group(),
            hyperlink=item.hyperlink,
        )
    else:
        made = document.add_text(
            item.label, item.text, prov=item.prov[0], content_layer=item.content_layer, hyperlink=item.hyperlink
        )
    return made.model_copy(update={"self_ref": item.self_ref, "parent": item.parent, "prov": item.prov})


def assert_made_as_by_docling(document: DoclingDocument) -> list[TextItem]:
    found = [item for item in document.texts if type(item) in (TextItem, ListItem)]
    for item in found:
        assert item == added_by_docling(item)
        assert item.parent is not None
        assert item.get_ref() in item.parent.resolve(document).children
    assert DoclingDocument.model_validate_json(document.model_dump_json(by_alias=True, exclude_none=True)) == document
    return found


def test_texts_lists_and_the_words_of_pictures() -> None:
    found = assert_made_as_by_docling(converter().convert(REPORT).document)
    assert {item.enumerated for item in found if isinstance(item, ListItem)} == {True, False}
    assert {str(item.parent.cref).split("/")[1] for item in found if item.parent} == {"body", "pictures", "groups"}


def test_furniture_and_links() -> None:
    sheets = []
    for number in range(1, 5):
        sheet = Sheet(number)
        sheet.text("Report of the river commission", 72, 40)
        column = sheet.column(72, 72, 468)
        column.put(prose(4, number))
        top = column.top
        column.put("https://rivers.example/boats")
        sheet.link(70, top - 1, 320, top + 12, "https://rivers.example/boats")
        sheets.append(sheet)
    found = assert_made_as_by_docling(assembled(*sheets))
    assert {item.content_layer for item in found} == {ContentLayer.BODY, ContentLayer.FURNITURE}
    assert any(item.hyperlink for item in found)
