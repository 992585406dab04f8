/**
 * Files beside the config that `run` would not start with: `install` does not begin either.
 */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { labTest } from "../../laboratory/register.ts";

labTest("install refuses a password that run would refuse, and changes nothing", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const password = lab.writeFile("office.secret", "secret\n");
  Deno.chmodSync(password, 0o644);
  const path = writeConfig(lab, {
    upstreams: {
      office: {
        type: "socks5",
        address: `${ADDRESSES[4].server}:1080`,
        username: "me",
        "password-file": password,
      },
    },
  });
  const { code, stderr } = await tproxy(lab, ["install", "-c", path], { mayFail: true });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /upstreams\.office\.password-file: cannot use .* others than its owner may use it/);
  assert.equal(await snapshotKernel(lab.router), before);
  assert.equal((await tproxy(lab, ["install", "--dry-run", "-c", path])).code, 0);
  Deno.chmodSync(password, 0o600);
  await tproxy(lab, ["install", "-c", path]);
});
