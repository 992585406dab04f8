/**
 * Messages of rtnetlink, as the control plane reads them, and as a worker reads its answers in place.
 * @module
 */
import assert from "node:assert/strict";
import { NETLINK_ROUTE } from "../../../../ffi/consts.ts";
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { NetworkChange } from "../../../../src/daemon/network/change.ts";
import { NetworkNews } from "../../../../src/daemon/network/news.ts";
import { NetlinkSocket } from "../../../../src/dataplane/routes/netlink_socket.ts";
import { RouteQuestion } from "../../../../src/dataplane/routes/route_question.ts";
import { decodeMessages, encodeMessages, type NetlinkMessage } from "../../../../src/netlink/message.ts";
import { decodeAddress } from "../../../../src/netlink/route/address.ts";
import { decodeLink } from "../../../../src/netlink/route/link.ts";
import {
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from "../../../../src/netlink/route/message.ts";
import { decodeRoute } from "../../../../src/netlink/route/route.ts";
import { decodeRoutingRule, formatRule } from "../../../../src/netlink/route/rule.ts";
import { formatIp } from "../../../../src/net/ip.ts";
import { sockaddr } from "../../../unit/dataplane/upstream/greetings/talk.ts";
import { kindOf, orRefusal, type Parser } from "../../parser.ts";
import { changeMessages } from "../support/netlink_inputs.ts";
import { wireSamples } from "../support/wire_samples.ts";

const DESTINATION = sockaddr("192.0.2.1:443");

const SAMPLES = wireSamples((type) => type >= 16 && type < 48);
/** Bytes of the structures, by family of messages: ifinfomsg, ifaddrmsg, rtmsg, fib_rule_hdr. */
const STRUCTURES: Readonly<Record<number, number>> = { 4: 16, 5: 8, 6: 12, 8: 12 };

/** Datagrams of rtnetlink. */
export const rtnetlink: Parser = {
  name: "rtnetlink",
  samples: () => SAMPLES,
  invent: (random) => changeMessages(random.one(SAMPLES), random, (type) => STRUCTURES[type >> 2] ?? 12),
  read: (input) =>
    orRefusal(() => {
      const news = new NetworkNews();
      const kinds = decodeMessages(input).map((message) => {
        const change = new NetworkChange();
        news.read(message, message.sequence % 2 === 1, change);
        return `${change.isUrgent} ${orRefusal(() => readMessage(message))}`;
      });
      return kinds.join(" ").slice(0, 300);
    }),
};

function readMessage({ type, body }: NetlinkMessage): string {
  switch (type) {
    case RTM_NEWLINK:
      return `link ${decodeLink(body).kind.length}`;
    case RTM_NEWADDR: {
      const address = decodeAddress(body);
      return address === undefined ? "none" : `address ${formatIp(address.prefix.address).length}`;
    }
    case RTM_NEWROUTE: {
      const route = decodeRoute(body);
      return `route ${Object.keys(route ?? {}).length} ${route?.nextHops?.length}`;
    }
    case RTM_NEWRULE: {
      const rule = decodeRoutingRule(body);
      return rule === undefined ? "none" : kindOf(formatRule(rule));
    }
    default:
      return `${type}`;
  }
}

const ROUTES = wireSamples((type) => type === RTM_NEWROUTE)
  .flatMap((datagram) => decodeMessages(datagram).map((message) => encodeMessages([message])));

/** Answers to a worker's question for a route. */
export const routeAnswer: Parser = {
  name: "route-answer",
  samples: () => ROUTES,
  invent: (random) => changeMessages(random.one(ROUTES), random, () => STRUCTURES[6]),
  read(input) {
    const results = [0, 0xff].map((filler) => {
      const socket = new NetlinkSocket({ protocol: NETLINK_ROUTE, privileged: false });
      const length = Math.min(input.length, socket.bytes.length);
      socket.bytes.fill(filler);
      socket.bytes.set(input.subarray(0, length));
      socket.ask = () => {
        // As it does with what the kernel has sent.
        if (length < 20) return 0;
        socket.end = Math.min(socket.view.getUint32(0, true), length);
        return 1;
      };
      const question = new RouteQuestion(socket);
      const returned = question.ask(null, DESTINATION, 0, 0);
      const own = makeSockaddr();
      question.readOwnAddress(own, DESTINATION[0]);
      const { oif, table, gateway } = question;
      return { returned, oif, table, gateway, own: own.join() };
    });
    assert.deepEqual(results[0], results[1], "the reader has read past the end");
    const { returned, oif, gateway } = results[0];
    return `${returned} ${Math.sign(oif)} ${gateway !== 0}`;
  },
};
