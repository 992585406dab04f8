import assert from "node:assert/strict";
import { AF_INET, AF_INET6 } from "../../../../ffi/consts.ts";
import { ncCommand } from "../../../../src/cli/commands/nc.ts";
import { planNc } from "../../../../src/cli/nc/plan.ts";
import { planWords } from "../support/command_line.ts";

/** The plan of a command line, as the program parses it. */
function plan(words: string) {
  return planWords(ncCommand, words, planNc);
}

const COMMON = { udp: false, family: undefined, numeric: false, verbose: false, shutdown: false, waitMs: -1 };

Deno.test("planNc() takes what to listen on in all of netcat's ways", () => {
  const listening = { ...COMMON, mode: "listen", keep: false };
  const cases: [words: string, expected: Record<string, unknown>][] = [
    ["-l 80", { host: undefined, port: "80" }],
    ["-l -p 80", { host: undefined, port: "80" }],
    ["-lp80", { host: undefined, port: "80" }],
    ["-l 10.0.0.1 80", { host: "10.0.0.1", port: "80" }],
    ["-l -s 10.0.0.1 -p 80", { host: "10.0.0.1", port: "80" }],
    ["-l -s 10.0.0.1 80", { host: "10.0.0.1", port: "80" }],
    ["-l 10.0.0.1 -p 80", { host: "10.0.0.1", port: "80" }],
    ["80 -l", { host: undefined, port: "80" }],
    ["-l 0", { host: undefined, port: "0" }],
    ["-lkunv4 80", {
      host: undefined,
      port: "80",
      keep: true,
      udp: true,
      numeric: true,
      verbose: true,
      family: AF_INET,
    }],
  ];
  for (const [words, expected] of cases) assert.deepEqual(plan(words), { ...listening, ...expected }, words);
});

Deno.test("planNc() takes where to connect to, and from where", () => {
  const connecting = {
    ...COMMON,
    mode: "connect",
    host: "h",
    ports: ["80"],
    scan: false,
    source: undefined,
    sourcePort: undefined,
  };
  const cases: [words: string, expected: Record<string, unknown>][] = [
    ["h 80", {}],
    ["-s 222.173.190.239 -p 51966 h 80", { source: "222.173.190.239", sourcePort: "51966" }],
    ["-p 0 h 80", {}],
    ["-N -w 3 h http", { ports: ["http"], shutdown: true, waitMs: 3000 }],
    ["-6zvvw1 h 20-22", {
      family: AF_INET6,
      scan: true,
      verbose: true,
      waitMs: 1000,
      ports: ["20", "21", "22"],
    }],
    ["h 80 -u", { udp: true }],
  ];
  for (const [words, expected] of cases) assert.deepEqual(plan(words), { ...connecting, ...expected }, words);
});

Deno.test("planNc() says what does not go together", () => {
  const cases: [words: string, said: RegExp][] = [
    ["-l", /Which port/],
    ["-lz 80", /-z does not go with -l/],
    ["-l a b -p 80", /One word too many: "a"/],
    ["-l -s a b 80", /One word too many: "b"/],
    ["-l 80-90", /not a range/],
    ["-l 65536", /between 1 and 65535/],
    ["-k h 80", /-k needs -l/],
    ["-46 h 80", /exclude each other/],
    ["h", /A host and a port/],
    ["h 0", /between 1 and 65535/],
    ["-p 1-2 h 80", /-p takes one port/],
    ["a b c", /^tproxy nc: .*"c"/],
    ["-w -1 h 80", /^tproxy nc: .*-w/],
    ["-x h 80", /^tproxy nc: .*"-x"/],
  ];
  for (const [words, said] of cases) {
    const complaint = plan(words);
    assert.ok(typeof complaint === "string", words);
    assert.match(complaint, said, words);
  }
});
