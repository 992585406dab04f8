/**
 * `tproxy doctor` on whatever kernel the tests run, with and without root; what it finds there is not judged
 * here.
 */
import assert from "node:assert/strict";
import { type DoctorReport, formatFinding, formatSummary } from "../../../src/cli/doctor/report.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import { run } from "./fake_env.ts";

const CONFIG = {
  "/a.yaml": "intercept: { interfaces: [lan0], protocols: [tcp] }\nlistener: { port: 50999 }\n",
  // All else that it reads there may be missing.
  "/proc/sys/net/ipv4/ip_forward": "1\n",
};

Deno.test("doctor --json prints the documented document, and its exit code is `ready`", async () => {
  const { code, stdout, stderr } = await run(["doctor", "--json", "-c", "/a.yaml"], { files: CONFIG });
  const report = JSON.parse(stdout) as DoctorReport;
  assert.deepEqual(Object.keys(report), [
    "version",
    "program",
    "kernel",
    "config",
    "tried",
    "ready",
    "findings",
  ]);
  assert.equal(report.version, 1);
  assert.equal(report.config, "/a.yaml");
  assert.equal(stderr, "tproxy: config: /a.yaml\n");
  assert.ok(["namespace", "router"].includes(report.tried));
  for (const finding of report.findings) {
    const keys = Object.keys(finding).filter((key) => key !== "part" && key !== "also");
    assert.deepEqual(keys.toSorted(), ["blocks", "cause", "id", "remedy", "state", "what"]);
    assert.match(finding.id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(["works", "missing", "not permitted", "warning"].includes(finding.state));
    if (finding.state === "works") assert.equal(finding.blocks, false);
    else assert.notEqual(finding.cause, "", finding.id);
  }
  // There is no interface lan0 here.
  const plan = report.findings.find(({ id }) => id === "plan");
  assert.match(plan!.cause, /Cannot intercept on interface "lan0": there is no such interface/);
  assert.deepEqual([plan!.blocks, report.ready, code], [true, false, 1]);
});

Deno.test("doctor refuses an invalid config with exit code 2", async () => {
  const { code, stdout, stderr } = await run(["doctor", "-c", "/a.yaml"], {
    files: { "/a.yaml": "listner: 1" },
  });
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /\/a\.yaml:1:1: .*listner/);
});

const FINDINGS: readonly Finding[] = [
  { id: "a", state: "works", blocks: false, what: "A", cause: "", remedy: "" },
  { id: "b", state: "missing", blocks: true, what: "B", cause: "why", remedy: "do this" },
  { id: "c", state: "warning", blocks: false, what: "C", cause: "why", remedy: "" },
  { id: "d", state: "not permitted", blocks: true, what: "D", cause: "EPERM", remedy: "be root" },
];

Deno.test("formatFinding() aligns rows, marks what blocks, and puts cause and remedy below", () => {
  assert.equal(
    FINDINGS.map((finding) => formatFinding(finding)).join(""),
    `  works          A
! missing        B
                 why
                 do this
  warning        C
                 why
! not permitted  D  (EPERM)
`,
  );
});

Deno.test("formatSummary() says where the kernel was tried, and whether all works", () => {
  const report: DoctorReport = {
    version: 1,
    program: "0",
    kernel: "6.1",
    config: "x",
    tried: "namespace",
    ready: false,
    findings: FINDINGS,
  };
  assert.match(
    formatSummary(report, 0),
    /^\n.*namespace of its own.*\nbe root\nready: no, 2 findings marked ! in the way; 1 warning\n$/,
  );
  assert.match(
    formatSummary({ ...report, findings: FINDINGS.slice(0, 1) }, 1),
    /this router's own namespace \(another one: EPERM .*\nready: yes, all that this config needs works\n$/,
  );
});
