/**
 * A flood of UDP datagrams, each from another source, as a client with forged addresses sends it.
 * @module
 */
import { parseIp } from "../../../src/net/ip.ts";
import type { UdpSocket } from "./udp_socket.ts";
import { delay } from "../machine/wait.ts";

const IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

/** Whence and where to. */
export interface Flood {
  /** Datagrams, and as many source endpoints. */
  readonly count: number;
  /** The first source address; each serves for `portsEach` ports. */
  readonly firstSource: string;
  readonly portsEach: number;
  readonly destination: string;
  readonly port: number;
}

/** Sends the flood as fast as the socket (a raw one, IPv4) takes it; the test goes on meanwhile. */
export async function sendFlood(socket: UdpSocket, flood: Flood): Promise<void> {
  const packet = makePacket(flood);
  const view = new DataView(packet.buffer);
  const source = view.getUint32(12);
  for (let i = 0; i < flood.count; i++) {
    view.setUint32(12, source + Math.floor(i / flood.portsEach));
    view.setUint16(IP_HEADER, 1_024 + i % flood.portsEach);
    socket.send(packet, `${flood.destination}:0`);
    if (i % 500 === 499) await delay(0);
  }
}

/**
 * An IPv4 packet with 12 bytes of data. The kernel fills in length, id and the header's checksum; UDP's 0:
 * none.
 */
function makePacket(flood: Flood): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(IP_HEADER + UDP_HEADER + 12);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45); // version 4, five words of header
  view.setUint8(8, 64); // time to live
  view.setUint8(9, UDP);
  packet.set(parseIp(flood.firstSource)!.bytes, 12);
  packet.set(parseIp(flood.destination)!.bytes, 16);
  view.setUint16(IP_HEADER + 2, flood.port);
  view.setUint16(IP_HEADER + 4, packet.length - IP_HEADER);
  return packet;
}
