import assert from "node:assert/strict";
import { refusalOf } from "../../../../src/daemon/control/guard.ts";

const ask = (method: string, headers: Record<string, string>) =>
  refusalOf({ method, path: "/", query: new URLSearchParams(), headers: new Map(Object.entries(headers)) });

Deno.test("whoever connects himself is answered, and the page that came from here", () => {
  assert.equal(ask("GET", {}), undefined);
  const json = { "content-type": "application/json" };
  assert.equal(ask("POST", { host: "localhost", ...json }), undefined);
  for (const host of ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"]) {
    assert.equal(ask("GET", { host, "sec-fetch-site": "none" }), undefined);
    const own = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin", ...json };
    assert.equal(ask("POST", own), undefined);
  }
});

Deno.test("pages of others, and names that were made to lead here, are refused", () => {
  const host = "localhost:8080";
  const json = { "content-type": "application/json" };
  assert.match(ask("GET", { host: "evil.example:8080" })!, /host/);
  assert.match(ask("GET", { host: "localhost.evil.example" })!, /host/);
  assert.match(ask("GET", { host, "sec-fetch-site": "cross-site" })!, /site/);
  assert.match(ask("GET", { host, "sec-fetch-site": "same-site" })!, /site/);
  assert.match(ask("POST", { host, origin: "http://localhost:9090", ...json })!, /origin/);
  assert.match(ask("POST", { host, origin: "null", ...json })!, /origin/);
  // A form of another page, in a browser that says nothing of where it comes from.
  assert.match(ask("POST", { host, "content-type": "text/plain" })!, /json/);
  assert.match(ask("POST", { host })!, /json/);
});
