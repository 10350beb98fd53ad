"""The page's style sheet: light and dark, wide, phone and paper."""

from __future__ import annotations

import base64
import hashlib

CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #566173; --line: #d5dae2;
  --curve: #2563a8; --area: #cfe0f3; --good: #17693c; --good-page: #e3f4ea;
  --bad: #a3221c; --bad-page: #fce9e7; --limit: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b2129; --ink: #e6eaf0; --soft: #a3adbb; --line: #353e4a;
    --curve: #7db4ee; --area: #24405e; --good: #86d9a9; --good-page: #14301f;
    --bad: #ffaca5; --bad-page: #3d1815; --limit: #e0b35c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
footer { padding-top: 1rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .875rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem 1.25rem 1.1rem; margin: 1rem 0; }
section.good { background: var(--good-page); border-color: var(--good); }
section.good h2 { color: var(--good); }
section.bad { background: var(--bad-page); border-color: var(--bad); }
section.bad h2 { color: var(--bad); }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .85em; }
code { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 0; direction: ltr;
  unicode-bidi: isolate; }
ul { margin: .4rem 0; padding-left: 1.2rem; }
dl.tiles { display: grid; gap: .75rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
dl.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .6rem .9rem; display: flex; flex-direction: column-reverse; justify-content: flex-end; }
dl.tiles dt { color: var(--soft); font-size: .875rem; }
dl.tiles dd { margin: 0; font-size: 1.4rem; font-weight: 600; line-height: 1.3; }
.curves { display: grid; gap: 1rem 1.5rem; margin-top: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.curves figure { margin: 0; min-width: 0; }
figcaption { display: flex; justify-content: space-between; gap: .75rem; align-items: baseline; }
figcaption b { white-space: nowrap; }
svg { display: block; width: 100%; }
svg.curve { height: 5.5rem; margin: .3rem 0 .15rem; border-bottom: 1px solid var(--soft); }
svg.bar { height: .8rem; }
.area { fill: var(--area); }
.edge { fill: none; stroke: var(--curve); stroke-width: 2; vector-effect: non-scaling-stroke; }
.limit { stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 5 4;
  vector-effect: non-scaling-stroke; }
.track { fill: var(--line); }
.fill { fill: var(--curve); }
.ends { display: flex; justify-content: space-between; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; margin-top: .35rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td.graph { min-width: 8rem; width: 30%; padding-top: .75rem; }
tbody tr:last-child td { border-bottom: 0; }
.whole { white-space: nowrap; }
@media (max-width: 640px) {
  main, header, footer { padding-left: .8rem; padding-right: .8rem; }
  section { padding: .8rem .9rem; }
  table, tbody, tr, td { display: block; width: auto; }
  thead { position: absolute; left: -9999px; }
  caption { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  td, td.number { border: 0; padding: .1rem 0; text-align: left; white-space: normal;
    display: flex; gap: .75rem; justify-content: space-between; }
  td[data-label]::before { content: attr(data-label); color: var(--soft); flex: 0 0 auto; }
  td.graph { min-width: 0; width: auto; padding: .3rem 0; }
  td.graph::before, td.sql::before { content: none; }
  td.sql { display: block; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --curve: #1d4f86; --area: #dbe6f3; --good: #17693c; --good-page: #fff;
    --bad: #a3221c; --bad-page: #fff; --limit: #8a5a00; }
  body { font-size: 11pt; }
  section, dl.tiles div { border-radius: 0; }
  section, figure, tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def digest(css: str) -> str:
    """The hash under which a Content-Security-Policy lets the style sheet through."""
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
