/**
 * Successors of a proxy: real ones, and one that comes to nothing at a step that the test chooses.
 * @module
 */
import { connectSequence } from "../../../ffi/sockets/sequence.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { askControl, type ControlReply } from "../../../src/daemon/control/client.ts";
import { HandoverChannel } from "../../../src/daemon/handover/channel.ts";
import { HANDOVER_TARGET, wishOf } from "../../../src/daemon/handover/protocol.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Lab } from "../lab.ts";
import type { Program } from "../program.ts";
import { controlPath, Proxy, PROXY_PORT, tproxyCommand } from "../proxy/proxy.ts";

/** Starts another proxy that takes over; it may fail. */
export function beginSuccessor(lab: Lab, configPath: string): Promise<Program> {
  return lab.router.start([...tproxyCommand(), "run", "-c", configPath], {
    env: { TPROXY_TAKES_OVER: controlPath(lab) },
  });
}

/** The same, until it says that it is ready. */
export async function succeed(lab: Lab, { configPath }: Proxy): Promise<Proxy> {
  const program = await beginSuccessor(lab, configPath);
  await program.waitForOutput(`port=${PROXY_PORT}`, { timeoutMs: 30_000 });
  return new Proxy(program, { configPath });
}

/** Steps after which a successor may come to nothing, in their order. */
export const STEPS = ["asked", "connected", "sockets", "prepared", "estates", "inherited", "yours"] as const;

/** A step. */
export type Step = typeof STEPS[number];

/** Asks a proxy to hand over, with the words of a successor or others. */
export function askToHandOver(lab: Lab, configPath: string, changed: object = {}): Promise<ControlReply> {
  const { config } = loadConfig({ path: configPath, readTextFile: (path) => Deno.readTextFileSync(path) });
  const body = JSON.stringify({ ...wishOf(config, Deno.pid), ...changed });
  return askControl(controlPath(lab), { method: "POST", target: HANDOVER_TARGET, body }) as Promise<
    ControlReply
  >;
}

/** Takes over as a successor does, up to a step, and ends there; nothing that it is given is read. */
export async function failAfter(lab: Lab, configPath: string, last: Step): Promise<void> {
  const reply = await askToHandOver(lab, configPath);
  if (reply.status !== 200) throw new Error(reply.text);
  if (last === "asked") return;
  await withChannel(reply, async (channel, fds) => {
    for (const step of STEPS.slice(2, STEPS.indexOf(last) + 1)) await take(step, channel, fds);
  });
}

/**
 * Takes over all but the connections, is told of the first of them, and ends; nothing that it is given is
 * touched. `says`: that it has them.
 */
export async function dieAmidConnections(lab: Lab, configPath: string, says: boolean): Promise<void> {
  await withChannel(await askToHandOver(lab, configPath), async (channel, fds) => {
    for (const step of STEPS.slice(2)) await take(step, channel, fds);
    channel.send("running");
    await channel.receive("released", 10_000);
    channel.send("ready");
    fds.push(...(await channel.receive("connections", 10_000)).fds);
    if (!says) return;
    channel.send("taken");
    await channel.receive("yours", 10_000);
  });
}

/** Takes over as a version does that knows nothing of connections; `work` is done while it runs. */
export async function takeWithoutConnections(
  lab: Lab,
  configPath: string,
  work: () => Promise<void>,
): Promise<void> {
  const reply = await askToHandOver(lab, configPath, { connections: undefined });
  await withChannel(reply, async (channel, fds) => {
    for (const step of STEPS.slice(2)) await take(step, channel, fds);
    channel.send("running");
    const { text } = await channel.receive("released", 10_000);
    if (text !== "") throw new Error(`more than it knows: ${text}`);
    await work();
  });
}

async function withChannel(
  { text }: ControlReply,
  work: (channel: HandoverChannel, fds: number[]) => Promise<void>,
): Promise<void> {
  const channel = new HandoverChannel(connectSequence(JSON.parse(text).path));
  const fds: number[] = [];
  try {
    await work(channel, fds);
  } finally {
    channel.close();
    for (const fd of fds) closeFd(fd);
  }
}

async function take(step: Step, channel: HandoverChannel, fds: number[]): Promise<void> {
  const receive = async (kind: string) => {
    const parcel = await channel.receive(kind, 10_000);
    fds.push(...parcel.fds);
    return parcel;
  };
  switch (step) {
    case "sockets":
    case "yours":
      return void await receive(step);
    case "estates": {
      const { workers } = JSON.parse((await receive("rules")).text);
      for (let worker = 0; worker < workers; worker++) await receive("estate");
      return;
    }
    default:
      return channel.send(step);
  }
}
