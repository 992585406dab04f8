/* Losses, duplicates and reordering, by the sequence numbers. */
#include "udp_load.h"

#include <stdlib.h>
#include <string.h>

/* Reach back in which a late datagram is told from a duplicate; an older one counts as late. */
#define WINDOW 65536u

struct arrivals {
  uint64_t next; /* after the highest that came */
  uint64_t seen[WINDOW / 64];
};

void tally_begin(struct tally *tally, int flows)
{
  memset(tally, 0, sizeof *tally);
  tally->flows = calloc((size_t)flows, sizeof *tally->flows);
  if (tally->flows == NULL) die("calloc");
}

static uint64_t *word(struct arrivals *arrivals, uint64_t sequence)
{
  return &arrivals->seen[sequence % WINDOW / 64];
}

static uint64_t bit(uint64_t sequence)
{
  return 1ull << sequence % 64;
}

static void forget(struct arrivals *arrivals, uint64_t from, uint64_t to)
{
  if (to - from >= WINDOW) memset(arrivals->seen, 0, sizeof arrivals->seen);
  else {
    for (; from < to; from++) *word(arrivals, from) &= ~bit(from);
  }
}

void tally_add(struct tally *tally, const struct header *header, int flows)
{
  if (header->kind != DATA || header->flow >= (uint32_t)flows) {
    tally->malformed++;
    return;
  }
  struct arrivals *arrivals = &tally->flows[header->flow];
  uint64_t sequence = header->sequence;
  tally->received++;
  if (sequence >= arrivals->next) {
    forget(arrivals, arrivals->next, sequence + 1);
    arrivals->next = sequence + 1;
  } else if (arrivals->next - sequence <= WINDOW && (*word(arrivals, sequence) & bit(sequence))) {
    tally->duplicates++;
    return;
  } else {
    tally->reordered++;
    if (arrivals->next - sequence > WINDOW) return;
  }
  *word(arrivals, sequence) |= bit(sequence);
}
