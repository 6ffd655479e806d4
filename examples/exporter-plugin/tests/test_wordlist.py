from docrefinery.plugin.testing import check_plugin, documents, exported


def test_wordlist_keeps_the_contract() -> None:
    registry = check_plugin("refinery_wordlist")
    text = exported(registry.exporters["wordlist"], documents()["text only"]).decode()
    assert text.splitlines()[:2] == ["word,count", "and,1"]
