"""The page that ``html`` makes."""

import re
from html.parser import HTMLParser

import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument

from docrefinery.plugin import Exporter
from docrefinery.plugin.testing import check_plugin, documents, exported
from docrefinery_html import docrefinery_exporters

DOCUMENTS = documents()
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "div", "span", "h1", "h2", "h3", "h4", "h5", "h6", "p", "br",
    "ul", "ol", "li", "table", "caption", "tbody", "tr", "th", "td", "figure", "figcaption", "img", "a", "pre", "code",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_keeps_the_contract() -> None:
    check_plugin("docrefinery_html")


@pytest.fixture
def html() -> Exporter:
    """The exporter."""
    (exporter,) = docrefinery_exporters()
    return exporter


def test_figures_are_inside_the_file_and_a_picture_without_image_leaves_no_gap(html: Exporter) -> None:
    page = Page(exported(html, DOCUMENTS["pictures"]))
    (image,) = page.all("img")
    assert str(image["src"]).startswith("data:image/png;base64,")
    assert "Figure 1: red" in page.text


def test_headings_lists_and_spans_are_marked_up(html: Exporter) -> None:
    page = Page(exported(html, DOCUMENTS["headings and lists"]))
    assert [name for name, _ in page.tags if re.fullmatch(r"h\d", name)] == ["h1", "h2", "h3", "h2"]
    assert len(page.all("li")) == 3
    cells = Page(exported(html, DOCUMENTS["tables"])).all("th")
    assert [(cell.get("rowspan"), cell.get("colspan")) for cell in cells[:2]] == [("2", None), (None, "2")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_whatever_the_document_says_there_is_no_script_and_nothing_is_fetched(html: Exporter, name: str) -> None:
    page = Page(exported(html, DOCUMENTS[name]))
    assert {tag for tag, _ in page.tags} <= ALLOWED
    attributes = [(key, value) for _, found in page.tags for key, value in found.items()]
    assert [key for key, _ in attributes if key.startswith("on")] == []
    assert [value for key, value in attributes if key in {"src", "href"} and not str(value).startswith("data:")] == []


def test_text_that_looks_like_markup_is_shown_as_it_is(html: Exporter) -> None:
    page = Page(exported(html, DOCUMENTS["odd characters"]))
    assert '<img src="x" onerror="alert(1)"> & "quotes"' in page.text
    assert "</title><script>alert(1)</script>" in page.text


def test_the_documents_name_is_the_title_and_cannot_leave_it(html: Exporter) -> None:
    page = Page(exported(html, DoclingDocument(name="</title><script>alert(1)</script>")))
    assert page.all("script") == []
    assert page.text.strip().startswith("</title><script>")


def test_the_policy_allows_neither_scripts_nor_requests(html: Exporter) -> None:
    (policy,) = [
        meta["content"] for meta in Page(exported(html, DOCUMENTS["empty"])).all("meta") if "http-equiv" in meta
    ]
    rules = dict(rule.split(" ", 1) for rule in str(policy).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert not {"script-src", "connect-src", "frame-src", "object-src"} & set(rules)


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", " java\nscript:alert(1)"])
def test_a_link_that_would_run_something_is_only_text(html: Exporter, target: str) -> None:
    document = DoclingDocument(name="links")
    linked = document.add_text(DocItemLabel.TEXT, "press here")
    linked.hyperlink = target
    page = Page(exported(html, DoclingDocument.model_validate(document.model_dump())))
    assert "press here" in page.text
    assert page.all("a") == []


def test_control_characters_do_not_reach_the_file(html: Exporter) -> None:
    text = exported(html, DOCUMENTS["odd characters"]).decode()
    assert not re.search("[\0-\b\v\f\x0e-\x1f\x7f\ufffe]", text)
