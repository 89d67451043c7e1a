import { html } from "jevons/vendor/preact.js";
export function View() { return html`<p>…</p>`; }
export function Result() { return html`<p>…</p>`; }
