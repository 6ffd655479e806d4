"""SQL that Piccolo cannot say: schemas of migrations."""
