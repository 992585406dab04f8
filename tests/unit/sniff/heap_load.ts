/**
 * Run by heap_test.ts: reads recorded flows as often as its argument says, after warming up.
 */
import { FoundName } from "../../../src/sniff/found.ts";
import { QuicReader } from "../../../src/sniff/quic/reader.ts";
import { readStream } from "../../../src/sniff/stream.ts";
import { recorded, recordingsOf } from "./recordings.ts";

const streams = [...recordingsOf("tls"), ...recordingsOf("http")].map((name) => recorded(name)[0]);
const flows = recordingsOf("quic").map(recorded);
const reader = new QuicReader();
const found = new FoundName();

function read(times: number): number {
  let names = 0;
  for (let i = 0; i < times; i++) {
    const stream = streams[i % streams.length];
    for (let j = 0; j < 50; j++) {
      if (readStream(stream, stream.length, found) === 0) names++;
    }
    reader.reset();
    for (const datagram of flows[i % flows.length]) {
      if (reader.datagram(datagram, datagram.length, found) === 0) names++;
    }
  }
  return names;
}

read(2000);
// Garbage that is collected in any case, and told of.
const objects = Array.from({ length: 100_000 }, (_, i) => ({ i })).length;
const names = read(Number(Deno.args[0]));
Deno.stdout.writeSync(new TextEncoder().encode(names > 0 && objects > 0 ? "READ\n" : "no names\n"));
