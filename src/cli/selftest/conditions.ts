/**
 * Conditions that the router is put into for checks: each puts back what it has changed.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import { type CheckContext, CheckSkip, expect } from "./checks/check.ts";
import { ADDRESSES } from "./addresses.ts";

/** With the reverse path checked strictly, and with the mark in mind: what Tailscale and wg-quick set. */
export async function withStrictReversePath<T>(
  { network }: CheckContext,
  work: () => Promise<T>,
): Promise<T> {
  const names = ["all", "r0", "r1"].flatMap((link) => [
    `ipv4/conf/${link}/src_valid_mark`,
    `ipv4/conf/${link}/rp_filter`,
  ]);
  const write = (value: number) =>
    network.router.writeSysctls(Object.fromEntries(names.map((name) => [name, value])));
  await write(1);
  try {
    return await work();
  } finally {
    await write(0);
  }
}

/**
 * With masquerade towards the server. Then checks that packets from the router reached it, and none from the
 * client.
 */
export async function withMasquerade<T>(
  { network: { router, server } }: CheckContext,
  family: Family,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await router.setMasquerade(true);
  } catch (error) {
    throw new CheckSkip(`this kernel cannot masquerade: ${(error as Error).message}`);
  }
  try {
    await server.startCapture();
    let sources: string[] = [];
    let result: T;
    try {
      result = await work();
    } finally {
      sources = await server.stopCapture();
    }
    const { client, wan } = ADDRESSES[family];
    expect(sources.includes(wan), `no packet from ${wan} reached the server, but from ${sources.join(", ")}`);
    expect(!sources.includes(client), `a packet from ${client} reached the server`);
    return result;
  } finally {
    await router.setMasquerade(false);
  }
}

/** With new flows forwarded by the router itself. */
export async function withForwarding<T>({ network }: CheckContext, work: () => Promise<T>): Promise<T> {
  await network.router.setForwardPolicy("accept");
  try {
    return await work();
  } finally {
    await network.router.setForwardPolicy("drop");
  }
}

/** Without a proxy: it is killed, unless it is dead already. */
export async function killProxy({ network }: CheckContext): Promise<void> {
  await network.router.endProxy("SIGKILL");
  network.proxyPid = undefined;
}
