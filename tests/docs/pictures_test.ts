import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { THEMES } from "../bench/charts/theme.ts";

const FOLDER = fileURLToPath(new URL("../../lib/docs/pictures/", import.meta.url));
const COLOUR = /#[0-9a-f]{6}\b/g;

const drawn = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
  .filter((name) => name.endsWith(".svg"));

function read(name: string): string {
  return Deno.readTextFileSync(FOLDER + name);
}

Deno.test("a drawing is there for light and for dark pages, alike but for its colours", () => {
  assert.ok(drawn.includes("flow-light.svg"), "the way of a message is drawn");
  for (const name of drawn) {
    const [, start] = /^(.*)-(?:light|dark)\.svg$/.exec(name) ?? [];
    assert.ok(start !== undefined, `${name} says for which pages it is`);
    const [light = "", dark = ""] = ["light", "dark"].map((theme) => read(`${start}-${theme}.svg`));
    assert.equal(light.replace(COLOUR, ""), dark.replace(COLOUR, ""));
    assert.notEqual(light, dark);
  }
});

Deno.test("a drawing needs nothing from elsewhere, says what it shows, and fits a page", () => {
  for (const name of drawn) {
    const svg = read(name);
    assert.doesNotMatch(
      svg.replace('xmlns="http://www.w3.org/2000/svg"', ""),
      /https?:|<script|<image|@import/,
    );
    assert.match(svg, /<title>[^<]{40,}<\/title>/);
    const [, width, height] = /viewBox="0 0 (\d+) ([\d.]+)"/.exec(svg) ?? [];
    assert.ok(Number(width) <= 800 && Number(height) <= 900, `${name}: ${width} × ${height}`);
  }
});

Deno.test("the texts of a chart can be read on its page", () => {
  const pages = { light: "#ffffff", dark: "#0d1117" };
  for (const [theme, page] of Object.entries(pages) as ["light" | "dark", string][]) {
    const { text, quiet } = THEMES[theme];
    for (const colour of [text, quiet]) {
      assert.ok(contrast(colour, page) >= 4.5, `${colour} on ${page}`);
    }
  }
});

/** The ratio that WCAG 2 asks for: 4.5 for text. */
function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
