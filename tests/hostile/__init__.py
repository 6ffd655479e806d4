"""`make hostile`: what becomes of a folder of hostile PDFs under the converter's limits."""
