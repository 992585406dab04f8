/**
 * Guards that the hot path's calls go through V8's fast API: a parameter type that forbids it would cost ten
 * times as much.
 */
import assert from "node:assert/strict";

Deno.test("the wrappers of the hot path make fast calls", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("fast_path_guard.ts", import.meta.url).pathname],
    // Tracing makes calls slow, so it is on in that process only.
    env: { DENO_UNSTABLE_FFI_TRACE_TURBO: "1", NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { checked, slow } = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(checked.length, 21);
  assert.deepEqual(slow, []);
});
