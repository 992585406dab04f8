/**
 * The proof that what arrived has passed the proxy, or has not: how many packets the router itself has
 * forwarded.
 * @module
 */

/** IPv4 packets that were forwarded, from the text of /proc/net/snmp. */
export function parseForwarded(text: string): number {
  const [names, values] = text.split("\n").filter((line) => line.startsWith("Ip: ")).map((line) =>
    line.split(" ")
  );
  const count = Number(values?.[names.indexOf("ForwDatagrams")]);
  if (!Number.isInteger(count)) throw new Error("Cannot find ForwDatagrams in /proc/net/snmp");
  return count;
}

/** Throws where a proxy's datagrams went past it, or plain forwarding's did not go through the router. */
export function checkPath(counts: { delivered: number; forwarded: number; isProxy: boolean }): void {
  const { delivered, forwarded, isProxy } = counts;
  // ICMP errors for sockets that are closed by now are forwarded.
  if (isProxy && forwarded > delivered / 100) {
    throw new Error(`The router forwarded ${forwarded} packets past the proxy, ${delivered} arrived`);
  }
  if (!isProxy && forwarded < delivered) {
    throw new Error(`The router forwarded only ${forwarded} packets, yet ${delivered} arrived`);
  }
}
