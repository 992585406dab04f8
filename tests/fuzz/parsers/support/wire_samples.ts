/**
 * Recorded messages of netlink (scripts/record wire) as datagrams to begin with.
 * @module
 */
import { encodeMessages } from "../../../../src/netlink/message.ts";
import { recordedMessages } from "../../../unit/netlink/wire.ts";

const FOLDER = new URL("../../../testdata/wire/", import.meta.url);
/** Messages of a dump are many; an input has as many as a rule's batch. */
const MOST_MESSAGES = 8;
const MOST_BYTES = 3000;

/** Reads the recordings, and keeps the messages of these types: some to a datagram. */
export function wireSamples(isWanted: (type: number) => boolean): Uint8Array[] {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name.replace(/\.hex$/, "")).sort();
  return names.flatMap((name) => {
    const messages = recordedMessages(name).filter(({ type, body }) =>
      isWanted(type) && body.length < MOST_BYTES
    );
    const datagrams: Uint8Array[] = [];
    for (let at = 0; at < messages.length && datagrams.length < 8; at += MOST_MESSAGES) {
      datagrams.push(encodeMessages(messages.slice(at, at + MOST_MESSAGES)));
    }
    return datagrams;
  });
}
