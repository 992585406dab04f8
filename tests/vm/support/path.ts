/**
 * The way from a client through a router to a server, in a machine: what the functions of guest/net.sh do, as
 * values.
 * @module
 */
import assert from "node:assert/strict";
import type { Vm } from "./vm.ts";

/** The server's addresses, by family. */
export const SERVER = { ipv4: "192.0.2.2", ipv6: "2001:db8::2" };

/** Puts the functions of guest/net.sh before a script. */
export function withHosts(script: string): string {
  return `. /run/vm/net.sh\n${script}`;
}

/**
 * Makes a web request and fetches 1 MiB with each family. Returns the client that the server saw, and
 * `whole`.
 */
export function browse(vm: Vm, name: string): Promise<string> {
  const urls = [SERVER.ipv4, `[${SERVER.ipv6}]`];
  return vm.run(name, withHosts(urls.map((url) => `ask ${url}\nfetch ${url}`).join("\n")), { seconds: 500 });
}

/**
 * One question and one answer by UDP with each family, and whom the server saw; the ports are left out.
 * `netcat`: the command, Debian's unless given.
 */
export async function exchange(vm: Vm, name: string, netcat = ""): Promise<string> {
  const script = [SERVER.ipv4, SERVER.ipv6].map((address) => `datagrams ${address} ${netcat}`).join("\n");
  const said = await vm.run(name, withHosts(script), { seconds: 500 });
  // What has come late has come for another reason than the test thinks.
  assert.doesNotMatch(said, /^not within/m);
  return said.split("\n").filter((line) => /^(question|answer|Connection received)/.test(line))
    .map((line) => line.replace(/ \d+$/, "")).join("\n");
}

/** Starts `tproxy run` and waits until it relays. Its log is /tmp/log, its process the one in /tmp/pid. */
export async function startProxy(
  vm: Vm,
  options: { arguments?: string; seconds?: number } = {},
): Promise<void> {
  await vm.run(
    "run",
    `: >/tmp/log
tproxy run ${options.arguments ?? ""} >/tmp/log 2>&1 &
echo $! >/tmp/pid
while ! grep -q relays /tmp/log; do
  sleep 0.2
  [ -d /proc/$! ] || { cat /tmp/log; exit 1; }
done`,
    { seconds: options.seconds ?? 120 },
  );
}

/** Ends it as an administrator does, and gives its last line. */
export function stopProxy(vm: Vm): Promise<string> {
  return vm.run(
    "stop",
    `kill $(cat /tmp/pid)
while [ -d /proc/$(cat /tmp/pid) ]; do sleep 0.2; done
tail -n 1 /tmp/log`,
  );
}

/** Reads the kernel's complaints about the events so far; it keeps most of them from its console. */
export function complaints(vm: Vm): Promise<string> {
  const words =
    "BUG:|WARNING:|Oops|refcount|Out of memory|oom-kill|blocked for more than|scheduling while atomic";
  return vm.run("complaints", `dmesg | grep -E '${words}' || true`);
}
