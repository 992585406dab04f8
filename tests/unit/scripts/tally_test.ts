import assert from "node:assert/strict";
import { countTests, formatTally, judgeRun, readFailures } from "../../../scripts/lib/test/tally.ts";

// As Deno 2.9.6 writes it.
const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.008">
    <testsuite name="a_test.ts" tests="5" disabled="1" errors="1" failures="1">
        <testcase name="passes &gt; all" classname="a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="is ignored" classname="a_test.ts" time="0.000" line="1" col="32">
            <skipped/>
        </testcase>
        <testcase name="fails" classname="a_test.ts" time="0.000" line="1" col="76">
            <failure message="Uncaught Error: boo">Error: boo</failure>
        </testcase>
        <testcase name="is cut off" classname="a_test.ts" time="0.000" line="1" col="6">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="without a body" classname="a_test.ts" time="0.1"/>
        <testcase name="left out by a filter" classname="a_test.ts" line="1" col="6">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("countTests() counts passed, failed, cancelled and ignored tests", () => {
  assert.deepEqual(countTests(JUNIT), { passed: 2, failed: 2, skipped: 1 });
});

Deno.test("readFailures() tells which tests failed, and why", () => {
  const junit = JUNIT.replace('name="fails"', 'name="fails &amp; &lt;so&gt;"');
  assert.deepEqual(readFailures(junit), [
    { name: "fails & <so>", text: "Error: boo" },
    { name: "is cut off", text: "Cancelled" },
  ]);
  assert.deepEqual(readFailures(""), []);
});

Deno.test("judgeRun() counts a run that fails without a failed test as one failure", () => {
  const junit = `<testsuite><testcase name="a" time="0.000"></testcase></testsuite>`;
  assert.deepEqual(judgeRun({ succeeded: false, junit }), { passed: 1, failed: 1, skipped: 0 });
  assert.deepEqual(judgeRun({ succeeded: true, junit }), { passed: 1, failed: 0, skipped: 0 });
});

Deno.test("judgeRun() counts a run without tests as a failure", () => {
  assert.equal(judgeRun({ succeeded: true, junit: undefined }).failed, 1);
  assert.equal(judgeRun({ succeeded: true, junit: "<testsuites/>" }).failed, 1);
});

Deno.test("formatTally() writes the last line", () => {
  assert.equal(formatTally({ passed: 3, failed: 0, skipped: 1 }), "3 passed, 0 failed, 1 skipped");
});
