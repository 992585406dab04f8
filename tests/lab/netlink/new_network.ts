/**
 * Network namespaces of the calling thread, without a name: they vanish with the test. Everything in between
 * is synchronous, child processes included, for the thread to stay in its namespace.
 * @module
 */
import assert from "node:assert/strict";
import { enterNetwork, openReadOnly, unshareNetwork } from "../../../ffi/process.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check } from "../../../src/net/error.ts";

/** Runs a program in the thread's network namespace, and gives what it prints. */
export function run(command: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args: [...args] }).outputSync();
  assert.ok(success, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Runs ip with these arguments, and gives what it tells. */
export function json(...args: string[]): Record<string, unknown>[] {
  return JSON.parse(run("ip", ["-j", ...args]) || "[]");
}

/** A descriptor of the network namespace that the thread is in. */
export function currentNetwork(): number {
  return check(openReadOnly("/proc/thread-self/ns/net"), "open", "/proc/thread-self/ns/net");
}

/** Runs `work` in a new network namespace and comes back. */
export function inNewNetwork<T>(work: () => T): T {
  const home = currentNetwork();
  try {
    check(unshareNetwork(), "unshare network");
    return work();
  } finally {
    check(enterNetwork(home), "return to the network namespace");
    closeFd(home);
  }
}

function missing(): string {
  if (Deno.uid() !== 0) return "root";
  for (const [program, flag] of [["nft", "--version"], ["ip", "-V"]]) {
    try {
      new Deno.Command(program, { args: [flag] }).outputSync();
    } catch {
      return program;
    }
  }
  return "";
}

/** Names the machine's lacks for these tests; the empty string: none. */
export const lacks = missing();
// deno-lint-ignore no-console
if (lacks !== "") console.log(`netlink_test: skipped, needs ${lacks}`);

/** Registers a test that runs in a network namespace of its own. */
export function labTest(name: string, work: () => void): void {
  Deno.test({ name, ignore: lacks !== "", fn: () => inNewNetwork(work) });
}
