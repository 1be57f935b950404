"""Draws comparisons as bars, as an SVG that is readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from benchmarks.goals import Comparison

WIDTH = 900
_LEFT, _RIGHT, _ROW, _TITLE = 330, 250, 24, 34
_SMALLEST, _LARGEST = 0.1, 100.0
"""The ends of the scale, which is logarithmic."""
_SVG = "http://www.w3.org/2000/svg"
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.met { fill: #2da44e } .not-met { fill: #cf222e } .plain { fill: #8c959f }
.goal { stroke: #24292f; stroke-width: 2 } .one { stroke: #8c959f; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .goal { stroke: #e6edf3 }
  .met { fill: #3fb950 } .not-met { fill: #f85149 } .plain { fill: #6e7681 }
}"""


def drawn(sections: Mapping[str, Sequence[Comparison]]) -> str:
    """Returns a drawing, whose size depends on the number of comparisons alone.

    Args:
        sections: comparisons by their title.
    """
    parts: list[str] = []
    y = 30
    for title, comparisons in sections.items():
        y += _TITLE
        parts.append(f'<text class="title" x="10" y="{y - 12}">{escape(title)}</text>')
        for comparison in comparisons:
            parts += _row(comparison, y)
            y += _ROW
    height = y + 10
    one = _x(1)
    size, role = f'width="{WIDTH}" height="{height}"', 'role="img" aria-label="Benchmarks"'
    return "\n".join(
        [
            f'<svg xmlns="{_SVG}" viewBox="0 0 {WIDTH} {height}" {size} {role}>',
            f"<style>{_STYLE}\n</style>",
            f'<line class="one" x1="{one}" x2="{one}" y1="30" y2="{height - 6}"/>',
            f'<text x="{one}" y="22" text-anchor="middle">1</text>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _row(comparison: Comparison, y: int) -> Iterator[str]:
    style = comparison.verdict.replace(" ", "-") or "plain"
    begin, end = sorted((_x(1), _x(comparison.ratio)))
    yield f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(comparison.what)}</text>'
    yield (
        f'<rect class="{style}" x="{begin}" y="{y + 3}" width="{max(1, end - begin)}"'
        f' height="{_ROW - 8}" rx="2"/>'
    )
    said = f"{comparison.ratio:.3g} times"
    if comparison.goal is not None:
        at = _x(comparison.goal.bound)
        yield f'<line class="goal" x1="{at}" x2="{at}" y1="{y}" y2="{y + _ROW - 2}"/>'
        said += f", goal {comparison.goal.text}: {comparison.verdict}"
    yield f'<text x="{WIDTH - _RIGHT + 8}" y="{y + 14}">{escape(said)}</text>'


def _x(ratio: float) -> int:
    within = min(max(ratio, _SMALLEST), _LARGEST)
    share = math.log(within / _SMALLEST) / math.log(_LARGEST / _SMALLEST)
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT))
