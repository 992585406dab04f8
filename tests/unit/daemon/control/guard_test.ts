import assert from "node:assert/strict";
import {
  ADDRESSES,
  type BrowserUse,
  PAGE_FIELD,
  refusalOf,
  TUNNEL,
} from "../../../../src/daemon/control/guard.ts";
import { ROUTES } from "../../../../src/daemon/control/routes.ts";

type Fields = Record<string, string>;

function ask(method: string, headers: Fields, use: BrowserUse = "asked", hosts = TUNNEL): string {
  const request = {
    method,
    path: "/",
    query: new URLSearchParams(),
    headers: new Map(Object.entries(headers)),
  };
  return refusalOf(request, hosts, use) ?? "answered";
}

const HOST = "localhost:8080";
const JSON_TYPE = { "content-type": "application/json" };
const BROWSER = { host: HOST, "user-agent": "Mozilla/5.0 (X11)" };
/** A request of our page's script. */
const READS = { ...BROWSER, "sec-fetch-site": "same-origin", [PAGE_FIELD]: "1" };
const CLOSES = { ...READS, ...JSON_TYPE, origin: `http://${HOST}` };

const without = (fields: Fields, name: string) =>
  Object.fromEntries(Object.entries(fields).filter(([own]) => own !== name));

Deno.test("whoever connects himself is answered, whatever the route", () => {
  for (const use of ["opened", "asked", "none"] as const) {
    assert.equal(ask("GET", {}, use), "answered");
    assert.equal(ask("GET", { host: HOST, "user-agent": "curl/8.14" }, use), "answered");
    assert.equal(ask("POST", { host: "localhost", ...JSON_TYPE }, use), "answered");
  }
  // A form of another page, in a browser that says nothing of where it comes from.
  assert.match(ask("POST", { host: HOST, "content-type": "text/plain" }), /json/);
  assert.match(ask("POST", { host: HOST }), /json/);
});

Deno.test("names that were made to lead here are refused, the near end of a tunnel is not", () => {
  for (const host of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "localhost"]) {
    assert.equal(ask("GET", { host, "sec-fetch-site": "none" }, "opened"), "answered", host);
    assert.equal(ask("POST", { ...CLOSES, host, origin: `http://${host}` }), "answered", host);
  }
  const others = [
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.168.1.1",
    "",
    "[::2]",
  ];
  for (const host of others) {
    assert.match(ask("GET", { ...READS, host }), /host/, host);
    assert.match(ask("POST", { ...CLOSES, host, origin: `http://${host}` }), /host/, host);
  }
  assert.equal(ask("GET", { ...BROWSER, host: "192.168.1.1:9466" }, "opened", ADDRESSES), "answered");
  assert.match(ask("GET", { ...BROWSER, host: "router.evil.example" }, "opened", ADDRESSES), /host/);
});

Deno.test("a browser may use what is made for it, and nothing else", () => {
  assert.equal(ask("GET", { ...BROWSER, "sec-fetch-site": "none" }, "opened"), "answered");
  assert.equal(ask("GET", READS, "asked"), "answered");
  assert.equal(ask("POST", CLOSES, "asked"), "answered");
  // Each sign alone says that it is one.
  const signs: Fields[] = [
    { "user-agent": "Mozilla/5.0" },
    { referer: `http://${HOST}/` },
    { origin: `http://${HOST}` },
    { "sec-fetch-mode": "navigate" },
  ];
  for (const sign of signs) {
    assert.match(ask("GET", { host: HOST, ...sign }, "none"), /not for browsers/, JSON.stringify(sign));
    assert.match(ask("GET", { host: HOST, ...sign }, "asked"), new RegExp(PAGE_FIELD), JSON.stringify(sign));
  }
  assert.match(ask("POST", CLOSES, "none"), /not for browsers/);
  const uses = ROUTES.filter(({ browsers = "none" }) => browsers !== "none")
    .map(({ method, path, browsers }) => `${method} ${path} ${browsers}`);
  assert.deepEqual(uses.toSorted(), [
    "GET / opened",
    "GET /metrics opened",
    "GET /v1/look asked",
    "POST /v1/connections/close asked",
  ]);
});

Deno.test("a page of others neither reads nor closes, with any of what it can send", () => {
  for (const site of ["cross-site", "same-site", "anything"]) {
    for (const use of ["opened", "asked"] as const) {
      assert.match(ask("GET", { ...READS, "sec-fetch-site": site }, use), /site/);
      assert.match(ask("POST", { ...CLOSES, "sec-fetch-site": site }, use), /site/);
    }
  }
  // An address that is typed shows the page, and no more.
  assert.match(ask("GET", { ...READS, "sec-fetch-site": "none" }), /site/);
  for (
    const origin of ["http://localhost:9090", "https://localhost:8080", "null", "http://evil.example", ""]
  ) {
    assert.match(ask("GET", { ...READS, origin }), /origin/, origin);
    assert.match(ask("POST", { ...CLOSES, origin }), /origin/, origin);
  }
  for (const field of ["origin", PAGE_FIELD, "content-type"]) {
    assert.notEqual(ask("POST", without(CLOSES, field)), "answered", field);
  }
  // One that is older and does not say where it comes from has the other signs all the same.
  assert.equal(ask("POST", without(CLOSES, "sec-fetch-site")), "answered");
  assert.match(ask("OPTIONS", { ...BROWSER, origin: "http://evil.example" }, "none"), /origin/);
});
