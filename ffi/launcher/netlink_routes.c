/* Requests to rtnetlink: everything may be read, and nothing be changed but routing rules that ask for marks
 * of ours, and the route that delivers to this machine. What is taken away has our protocol number: the
 * kernel compares it. Pure. */
#include "launcher.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* src/constants.ts */
#define OUR_PROTOCOL 50
#define LOOPBACK 1
#define WHOLE 0xffffffff
/* Adds, and never takes the place of what is there. */
#define MODE (NLM_F_REPLACE | NLM_F_EXCL | NLM_F_CREATE | NLM_F_APPEND)
#define ADDS (NLM_F_EXCL | NLM_F_CREATE)

static int is_of_ip(struct span body) { return body.at[0] == AF_INET || body.at[0] == AF_INET6; }

/* All conditions of a rule hold together: a bit of ours in its mark keeps all other packets from it. */
static int asks_for_our_mark(const struct attributes *attributes, const struct netlink_limits *limits)
{
  uint32_t mark, mask = WHOLE;
  if (read_u32(attributes, FRA_FWMARK, &mark) < 0) return 0;
  if (has_attribute(attributes, FRA_FWMASK) && read_u32(attributes, FRA_FWMASK, &mask) < 0) return 0;
  return (mark & mask & limits->marks) != 0;
}

static int may_change_rule(int adds, unsigned flags, struct span body, const struct netlink_limits *limits)
{
  struct fib_rule_hdr header;
  struct attributes attributes;
  uint32_t priority;
  if (body.size < sizeof header || !is_of_ip(body)) return 0;
  memcpy(&header, body.at, sizeof header);
  struct span rest = { body.at + sizeof header, body.size - sizeof header };
  if (read_attributes(rest, ~1u, &attributes) < 0 || read_u32(&attributes, FRA_PRIORITY, &priority) < 0) return 0;
  if (!has_attribute(&attributes, FRA_PROTOCOL)) return 0;
  struct span protocol = attributes.of[FRA_PROTOCOL];
  if (protocol.size != 1 || protocol.at[0] != OUR_PROTOCOL) return 0;
  /* 0 is the kernel's own; "not" would have it for all other packets. */
  return !adds ? !(flags & MODE) : (flags & MODE) == ADDS && priority > 0 && !header.flags && asks_for_our_mark(&attributes, limits);
}

static int may_change_route(int adds, unsigned flags, struct span body, const struct netlink_limits *limits)
{
  struct rtmsg header;
  struct attributes attributes;
  uint32_t table, interface;
  if (body.size < sizeof header || !is_of_ip(body)) return 0;
  memcpy(&header, body.at, sizeof header);
  struct span rest = { body.at + sizeof header, body.size - sizeof header };
  const uint32_t allowed = 1u << RTA_OIF | 1u << RTA_TABLE | 1u << RTA_PRIORITY;
  if (read_attributes(rest, allowed, &attributes) < 0 || read_u32(&attributes, RTA_OIF, &interface) < 0) return 0;
  if (has_attribute(&attributes, RTA_TABLE)) {
    if (read_u32(&attributes, RTA_TABLE, &table) < 0) return 0;
  } else table = header.rtm_table;
  if (header.rtm_protocol != OUR_PROTOCOL || header.rtm_type != RTN_LOCAL || interface != LOOPBACK) return 0;
  if (header.rtm_dst_len || header.rtm_src_len || header.rtm_tos || header.rtm_flags) return 0;
  return !adds ? !(flags & MODE) : (flags & MODE) == ADDS && table && table == limits->table;
}

int may_change_routes(unsigned type, unsigned flags, struct span body, const struct netlink_limits *limits)
{
  switch (type) {
  case RTM_GETLINK:
  case RTM_GETADDR:
  case RTM_GETROUTE:
  case RTM_GETNEIGH:
  case RTM_GETRULE:
    return 1;
  case RTM_NEWRULE:
  case RTM_DELRULE:
    return may_change_rule(type == RTM_NEWRULE, flags, body, limits);
  case RTM_NEWROUTE:
  case RTM_DELROUTE:
    return may_change_route(type == RTM_NEWROUTE, flags, body, limits);
  default:
    return 0;
  }
}
