"""Words that were replaced by the field's own stay replaced, in code and in documents."""

import bisect
import fnmatch
import itertools
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Retired phrases, as regular expressions of words with one blank between them, and what to write.
RETIRED = {
    r"goes? down": "the loss that it minimizes; it falls",
    r"(network|function|generator|discriminator|critic|model|classifier|layer|callable)s?`? "
    r"(must )?answers?": "returns",
    r"answers? (maps|features|probabilities|logits|images|classes)": "returns",
    r"images? of images": "image-to-image; images from images",
    r"graphics cards?|processors? for graphics": "GPU",
    r"(?<!standard )deviations?(?! from)": "standard deviation; or difference",
    r"share dropped": "dropout rate",
    r"(?<![.`\"])yardsticks?(?![(\"])": "reference degradations",
    r"(?<![.`\"-])(?<!sea )(?<!ocean )floors?(?![(\"_])": "reference value; layer; minimum PSNR",
    r"(?<![.`\"'])gauges?(?!\()": "training statistics",
    r"(?<![.\"])told(?! apart)(?![(\"])": "conditional (of labels); given; described",
    r"ways? back": "the backward generator",
    r"undisturbed": "preserving the random state",
    r"meetings?": "rendezvous",
    r"(?<![.\"])exhibits?(?![\"])": "gallery entry",
    r"some (ten|hundred|thousand|\d+)": "about ten",
    r"and the like": "and so on",
    r"less (examples|images|steps|samples|classes|pairs)": "fewer",
    r"lets? by": "skip",
    r"ails": "is wrong with",
    r"sure of": "confident; with a probability above 0.9",
    r"(holds?|held|holding)( [\w`']+){0,3} against": "compare with",
    r"kin": "and related ones",
}

# Paths that have not been rewritten yet, as patterns of `fnmatch`. To be emptied.
NOT_YET: list[str] = []

HERE = Path(__file__).relative_to(ROOT).as_posix()
FILES = [
    file
    for file in subprocess.run(
        ["git", "ls-files", "*.py", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if file != HERE
]


def found_in(text):
    """Yields `(line, phrase, replacement)` for each retired phrase, also of those that wrap."""
    words = [
        (number, word)
        for number, line in enumerate(text.splitlines(), 1)
        for word in line.split()
        if word not in ("#", ">", "|", '"', "*", "-")
    ]
    starts = list(itertools.accumulate((len(word) + 1 for _, word in words), initial=0))
    joined = " ".join(word for _, word in words)
    for pattern, replacement in RETIRED.items():
        for match in re.finditer(rf"\b(?:{pattern})\b", joined, re.IGNORECASE):
            line = words[bisect.bisect_right(starts, match.start()) - 1][0]
            yield line, match[0], replacement


@pytest.mark.parametrize("file", FILES)
def test_no_retired_word(file):
    if any(fnmatch.fnmatch(file, pattern) for pattern in NOT_YET):
        pytest.skip("not rewritten yet")
    text = (ROOT / file).read_text(encoding="utf-8")
    if file == "CHANGELOG.md":
        text = re.sub("`[^`\n]*`", "", text)  # it says which names were replaced
    problems = [f"{file}:{line}: {old!r}: write {new}" for line, old, new in found_in(text)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("what the critic goes\n# down", [1]),
        ("\nimages of\n    images, Images of images", [2, 3]),
        ("a deviation, a standard\ndeviation, deviations from the mean", [1]),
        ("math.floor(x), floor(), `floor_split`, the sea floor, the floor", [1]),
        ("The network answers maps; a server answers", [1, 1]),
        ("as told\nby labels; cannot be told apart; untold", [1]),
    ],
)
def test_the_list_finds_whole_phrases_across_lines(text, lines):
    assert [line for line, *_ in found_in(text)] == lines
