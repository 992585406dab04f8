import assert from "node:assert/strict";
import { judgeSynCookies } from "../../../../src/doctor/checks/syn_cookies.ts";
import { configWith } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";

const setting = (value: string) => ({ name: "net.ipv4.tcp_syncookies", value, setBy: [] });

Deno.test("judgeSynCookies() finds cookies for everybody where TCP is taken early", () => {
  const judge = (value: string, ...situation: Parameters<typeof situationWith>) =>
    troubles(judgeSynCookies(setting(value), situationWith(...situation)));
  assert.deepEqual(judge("2"), ["! warning syn-cookies"]);
  assert.deepEqual(judge("1"), []);
  assert.deepEqual(judge("0"), []);
  assert.deepEqual(judge("2", { config: configWith({ protocols: ["udp"] }) }), []);
  assert.deepEqual(judge("2", { admission: { inForce: "forward-path", reason: "" } }), []);
});
