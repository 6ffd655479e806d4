"""What a client is told of a stored file: by the API, or by a storage that sends it itself."""

import re
from urllib.parse import quote


def presentation(filename: str, content_type: str) -> dict[str, str]:
    """Return the headers that say what a file is, and that it is one to keep and not to show (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", filename)
    return {
        "Content-Type": content_type,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}",
    }
