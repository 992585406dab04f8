/**
 * Run by heap_test.ts: requests and responses through one session, through the worker's own loop. After
 * warming up it relays as many as its argument says, and prints how many that were.
 */
import { receive, send } from "../../../../ffi/sockets/socket.ts";
import { tcpPair } from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

const messages = Number(Deno.args[0]);
const bench = new SessionBench();
const [proxyToClient, client] = tcpPair();
const [proxyToServer, server] = tcpPair();
bench.open(proxyToClient, proxyToServer);
bench.settle();

const buffer = new Uint8Array(512);

/** One message from one end to the other. */
function pass(from: number, to: number): void {
  send(from, buffer, 512);
  do bench.loop.turn(1); while (receive(to, buffer, 512) < 0);
}

function exchange(count: number): void {
  for (let i = 0; i < count; i++) {
    pass(client, server);
    pass(server, client);
  }
}

exchange(20_000);
const before = bench.relayed().up + bench.relayed().down;
exchange(messages);
const { up, down } = bench.relayed();
Deno.stdout.writeSync(new TextEncoder().encode(`RELAYED ${(up + down - before) / 512}\n`));
Deno.exit(0);
