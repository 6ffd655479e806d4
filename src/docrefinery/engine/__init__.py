"""Everything that touches Docling; imported only by the converter process."""
