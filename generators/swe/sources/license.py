"""Which licence a repository is under, by what its metadata says, else by the words of its licence file."""

from __future__ import annotations

import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from datafactory.types import Files
from generators.swe.sources.metadata import Metadata

CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
}
"""Classifiers of the package index that mean one licence; "BSD License" and "Apache Software License" mean several."""

SPOKEN = {
    "mit": "MIT",
    "expat": "MIT",
    "mit expat": "MIT",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "bsd 2 clause": "BSD-2-Clause",
    "2 clause bsd": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "isc": "ISC",
    "iscl": "ISC",
    "mpl 2.0": "MPL-2.0",
    "mpl2": "MPL-2.0",
    "mozilla public 2.0": "MPL-2.0",
    "gplv2": "GPL-2.0-only",
    "gplv2+": "GPL-2.0-or-later",
    "gplv3": "GPL-3.0-only",
    "gplv3+": "GPL-3.0-or-later",
    "lgplv3": "LGPL-3.0-only",
    "lgplv3+": "LGPL-3.0-or-later",
    "agplv3": "AGPL-3.0-only",
    "agplv3+": "AGPL-3.0-or-later",
    "psf": "PSF-2.0",
    "unlicense": "Unlicense",
}
"""What people write under "License", in small letters, less the words in `_FILLERS`."""
_FILLERS = {"the", "license", "licence", "software", "version", "v"}

_BSD_2 = (
    "redistribution and use in source and binary forms, with or without modification, are permitted",
    "redistributions in binary form must reproduce the above copyright",
)
_BSD_3 = (*_BSD_2, "be used to endorse or promote products derived from this software without")
WORDS: dict[str, tuple[str, ...]] = {
    "MIT": (
        "permission is hereby granted, free of charge, to any person obtaining a copy",
        "the above copyright notice and this permission notice shall be included in all copies",
    ),
    "BSD-2-Clause": _BSD_2,
    "BSD-3-Clause": _BSD_3,
    "BSD-4-Clause": (*_BSD_3, "all advertising materials mentioning features or use of this software must display"),
    "ISC": (
        "distribute this software for any purpose with or without fee is hereby granted, provided that the above",
        "the software is provided as is and the author disclaims all warranties",
    ),
    "Apache-2.0": ("apache license version 2.0, january 2004", "grant of patent license"),
    "MPL-2.0": ("mozilla public license version 2.0", "1.1. contributor"),
    "GPL-2.0-only": ("gnu general public license version 2, june 1991",),
    "GPL-3.0-only": ("gnu general public license version 3, 29 june 2007",),
    "LGPL-2.0-only": ("gnu library general public license version 2, june 1991",),
    "LGPL-2.1-only": ("gnu lesser general public license version 2.1, february 1999",),
    "LGPL-3.0-only": ("gnu lesser general public license version 3, 29 june 2007",),
    "AGPL-3.0-only": ("gnu affero general public license version 3, 19 november 2007",),
    "PSF-2.0": ("python software foundation license version 2", "psf is making python available to licensee"),
    "Unlicense": ("this is free and unencumbered software released into the public domain",),
}
"""Words that must all stand in a licence's text, blanks and quotes evened out. A text cannot say "or later"."""
_FILE = re.compile(r"(un)?licen[cs]e|copying", re.IGNORECASE)
"""How the names of licence files start."""


def license_of(metadata: Metadata, files: Files) -> str:
    """An SPDX expression; "" where it cannot be told, or where two sources of the same rank say different things.

    Asked in turn: the expression of PEP 639, the "License" field, classifiers, the licence files of the top folder.
    """
    told = expression(metadata.license_expression) or expression(metadata.license) or spoken(metadata.license)
    if told:
        return told
    named = {item.rpartition(" :: ")[2] for item in metadata.classifiers if item.startswith("License :: ")}
    named -= {"OSI Approved"}
    if len(named) == 1 and (told := CLASSIFIERS.get(named.pop(), "")):
        return told
    texts = [file.text for path, file in files.items() if "/" not in path and _FILE.match(path)]
    return one_of({found for text in texts for found in recognised(text)})


def expression(text: str) -> str:
    """An SPDX expression as it is spelt rightly, else ""."""
    try:
        return canonicalize_license_expression(text) if text and "\n" not in text else ""
    except InvalidLicenseExpression:
        return ""


def spoken(text: str) -> str:
    """The licence that a short phrase means, else ""."""
    words = re.findall(r"[a-z0-9.+]+", text.lower())
    return SPOKEN.get(" ".join(word for word in words if word not in _FILLERS), "")


def recognised(text: str) -> set[str]:
    """The licences whose words are in a text; one whose words are part of another's found there is not named."""
    even = " ".join(re.sub(r"[\"'`*#“”‘’]", "", text).lower().split())
    found = {name: set(words) for name, words in WORDS.items() if all(word in even for word in words)}
    return {name for name, words in found.items() if not any(words < other for other in found.values())}


def one_of(found: set[str]) -> str:
    """The only one. The lesser GPL adds to the GPL, whose text lies beside it, so it is the one of the two."""
    if "LGPL-3.0-only" in found:
        found = found - {"GPL-3.0-only"}
    return next(iter(found)) if len(found) == 1 else ""
