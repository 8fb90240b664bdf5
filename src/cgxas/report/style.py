"""How the page of a report looks."""

CSS = """
body { margin: 0; background: #fff; color: #1c1c1c;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 28px 64px; }
h1 { font-size: 26px; margin: 8px 0; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 14px; border-top: 1px solid #ddd; }
h3 { font-size: 15px; margin: 20px 0 6px; }
p { max-width: 860px; }
.note, figcaption { color: #555; font-size: 13px; max-width: 860px; }
figure { margin: 0; }
figure img { max-width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
th[colspan] { text-align: center; }
th.text, td.text { text-align: left; }
th.first, td.first { border-left: 1px solid #ccc; }
thead tr:last-child th { border-bottom: 1.5px solid #444; }
tbody tr:nth-child(even) { background: #f6f6f6; }
tbody tr:hover { background: #eaf2fa; }
details { margin: 6px 0; font-size: 13px; }
summary { cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px;
  margin: 6px 0 12px 18px; }
dt { color: #555; }
dd { margin: 0; font-family: ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
"""
