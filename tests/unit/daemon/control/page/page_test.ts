import assert from "node:assert/strict";
import { makePage } from "../../../../../src/daemon/control/page/page.ts";
import { pageRoute } from "../../../../../src/daemon/control/routes/page.ts";
import { wholeAnswer } from "../../../../../src/daemon/control/http/answer.ts";

/** Bytes of the whole page, at most. */
const MOST = 30_000;

const { text, policy } = await makePage();
const [, script] = /<script type="module">([^]*)<\/script>/.exec(text)!;
const [, style] = /<style>([^]*?)<\/style>/.exec(text)!;

Deno.test("the page is small, and whole in itself", () => {
  const { length } = new TextEncoder().encode(text);
  assert.ok(length <= MOST, `${length} bytes`);
  assert.doesNotMatch(text, /https?:|\bsrc=|url\(|@import|<link(?! rel="icon" href="data:,")|\bimport\b/);
  // All parts are one module: names that stand twice, or words of modules, do not pass here.
  new Function(`"use strict"; return async () => {${script}}`);
});

Deno.test("the policy allows its own script and style alone, and connections to where it came from", async () => {
  const rules = new Map(
    policy.split("; ").map((rule): [string, string] => {
      const [name, ...values] = rule.split(" ");
      return [name, values.join(" ")];
    }),
  );
  const hash = async (text: string) =>
    `'sha256-${
      new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toBase64()
    }'`;
  assert.deepEqual(Object.fromEntries(rules), {
    "default-src": "'none'",
    "script-src": await hash(script),
    "style-src": await hash(style),
    "connect-src": "'self'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
  });
  assert.doesNotMatch(text, /\son\w+=|\sstyle=/, "the policy would refuse it");
});

Deno.test("nothing in the page makes HTML, or code, of a text", () => {
  assert.doesNotMatch(
    script,
    /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|srcdoc/,
  );
});

Deno.test("the answer forbids frames, guesses of its type, and keeping", async () => {
  const answer = await pageRoute.answer({} as never, {} as never);
  assert.ok("body" in answer);
  const [head] = new TextDecoder().decode(wholeAnswer(answer, answer.body)).split("\r\n\r\n", 1);
  for (
    const line of [
      "HTTP/1.1 200 OK",
      "content-type: text/html; charset=utf-8",
      `content-security-policy: ${policy}`,
      "x-frame-options: DENY",
      "x-content-type-options: nosniff",
      "cache-control: no-store",
      "referrer-policy: same-origin",
      "cross-origin-opener-policy: same-origin",
      "cross-origin-resource-policy: same-origin",
    ]
  ) assert.ok(head.split("\r\n").includes(line), line);
  assert.doesNotMatch(head, /access-control/i);
});
