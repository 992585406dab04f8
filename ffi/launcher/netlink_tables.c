/* Requests to nf_tables: everything may be read, and nothing but tables of our own be changed. A table that
 * was made leads nowhere outside of itself: chains, sets and rules are found in it alone. Pure. */
#include "launcher.h"

#include <arpa/inet.h>
#include <string.h>

#define FAMILY_INET 1
#define HEADER 4 /* struct nfgenmsg */
#define BITS2(a, b) (1u << (a) | 1u << (b))
#define BITS3(a, b, c) (BITS2(a, b) | 1u << (c))
#define BITS4(a, b, c, d) (BITS2(a, b) | BITS2(c, d))

/* linux/netfilter/nf_tables.h: of each message the attributes that it may have; 0: nobody sends it. Table and
 * name are the only way to say what is meant, never a handle of a table: that would be anybody's. Neither
 * stateful objects, nor flow tables (they lead packets past all rules), nor resets of counters. */
enum { TABLE = 1, RULE_EXPRESSIONS = 4, CHAIN_HOOK = 4 };
enum { NEW_TABLE, GET_TABLE, DELETE_TABLE, NEW_CHAIN, GET_CHAIN, DELETE_CHAIN, NEW_RULE, GET_RULE, DELETE_RULE, NEW_SET,
       GET_SET, DELETE_SET, NEW_ELEMENTS, GET_ELEMENTS, DELETE_ELEMENTS, NEW_GENERATION, GET_GENERATION,
       GET_FLOW_TABLE = 23 };
static const uint32_t ATTRIBUTES[] = {
  [NEW_TABLE] = BITS3(TABLE, 2, 6), /* flags, user data */
  [DELETE_TABLE] = 1u << TABLE,
  [NEW_CHAIN] = BITS4(TABLE, 3, CHAIN_HOOK, 5) | BITS2(7, 12), /* name, policy; type, user data */
  [DELETE_CHAIN] = BITS2(TABLE, 3),
  [NEW_RULE] = BITS4(TABLE, 2, 3, RULE_EXPRESSIONS) | BITS2(6, 7), /* chain, handle; position, user data */
  [DELETE_RULE] = BITS3(TABLE, 2, 3),
  [NEW_SET] = BITS4(TABLE, 2, 3, 4) | BITS4(5, 6, 7, 8) | BITS4(9, 10, 11, 12) | 1u << 13,
  [DELETE_SET] = BITS2(TABLE, 2),
  [NEW_ELEMENTS] = BITS4(TABLE, 2, 3, 4),
  [DELETE_ELEMENTS] = BITS4(TABLE, 2, 3, 4),
};
#define READS (BITS4(GET_TABLE, GET_CHAIN, GET_RULE, GET_SET) | BITS3(GET_ELEMENTS, GET_GENERATION, GET_FLOW_TABLE))

/* src/constants.ts */
static const char *const TABLES[] = { "transparent_proxy", "transparent_proxy_live" };
static const char TRIAL[] = "transparent_proxy_trial_";

/* Those that rules of ours are made of: src/netlink/nft/expr/. Not targets of iptables, nor what sends
 * packets elsewhere. */
static const char *const EXPRESSIONS[] = {
  "bitwise", "cmp",  "counter", "ct",   "dynset",  "exthdr",  "fib",   "immediate", "log",    "lookup",
  "masq",    "meta", "nat",     "notrack", "payload", "queue", "range", "reject",    "socket", "tproxy",
};

static int is_our_table(struct span name)
{
  const size_t head = sizeof TRIAL - 1;
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
    if (is_text(name, TABLES[i])) return 1;
  if (name.size < head + 2 || memcmp(name.at, TRIAL, head) != 0 || name.at[name.size - 1] != 0) return 0;
  for (size_t i = head; i < name.size - 1; i++)
    if (name.at[i] != '_' && (name.at[i] < '0' || name.at[i] > '9')) return 0;
  return 1;
}

static int is_known(struct span name)
{
  for (size_t i = 0; i < sizeof EXPRESSIONS / sizeof *EXPRESSIONS; i++)
    if (is_text(name, EXPRESSIONS[i])) return 1;
  return 0;
}

/* A list of {name, data}. */
static int may_be_expressions(struct span list)
{
  struct attributes expression;
  struct span element;
  unsigned type;
  int taken;
  while ((taken = take_attribute(&list, &type, &element)) > 0) {
    if (type != 1 || read_attributes(element, BITS2(1, 2), &expression) < 0) return 0;
    if (!has_attribute(&expression, 1) || !is_known(expression.of[1])) return 0;
  }
  return taken == 0;
}

/* Number and priority: no device, where frames of all kinds come by. */
static int may_be_hook(struct span bytes)
{
  struct attributes hook;
  return read_attributes(bytes, BITS2(1, 2), &hook) == 0;
}

int may_change_tables(unsigned message, struct span body)
{
  struct attributes attributes;
  if (message < 32 && READS & 1u << message) return 1;
  if (message >= sizeof ATTRIBUTES / sizeof *ATTRIBUTES || !ATTRIBUTES[message] || body.at[0] != FAMILY_INET) return 0;
  struct span rest = { body.at + HEADER, body.size - HEADER };
  if (read_attributes(rest, ATTRIBUTES[message], &attributes) < 0) return 0;
  if (!has_attribute(&attributes, TABLE) || !is_our_table(attributes.of[TABLE])) return 0;
  if (message == NEW_RULE && has_attribute(&attributes, RULE_EXPRESSIONS))
    return may_be_expressions(attributes.of[RULE_EXPRESSIONS]);
  if (message == NEW_CHAIN && has_attribute(&attributes, CHAIN_HOOK)) return may_be_hook(attributes.of[CHAIN_HOOK]);
  return 1;
}

/* The frame of a transaction: of nf_tables, whose number stands in network order. */
int may_frame_batch(struct span body)
{
  struct attributes attributes;
  uint16_t subsystem;
  memcpy(&subsystem, body.at + 2, sizeof subsystem);
  struct span rest = { body.at + HEADER, body.size - HEADER };
  return subsystem == htons(NF_TABLES) && read_attributes(rest, 1u << 1, &attributes) == 0; /* a generation */
}
