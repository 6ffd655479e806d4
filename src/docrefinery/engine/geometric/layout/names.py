"""How captions begin."""

import re

CAPTION = re.compile(
    r"(?:fig(?:ure|\.)?|tab(?:le|\.)?|listing|scheme|exhibit|chart|plate|algorithm|abbildung|abb\.|tabelle|tableau|figura|"
    r"tabla|tabela)\s*[A-Z]?\d+(?:[.\-]\d+)*\s*(?:[.:|–—-]|\([a-z]\)|$)",
    re.IGNORECASE,
)
