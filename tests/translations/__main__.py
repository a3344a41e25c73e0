"""`make messages`: takes what the code and the templates say into every language's catalogue, and compiles it.

`make messages ARGS=fr` begins another language.
"""

from __future__ import annotations

import sys

from tests.translations import catalogues


def main(begin: list[str]) -> None:
    found = catalogues.extracted()
    for language in sorted({*catalogues.languages(), *begin}):
        path = catalogues.source(language)
        catalogue = catalogues.read(path) if path.exists() else catalogues.begun(language)
        catalogues.write(catalogues.merge(catalogue, found), path)
        left = catalogues.missing(catalogues.read(path), found)
        print(f"{path.relative_to(catalogues.ROOT)}: {len(catalogues.keys(found))} strings, {len(left)} to translate")
        for context, text in left:
            print(f"  {text if context is None else f'{text} ({context})'}")


if __name__ == "__main__":
    main(sys.argv[1:])
