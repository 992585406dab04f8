import assert from "node:assert/strict";
import { AF_INET, AF_INET6 } from "../../../../ffi/consts.ts";
import { redirectCommand } from "../../../../src/cli/commands/redirect.ts";
import { planRedirect } from "../../../../src/cli/redirect/plan.ts";
import { planWords } from "../support/command_line.ts";

/** The plan of a command line, as the program parses it. */
function plan(words: string) {
  return planWords(redirectCommand, words, planRedirect);
}

Deno.test("planRedirect() takes tcprdr's options and words", () => {
  const plain = {
    family: undefined,
    fastOpen: false,
    loop: false,
    transparent: false,
    fromClient: false,
    listenAddress: undefined,
    localPort: "80",
    upstream: { host: "h", port: "80" },
  };
  const cases: [words: string, expected: Record<string, unknown>][] = [
    ["80 h", {}],
    ["80 h 8080", { upstream: { host: "h", port: "8080" } }],
    ["-4 -f -l 80 h", { family: AF_INET, fastOpen: true, loop: true }],
    ["-6 -t -T -L ::1 80 h", { family: AF_INET6, transparent: true, fromClient: true, listenAddress: "::1" }],
    ["-ltT -L10.0.0.1 80 h", {
      loop: true,
      transparent: true,
      fromClient: true,
      listenAddress: "10.0.0.1",
    }],
    // An original destination is had by transparent listeners only.
    ["-l 80", { loop: true, transparent: true, upstream: null }],
    ["0", { localPort: "0", transparent: true, upstream: null }],
    ["0 h http", { localPort: "0", upstream: { host: "h", port: "http" } }],
  ];
  for (const [words, expected] of cases) assert.deepEqual(plan(words), { ...plain, ...expected }, words);
});

Deno.test("planRedirect() says what is wrong", () => {
  const cases: [words: string, said: RegExp][] = [
    ["-4 -6 80 h", /exclude each other/],
    ["80-81 h", /One port is needed, not 80-81/],
    ["80 h 0", /Port 0 is not between/],
    ["0 h", /Port 0 is not between/],
    ["99999 h", /Port 99999/],
    ["-l", /^tproxy redirect: .*LOCALPORT|^tproxy redirect: /],
    ["80 h 80 x", /^tproxy redirect: .*"x"/],
    ["-x 80 h", /^tproxy redirect: .*"-x"/],
  ];
  for (const [words, said] of cases) {
    const complaint = plan(words);
    assert.ok(typeof complaint === "string", words);
    assert.match(complaint, said, words);
  }
});
