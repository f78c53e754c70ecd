import { type Brand, INK, SURFACE } from './branding.ts';

/** The style sheet of a page. Nothing of it but the colours is a tenant's, and those are checked. */
export const styleSheet = ({ colour, onColour, edgeInLight, edgeInDark }: Brand): string => `
:root {
  color-scheme: light dark;
  --colour: ${colour}; --on-colour: ${onColour}; --edge: ${edgeInLight};
  --page: #f2f4f6; --surface: ${SURFACE.light}; --ink: ${INK.light}; --soft: #535c66; --line: #767f89;
  --wrong: #a8201a; --wrong-surface: #fdeceb; --good: #1a6334; --good-surface: #e9f6ed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --edge: ${edgeInDark};
    --page: #10151a; --surface: ${SURFACE.dark}; --ink: ${INK.dark}; --soft: #aeb8c2; --line: #8a949f;
    --wrong: #ffb4ab; --wrong-surface: #401b19; --good: #9fdcb3; --good-surface: #16301f;
  }
}
*, ::before, ::after { box-sizing: border-box; }
body {
  margin: 0; padding: 1rem; min-height: 100vh; display: grid; align-content: start; justify-items: center;
  background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header {
  display: flex; align-items: center; gap: .75rem; width: 100%; max-width: 28rem; padding: 1rem 0;
  font-weight: 600;
}
header img { display: block; max-height: 3rem; max-width: 40%; padding: .25rem; border-radius: .375rem; background: #fff; }
main {
  width: 100%; max-width: 28rem; padding: 1.25rem; background: var(--surface);
  border-top: .375rem solid var(--colour); border-radius: .5rem; box-shadow: 0 1px 3px rgb(0 0 0 / .2);
}
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
main > :last-child, .alert > :last-child { margin-bottom: 0; }
.field { margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; }
.hint { margin: 0; color: var(--soft); font-size: .875rem; }
.fault { margin: .5rem 0 0; color: var(--wrong); font-size: .9375rem; font-weight: 600; }
input {
  display: block; width: 100%; min-height: 2.75rem; margin-top: .25rem; padding: .5rem .75rem;
  border: 1px solid var(--line); border-radius: .375rem; background: var(--surface); color: inherit; font: inherit;
}
input[aria-invalid] { border: 2px solid var(--wrong); }
button, .button {
  display: block; width: 100%; min-height: 2.75rem; padding: .625rem 1rem; border: 2px solid var(--edge);
  border-radius: .375rem; background: var(--colour); color: var(--on-colour); font: inherit; font-weight: 600;
  line-height: 1.25; text-align: center; text-decoration: none; cursor: pointer;
}
button:hover, .button:hover { text-decoration: underline; text-underline-offset: .2em; }
a { color: inherit; text-underline-offset: .2em; }
form + a { display: inline-block; margin-top: .75rem; padding: .25rem 0; }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.alert { margin: 0 0 1.25rem; padding: .75rem 1rem; border-left: .375rem solid; border-radius: .375rem; }
.alert p { margin-bottom: .25rem; }
.wrong { background: var(--wrong-surface); color: var(--wrong); }
.good { background: var(--good-surface); color: var(--good); }
@media (min-width: 30rem) { body { padding-top: 8vh; } main { padding: 1.75rem; } }
@media (forced-colors: active) { button, .button, input, main { border: 1px solid; } }
`;
