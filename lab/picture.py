#!/usr/bin/env python3
"""Makes the picture in the README of what a terminal shows: `lab/picture.py COMMAND < output > docs/up.svg`."""

import re
import sys
from html import escape

CELL, LINE, MARGIN = 7.25, 17, 14
MARKS = {"✓": "#5fd38d", "✗": "#ff6b6b"}


def text(line: str, number: int) -> str:
    words = escape(line, quote=False)
    for mark, color in MARKS.items():
        words = words.replace(mark, f'<tspan fill="{color}">{mark}</tspan>')
    width = round(len(line) * CELL)
    return f'<text x="{MARGIN}" y="{24 + number * LINE}" textLength="{width}" lengthAdjust="spacingAndGlyphs">{words}</text>'


def main() -> None:
    command = sys.argv[1]
    colors = re.compile(r"\x1b\[[0-9;]*m")
    shown = [colors.sub("", line.rstrip("\n")) for line in sys.stdin]
    lines = [f"$ {command}", *(line for line in shown if line.strip())]
    width = round(max(map(len, lines)) * CELL) + 2 * MARGIN
    height = 24 + (len(lines) - 1) * LINE + MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
          f'aria-label="What {escape(command)} shows">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#11151c"/>')
    print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" fill="#d7dde8" xml:space="preserve">')
    print("\n".join(text(line, number) for number, line in enumerate(lines)))
    print("</g>\n</svg>")


main()
