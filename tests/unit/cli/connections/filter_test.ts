import assert from "node:assert/strict";
import { type FilterOptions, readFilter } from "../../../../src/cli/connections/filter.ts";
import type { ConnectionRow } from "../../../../src/daemon/control/connections/row.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { NOW, row } from "./rows.ts";

const ROW = row({ name: "Video.Example.net.", device: "TV", mac: "02:00:00:00:00:01", rule: "work" });
const SIX = { client: "2001:db8::7", family: "ipv6" } as const;

const CASES: readonly [options: FilterOptions, meant: boolean, row?: Partial<ConnectionRow>][] = [
  [{}, true],
  [{ from: "192.168.1.23" }, true],
  [{ from: "192.168.1.0/24" }, true],
  [{ from: "192.168.2.0/24" }, false],
  [{ from: "192.168.1.23:50123" }, true],
  [{ from: "192.168.1.23:50124" }, false],
  [{ from: "::/0" }, false],
  [{ from: "0.0.0.0/0" }, false, SIX],
  [{ from: "2001:db8::/32" }, true, SIX],
  [{ from: "[2001:db8:0::7]:50123" }, true, SIX],
  [{ to: ":443" }, true],
  [{ to: ":44" }, false],
  [{ to: "203.0.113.9:443" }, true],
  [{ to: "203.0.113.0/24" }, false, { destination: null, destinationPort: null }],
  [{ to: "video.example.net" }, true],
  [{ to: "example.net" }, false],
  [{ to: ".example.net" }, true],
  [{ to: "*.example.net" }, true],
  [{ to: "*.video.example.net" }, false],
  [{ to: "*.example.net" }, false, { name: null }],
  [{ to: "*.example.net" }, false, { name: "\u001b[2J" }],
  [{ device: "tv" }, true],
  [{ device: "02:00:00:00:00:01" }, true],
  [{ device: "192.168.1.23" }, true],
  [{ device: "laptop" }, false],
  [{ device: "laptop" }, false, { device: null, mac: null }],
  [{ rule: "work" }, true],
  [{ rule: "wor" }, false],
  [{ rule: "default" }, false],
  [{ rule: "default" }, true, { rule: null }],
  [{ rule: "default" }, false, { rule: null, state: "deciding" }],
  [{ rule: "default" }, true, { rule: "default" }],
  [{ state: "open" }, true],
  [{ state: "dialling" }, false],
  [{ older: "1h" }, true],
  [{ older: "1h1s" }, false],
  [{ from: "192.168.1.23", to: ":80" }, false],
];

Deno.test("filters mean what they say, and all of them must be met", () => {
  for (const [options, meant, more] of CASES) {
    assert.equal(readFilter(options)({ ...ROW, ...more }, NOW), meant, JSON.stringify([options, more]));
  }
});

Deno.test("a filter that makes no sense is wrong usage, and says why", () => {
  for (const options of [{ from: "laptop" }, { from: "10.0.0.0/33" }, { to: "a b" }, { older: "soon" }]) {
    assert.throws(() => readFilter(options), (error: unknown) => {
      assert.ok(error instanceof OperationError && error.usage);
      assert.match(error.message, new RegExp(`^Cannot use --${Object.keys(options)[0]} "`));
      return true;
    });
  }
});
