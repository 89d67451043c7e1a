// A frozen page on paper: what a screen folds stands open, and contents below the answer where it has none of its own.
import { html, render, useEffect } from "jevons/vendor/preact.js";
import { t } from "jevons/i18n.js";

/** Fewest parts that are worth a list of contents. */
const FEWEST = 3;
const TITLES = ".card > .card-head h2, .card > h2, .chart-title, .caption";

function Contents({ titles }) {
  return html`<h2>${t("report.contents")}</h2><ol>${titles.map((one) => html`<li><a href=${`#${one.id}`}>${one.textContent}</a></li>`)}</ol>`;
}

/** Unfold what is folded while the page is printed, and where asked list the titles of its charts and tables below the answer. */
export function usePaper(lists) {
  useEffect(() => {
    const main = document.getElementById("main");
    const place = Object.assign(document.createElement("nav"), { className: "contents report" });
    let opened = [];
    const begin = () => {
      opened = [...main.querySelectorAll("details:not([open],.screen)")];
      for (const one of opened) one.open = true;
      const titles = [...main.querySelectorAll(TITLES)].filter((one) => one.textContent.trim());
      const answer = main.querySelector(".answer");
      if (!lists || titles.length < FEWEST || !answer) return;
      titles.forEach((one, at) => { one.id ||= `part-${at}`; });
      place.setAttribute("aria-label", t("report.contents"));
      render(html`<${Contents} titles=${titles}/>`, place);
      answer.after(place);
    };
    const end = () => {
      for (const one of opened) one.open = false;
      place.remove();
    };
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => { removeEventListener("beforeprint", begin); removeEventListener("afterprint", end); end(); };
  }, [lists]);
}
