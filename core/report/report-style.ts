import { Html } from './html';

/** The page must not fetch anything: its style stands in it. */
export const REPORT_STYLE = new Html(`
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6778; --line: #d9dee7; --page: #fff; --card: #f5f7fa;
  --good: #14713d; --online: #1b5fa8; --left: #8a6100; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --soft: #98a3b5; --line: #323b49; --page: #12161d;
  --card: #1a2029; --good: #58c98b; --online: #74b2f3; --left: #e0b252; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 96rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .4rem 0; } .soft { color: var(--soft); } .small { font-size: .85rem; }
.verdict { font-weight: 600; } .verdict.good { color: var(--good); } .verdict.bad { color: var(--bad); }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem; }
.figure b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: .75rem 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .85rem; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.wide { min-width: 18rem; } code.id { white-space: nowrap; } code, pre { font: .85em/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--page); border: 1px solid var(--line); border-radius: .35rem; padding: .6rem .75rem;
  max-height: 20rem; overflow: auto; }
.tag { display: inline-block; font-size: .8rem; font-weight: 600; white-space: nowrap; }
.tag.good { color: var(--good); } .tag.online { color: var(--online); } .tag.left { color: var(--left); } .tag.bad { color: var(--bad); }
ul { margin: .4rem 0; padding-left: 1.2rem; } details summary { cursor: pointer; color: var(--soft); }
`);
