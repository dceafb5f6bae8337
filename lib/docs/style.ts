/** The style sheet of the documentation's pages. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --box: #f6f8fa; --link: #0b57d0;
  font: 16px/1.55 system-ui, sans-serif;
  scroll-padding-top: 1rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1419; --text: #e6edf3; --quiet: #9da7b3; --line: #30363d; --box: #181f27; --link: #79b8ff;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere }
a { color: var(--link) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -100vw }
.skip:focus { left: 1rem; top: .5rem; padding: .25rem .5rem; background: var(--page) }
.frame { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 80rem; margin: 0 auto }
.side { padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .9rem }
.side nav { position: sticky; top: 1.5rem; max-height: calc(100vh - 3rem); overflow-y: auto }
.side ul { list-style: none; margin: 0; padding: 0 }
.side li { margin: .15rem 0 }
.side ul ul { padding-left: .8rem }
.side h2 { font-size: 1rem; margin: 1rem 0 .25rem; border: 0; padding: 0 }
.brand { font-weight: 700; font-size: 1.15rem; text-decoration: none; color: inherit }
main { padding: 1.5rem 2rem 6rem; min-width: 0 }
h1 { margin-top: 0; line-height: 1.2 }
h2 { margin-top: 3rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h3 { margin: 2.5rem 0 .5rem; font-size: 1.1rem }
h4 { margin: 1.25rem 0 .4rem; font-size: .95rem }
code, pre { font: .87em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { background: var(--box); border-radius: .25rem; padding: .1em .3em }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; overflow-x: auto; margin: .5rem 0 }
pre code { padding: 0; background: none }
h3 code { background: none; font-size: .95em; padding: 0 }
.method { display: inline-block; min-width: 4.2em; padding: 0 .5em; border-radius: .25rem; color: #fff; font-size: .8em; text-align: center }
.get { background: #0a6640 } .post { background: #0b57d0 } .put { background: #8a4b00 } .delete { background: #b3261e }
.quiet { color: var(--quiet) }
.wide { overflow-x: auto; margin: .5rem 0 }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600 }
td:first-child { min-width: 7rem }
td:nth-child(2) { min-width: 8rem }
td:nth-child(3) { min-width: 12rem }
.prose td, .prose th { min-width: 4rem; overflow-wrap: break-word }
details { margin: .5rem 0 } summary { cursor: pointer }
details > summary { font-weight: 600; font-size: .95rem }
.need { border-left: 3px solid var(--line); padding-left: .7rem }
@media (max-width: 52rem) {
  .frame { display: block }
  .side { border-right: 0; border-bottom: 1px solid var(--line) }
  .side nav { position: static; max-height: none }
  .side ul ul { display: none }
  .side ul { display: flex; flex-wrap: wrap; gap: .25rem .9rem }
  main { padding: 1rem 1rem 4rem }
  h2 { margin-top: 2rem }
}
@media print { .side { display: none } .frame { display: block } }
`;
