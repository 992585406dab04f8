/**
 * Run by heap_test.ts: requests and responses through one session, as the worker's loop does it. After warming up it relays
 * as many as its argument says, and prints how many that were.
 */
import { EpollEvents } from "../../../../ffi/epoll.ts";
import { receive, send } from "../../../../ffi/sockets/socket.ts";
import { tcpPair } from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

const messages = Number(Deno.args[0]);
const bench = new SessionBench();
const [proxyToClient, client] = tcpPair();
const [proxyToServer, server] = tcpPair();
bench.open(proxyToClient, proxyToServer);
bench.settle();

const { epoll, clock, sessions } = bench;
const events = new EpollEvents(64);
const buffer = new Uint8Array(512);

/** A turn of the worker's loop, as worker_loop.ts has it. */
function turn(): void {
  const count = events.wait(epoll, sessions.patience() === 0 ? 0 : 1);
  clock.update();
  for (let i = 0; i < count; i++) sessions.event(events.key(i), events.tag(i), events.bits(i));
  sessions.turn();
}

/** One message from one end to the other. */
function pass(from: number, to: number): void {
  send(from, buffer, 512);
  do turn(); while (receive(to, buffer, 512) < 0);
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
