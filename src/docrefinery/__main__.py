"""``python -m docrefinery``."""

from docrefinery.cli import main

if __name__ == "__main__":
    main()
