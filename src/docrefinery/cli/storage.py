"""``docrefinery storage``."""

from docrefinery.cli.context import subcommands
from docrefinery.cli.encryption import encrypt, rewrap, shred

app = subcommands("Look after what is stored.")
app.command()(encrypt)
app.command()(rewrap)
app.command()(shred)
