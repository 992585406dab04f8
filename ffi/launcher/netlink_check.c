/* The check of what a proxy sends to the kernel through netlink_server.c: whether a datagram changes
 * anything that is not the proxy's own. All of its messages must be allowed, or none is sent. Pure: bytes
 * in, an answer out. Tested, and fuzzed, from TypeScript: tests/unit/ffi/launcher/, tests/fuzz/. */
#include "launcher.h"

#include <linux/netlink.h>
#include <string.h>

#define NFNETLINK_HEADER 4 /* struct nfgenmsg */
/* linux/netfilter/nfnetlink.h */
enum { BATCH_BEGIN = 16, BATCH_END = 17, CONNTRACK = 1, QUEUES = 3, LOGS = 4 };

static int may_ask_netfilter(unsigned type, unsigned flags, struct span body, const struct netlink_limits *limits)
{
  if (body.size < NFNETLINK_HEADER) return 0;
  if (type == BATCH_BEGIN || type == BATCH_END) return may_frame_batch(body);
  switch (type >> 8) {
  case NF_TABLES:
    return may_change_tables(type & 0xff, body);
  case CONNTRACK:
    return may_change_flows(type & 0xff, flags, body);
  case QUEUES:
    return may_queue(type & 0xff, body, limits);
  case LOGS:
    return may_log(type & 0xff, body, limits);
  default:
    return 0;
  }
}

int may_send(int protocol, const uint8_t *bytes, size_t size, const struct netlink_limits *limits)
{
  struct nlmsghdr header;
  size_t step;
  if (size == 0) return 0;
  for (; size; bytes += step, size -= step) {
    if (size < sizeof header) return 0;
    memcpy(&header, bytes, sizeof header);
    step = NLMSG_ALIGN((size_t)header.nlmsg_len);
    if (header.nlmsg_len < sizeof header || step > size) return 0;
    struct span body = { bytes + sizeof header, header.nlmsg_len - sizeof header };
    int allowed = protocol == NETLINK_ROUTE ? may_change_routes(header.nlmsg_type, header.nlmsg_flags, body, limits)
                                            : may_ask_netfilter(header.nlmsg_type, header.nlmsg_flags, body, limits);
    if (!allowed) return 0;
  }
  return 1;
}
