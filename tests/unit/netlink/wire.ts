/**
 * Recordings of scripts/lib/record/wire.ts.
 * @module
 */
import assert from "node:assert/strict";
import type { NetlinkRequest } from "../../../src/netlink/message.ts";
import { decodeMessages, type NetlinkMessage } from "../../../src/netlink/message.ts";

const DIRECTORY = new URL("../../testdata/wire/", import.meta.url);

/** The messages of a recording, in order. */
export function recordedMessages(name: string): NetlinkMessage[] {
  const blocks = Deno.readTextFileSync(new URL(`${name}.hex`, DIRECTORY)).split("\n\n");
  return blocks.slice(1).flatMap((block) => {
    const bytes = block.trim().split(/\s+/).map((byte) => parseInt(byte, 16));
    return decodeMessages(Uint8Array.from(bytes));
  });
}

/** The messages of a recorded batch, without begin and end. */
export function recordedBatch(name: string): NetlinkMessage[] {
  const messages = recordedMessages(name);
  assert.deepEqual([messages[0].type, messages.at(-1)?.type], [16, 17], "a batch has a begin and an end");
  return messages.slice(1, -1);
}

/** 4 bytes a line, as nft's own debug output. */
function dump(body: Uint8Array): string[] {
  const hex = [...body].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.match(/.{1,8}/g) ?? [];
}

/** Asserts that requests are, bit by bit, what was recorded. */
export function assertRecorded(
  requests: readonly NetlinkRequest[],
  recorded: readonly NetlinkMessage[],
): void {
  const plain = ({ type, body }: NetlinkRequest) => ({ type: type.toString(16), body: dump(body) });
  assert.deepEqual(requests.map(plain), recorded.map(plain));
}

/** The command that was recorded. */
export function recordedCommand(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.hex`, DIRECTORY)).split("\n")[0].replace(/^# /, "");
}
