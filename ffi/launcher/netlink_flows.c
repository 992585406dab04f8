/* Requests to conntrack, NFLOG and NFQUEUE: the messages that a proxy sends, and no others. Pure. */
#include "launcher.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <string.h>

#define HEADER 4 /* struct nfgenmsg */

/* linux/netfilter/nfnetlink_conntrack.h */
enum { NEW_FLOW = 0, GET_FLOW = 1, DELETE_FLOW = 2, GET_COUNTERS = 5 };
enum { ORIGINAL = 1, REPLY = 2, STATUS = 3, PROTOCOL_STATE = 4, NAT_SOURCE = 6, TIMEOUT = 7, MARK = 8, NAT_DESTINATION = 13, LABELS = 22 };
#define ENDS (1u << ORIGINAL | 1u << REPLY)
#define OF_NEW_FLOW (ENDS | 1u << STATUS | 1u << PROTOCOL_STATE | 1u << NAT_SOURCE | 1u << TIMEOUT | 1u << MARK | 1u << NAT_DESTINATION | 1u << LABELS)
/* IPS_SEEN_REPLY | IPS_CONFIRMED */
#define ANSWERED 10
/* Seconds until its first packet comes. */
#define LONGEST 30

/* linux/netfilter/nfnetlink_log.h, nfnetlink_queue.h */
enum { VERDICT = 1, LOG_CONFIG = 1, QUEUE_CONFIG = 2 };
enum { COMMAND = 1, BIND = 1, VERDICT_HEADER = 2, VERDICT_FLOW = 11 };
#define OF_LOG (1u << COMMAND | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6)
#define OF_QUEUE (1u << COMMAND | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5)
/* Labels, and which of them */
#define OF_VERDICT_FLOW (1u << 22 | 1u << 23)
/* Groups and queues are numbered from the port of the listener on, in three rows (src/constants.ts). */
#define ROW 4096
#define ROWS 3
#define MOST_WORKERS 256

int may_change_flows(unsigned message, unsigned flags, struct span body)
{
  struct span rest = { body.at + HEADER, body.size - HEADER };
  struct attributes attributes;
  uint32_t status, seconds;
  switch (message) {
  case GET_COUNTERS:
    return 1;
  case GET_FLOW: /* a single one */
    return !(flags & NLM_F_DUMP) && read_attributes(rest, ENDS, &attributes) == 0 && has_attribute(&attributes, ORIGINAL);
  case DELETE_FLOW: /* without its addresses it would be all of them */
    return read_attributes(rest, 1u << ORIGINAL, &attributes) == 0 && has_attribute(&attributes, ORIGINAL);
  case NEW_FLOW:
    if (!(flags & NLM_F_CREATE) || read_attributes(rest, OF_NEW_FLOW, &attributes) < 0) return 0;
    if ((attributes.there & ENDS) != ENDS) return 0;
    if (read_u32(&attributes, STATUS, &status) < 0 || read_u32(&attributes, TIMEOUT, &seconds) < 0) return 0;
    return ntohl(status) == ANSWERED && ntohl(seconds) <= LONGEST;
  default:
    return 0;
  }
}

/* The number of a group or queue, from struct nfgenmsg. */
static int is_ours(struct span body, const struct netlink_limits *limits)
{
  uint16_t number;
  memcpy(&number, body.at + 2, sizeof number);
  uint16_t place = (uint16_t)(ntohs(number) - limits->port);
  return limits->port && place / ROW < ROWS && place % ROW < MOST_WORKERS;
}

/* Nothing but to bind what is ours, never what concerns a whole family of packets. */
static int may_configure(struct span body, uint32_t allowed, size_t size, const struct netlink_limits *limits)
{
  struct attributes attributes;
  struct span rest = { body.at + HEADER, body.size - HEADER };
  if (read_attributes(rest, allowed, &attributes) < 0) return 0;
  if (!has_attribute(&attributes, COMMAND)) return 1;
  struct span command = attributes.of[COMMAND];
  return command.size == size && command.at[0] == BIND && is_ours(body, limits);
}

int may_log(unsigned message, struct span body, const struct netlink_limits *limits)
{
  return message == LOG_CONFIG && may_configure(body, OF_LOG, 1, limits);
}

int may_queue(unsigned message, struct span body, const struct netlink_limits *limits)
{
  struct attributes attributes, flow;
  struct span rest = { body.at + HEADER, body.size - HEADER };
  if (message == QUEUE_CONFIG) return may_configure(body, OF_QUEUE, 4, limits);
  /* The kernel sees to it that the packet is in a queue of the socket's. */
  if (message != VERDICT || read_attributes(rest, 1u << VERDICT_HEADER | 1u << VERDICT_FLOW, &attributes) < 0) return 0;
  return !has_attribute(&attributes, VERDICT_FLOW) || read_attributes(attributes.of[VERDICT_FLOW], OF_VERDICT_FLOW, &flow) == 0;
}
