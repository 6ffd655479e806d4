"""Calls into pdfium that are made for each character or object, without what ctypes adds for safety between threads.

Whoever calls holds pdfium's lock, so that nothing is gained by giving up the interpreter's: a call through ``PyDLL``
costs 0.2 µs, which makes reading a page's characters one by one affordable (0.5 ms for 2,000 of them, each call).
"""

import ctypes
from pathlib import Path
from typing import Any

import pypdfium2_raw

_LIBRARIES = (path for path in Path(pypdfium2_raw.__file__).parent.iterdir() if "pdfium" in path.stem)
_library = ctypes.PyDLL(str(next(path for path in _LIBRARIES if path.suffix in (".so", ".dylib", ".dll"))))

_handle = ctypes.c_void_p
_int = ctypes.c_int


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


count_chars = _function("FPDFText_CountChars", _int, _handle)
char_code = _function("FPDFText_GetUnicode", ctypes.c_uint, _handle, _int)
char_box = _function("FPDFText_GetLooseCharBox", _int, _handle, _int, _handle)
char_object = _function("FPDFText_GetTextObject", _handle, _handle, _int)
char_matrix = _function("FPDFText_GetMatrix", _int, _handle, _int, _handle)
char_unmapped = _function("FPDFText_HasUnicodeMapError", _int, _handle, _int)

text_font_size = _function("FPDFTextObj_GetFontSize", _int, _handle, _handle)
text_font = _function("FPDFTextObj_GetFont", _handle, _handle)
text_mode = _function("FPDFTextObj_GetTextRenderMode", _int, _handle)
font_name = _function("FPDFFont_GetBaseFontName", ctypes.c_size_t, _handle, _handle, ctypes.c_size_t)
font_flags = _function("FPDFFont_GetFlags", _int, _handle)

count_objects = _function("FPDFPage_CountObjects", _int, _handle)
page_object = _function("FPDFPage_GetObject", _handle, _handle, _int)
count_form_objects = _function("FPDFFormObj_CountObjects", _int, _handle)
form_object = _function("FPDFFormObj_GetObject", _handle, _handle, ctypes.c_ulong)
object_kind = _function("FPDFPageObj_GetType", _int, _handle)
object_bounds = _function("FPDFPageObj_GetBounds", _int, _handle, *[_handle] * 4)
object_matrix = _function("FPDFPageObj_GetMatrix", _int, _handle, _handle)
object_tag = _function("FPDFPageObj_GetMarkedContentID", _int, _handle)
count_marks = _function("FPDFPageObj_CountMarks", _int, _handle)
object_mark = _function("FPDFPageObj_GetMark", _handle, _handle, ctypes.c_ulong)
mark_name = _function("FPDFPageObjMark_GetName", _int, _handle, _handle, ctypes.c_ulong, _handle)
fill_colour = _function("FPDFPageObj_GetFillColor", _int, _handle, *[_handle] * 4)
stroke_colour = _function("FPDFPageObj_GetStrokeColor", _int, _handle, *[_handle] * 4)
draw_mode = _function("FPDFPath_GetDrawMode", _int, _handle, _handle, _handle)
count_segments = _function("FPDFPath_CountSegments", _int, _handle)
path_segment = _function("FPDFPath_GetPathSegment", _handle, _handle, _int)
segment_point = _function("FPDFPathSegment_GetPoint", _int, _handle, _handle, _handle)
segment_kind = _function("FPDFPathSegment_GetType", _int, _handle)
segment_closes = _function("FPDFPathSegment_GetClose", _int, _handle)

structure_tree = _function("FPDF_StructTree_GetForPage", _handle, _handle)
close_structure = _function("FPDF_StructTree_Close", None, _handle)
count_roots = _function("FPDF_StructTree_CountChildren", _int, _handle)
root_element = _function("FPDF_StructTree_GetChildAtIndex", _handle, _handle, _int)
element_kind = _function("FPDF_StructElement_GetType", ctypes.c_ulong, _handle, _handle, ctypes.c_ulong)
count_children = _function("FPDF_StructElement_CountChildren", _int, _handle)
child_element = _function("FPDF_StructElement_GetChildAtIndex", _handle, _handle, _int)
child_tag = _function("FPDF_StructElement_GetChildMarkedContentID", _int, _handle, _int)


def address(pointer: Any) -> int:
    """Return where a handle of pypdfium2's points to."""
    return ctypes.cast(getattr(pointer, "raw", pointer), _handle).value or 0
