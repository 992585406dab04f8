import assert from "node:assert/strict";
import type { Env } from "../../../../src/cli/env.ts";
import { sshSession } from "../../../../src/cli/trial/session.ts";

const SESSION = "192.0.2.1 50000 192.0.2.2 22";
const PROCESSES: Readonly<Record<string, string>> = {
  // sudo under a shell of sshd, which has a name to be read with care
  "/proc/30/environ": "PATH=/usr/bin\0SUDO_USER=me\0",
  "/proc/30/stat": "30 (sudo) S 20 30 20 0",
  "/proc/20/environ": `PATH=/usr/bin\0SSH_CONNECTION=${SESSION}\0`,
  "/proc/20/stat": "20 (ba) sh) S 10 20 20 0",
  // a console
  "/proc/40/environ": "TERM=linux\0",
  "/proc/40/stat": "40 (a) b (c) S 1 40 40 0",
};

function env(own?: string): Env {
  return {
    getenv: () => own,
    readTextFile(path: string) {
      if (Object.hasOwn(PROCESSES, path)) return PROCESSES[path];
      throw new Deno.errors.NotFound();
    },
  } as Partial<Env> as Env;
}

Deno.test("sshSession() asks the environment, and then the parents: sudo takes it away", () => {
  assert.equal(sshSession(env("a"), 30), "a");
  assert.equal(sshSession(env(), 30), SESSION);
  assert.equal(sshSession(env(), 40), undefined);
  assert.equal(sshSession(env(), 50), undefined);
});
