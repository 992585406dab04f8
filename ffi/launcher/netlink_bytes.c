/* Bytes of netlink messages, taken apart as the kernel does it, but without its indulgence: a length that
 * does not add up, an attribute that was not expected, and one that comes twice (the kernel takes the last)
 * are refused. Pure. */
#include "launcher.h"

#include <string.h>

#define HEADER 4
#define TYPE_MASK 0x3fff

static size_t align(size_t length) { return (length + 3) & ~(size_t)3; }

int take_attribute(struct span *rest, unsigned *type, struct span *value)
{
  uint16_t head[2]; /* length, type */
  if (rest->size == 0) return 0;
  if (rest->size < HEADER) return -1;
  memcpy(head, rest->at, sizeof head);
  size_t length = head[0], step = align(length);
  if (length < HEADER || length > rest->size) return -1;
  if (step > rest->size) step = rest->size; /* the last one may have no padding */
  *type = head[1] & TYPE_MASK;
  *value = (struct span){ rest->at + HEADER, length - HEADER };
  *rest = (struct span){ rest->at + step, rest->size - step };
  return 1;
}

int read_attributes(struct span bytes, uint32_t allowed, struct attributes *found)
{
  struct span value;
  unsigned type;
  int taken;
  found->there = 0;
  while ((taken = take_attribute(&bytes, &type, &value)) > 0) {
    if (type >= MAX_ATTRIBUTES || !(allowed & 1u << type) || found->there & 1u << type) return -1;
    found->there |= 1u << type;
    found->of[type] = value;
  }
  return taken;
}

int has_attribute(const struct attributes *attributes, unsigned type) { return (attributes->there & 1u << type) != 0; }

int read_u32(const struct attributes *attributes, unsigned type, uint32_t *value)
{
  if (!has_attribute(attributes, type) || attributes->of[type].size != sizeof *value) return -1;
  memcpy(value, attributes->of[type].at, sizeof *value);
  return 0;
}

int is_text(struct span bytes, const char *text)
{
  size_t size = strlen(text) + 1;
  return bytes.size == size && memcmp(bytes.at, text, size) == 0;
}
