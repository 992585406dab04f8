/* The payload: what scripts/build appends to the launcher.
 *
 *   launcher (ELF) | layer | layer | index (text) | trailer (64 bytes)
 *
 * A layer is one zstd stream: the contents of its files, one after the other. The index says
 *   version 0.1.0
 *   layer NAME ID SHA256 OFFSET SIZE     (bytes of the compressed layer in this file)
 *   file NAME MODE SIZE                  (belongs to the layer above)
 * and the trailer: "TPROXY1\n", offset and size of the index (little-endian 64 bits), its SHA-256, 8 zero bytes. */
#include "launcher.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "TPROXY1\n"
#define TRAILER_SIZE 64
#define MAX_INDEX 16384

static int read_at(int fd, void *buffer, size_t size, off_t offset)
{
  for (char *at = buffer; size;) {
    ssize_t n = pread(fd, at, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    at += n;
    offset += n;
    size -= (size_t)n;
  }
  return 0;
}

static off_t little_endian(const uint8_t *bytes)
{
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--) value = value << 8 | bytes[i];
  return value > INT64_MAX ? -1 : (off_t)value;
}

/* Finds our own file. /proc may not be mounted: then the kernel's word on what was executed is all there is. */
static int open_self(struct payload *payload, struct failure *failure)
{
  const char *executed = (const char *)getauxval(AT_EXECFN);
  payload->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ssize_t length = readlink("/proc/self/exe", payload->path, sizeof payload->path - 1);
  if (length > 0) {
    /* Replaced while we start: the new file has the same name. */
    static const char deleted[] = " (deleted)";
    payload->path[length] = 0;
    char *end = payload->path + length - (ssize_t)(sizeof deleted - 1);
    if (end > payload->path && strcmp(end, deleted) == 0) *end = 0;
  } else {
    char resolved[PATH_MAX];
    if (!executed || !realpath(executed, resolved) || strlen(resolved) >= sizeof payload->path)
      return fail(failure, "cannot find my own file: is /proc mounted?");
    strcpy(payload->path, resolved);
    if (payload->fd < 0) payload->fd = open(resolved, O_RDONLY | O_CLOEXEC);
  }
  if (payload->fd < 0) return fail(failure, "cannot open %s for reading: %s", payload->path, strerror(errno));
  return 0;
}

static int parse_hash(const char *text, uint8_t hash[32])
{
  if (strlen(text) != 64) return -1;
  for (int i = 0; i < 32; i++) {
    unsigned byte;
    if (sscanf(text + 2 * i, "%2x", &byte) != 1) return -1;
    hash[i] = (uint8_t)byte;
  }
  return 0;
}

static int plain_name(const char *name) { return name[0] && name[0] != '.' && !strchr(name, '/'); }

static int parse_line(struct payload *payload, const char *line)
{
  struct layer *layer = &payload->layers[payload->layer_count];
  char hash[65];
  long long offset, size;
  unsigned mode;
  if (sscanf(line, "version %63s", payload->version) == 1) return 0;
  if (payload->layer_count < MAX_LAYERS &&
      sscanf(line, "layer %63s %63s %64s %lld %lld", layer->name, layer->id, hash, &offset, &size) == 5) {
    layer->offset = offset;
    layer->size = size;
    payload->layer_count++;
    return plain_name(layer->id) ? parse_hash(hash, layer->sha256) : -1;
  }
  if (payload->layer_count == 0) return -1;
  layer = &payload->layers[payload->layer_count - 1];
  if (layer->file_count == MAX_FILES) return -1;
  struct payload_file *file = &layer->files[layer->file_count++];
  if (sscanf(line, "file %63s %o %lld", file->name, &mode, &size) != 3) return -1;
  file->mode = (mode_t)mode;
  file->size = size;
  layer->unpacked_size += size;
  return plain_name(file->name) ? 0 : -1;
}

int payload_open(struct payload *payload, struct failure *failure)
{
  uint8_t trailer[TRAILER_SIZE], digest[32];
  char index[MAX_INDEX + 1];
  struct sha256 hash;
  struct stat self;

  memset(payload, 0, sizeof *payload);
  if (open_self(payload, failure)) return -1;
  if (fstat(payload->fd, &self)) return fail(failure, "cannot read %s: %s", payload->path, strerror(errno));

  off_t trailer_at = self.st_size - TRAILER_SIZE;
  if (read_at(payload->fd, trailer, TRAILER_SIZE, trailer_at) || memcmp(trailer, MAGIC, 8) != 0) {
    return fail(failure, "%s is damaged: its end is missing (%lld bytes are there). Was the copy cut short, or the file stripped?"
                " Copy it again", payload->path, (long long)self.st_size);
  }
  off_t index_at = little_endian(trailer + 8), index_size = little_endian(trailer + 16);
  if (index_size <= 0 || index_size > MAX_INDEX || index_at < 0 || index_at + index_size != trailer_at ||
      read_at(payload->fd, index, (size_t)index_size, index_at))
    return fail(failure, "%s is damaged: its index cannot be read. Copy it again", payload->path);
  sha256_start(&hash);
  sha256_add(&hash, index, (size_t)index_size);
  sha256_end(&hash, digest);
  if (memcmp(digest, trailer + 24, 32) != 0)
    return fail(failure, "%s is damaged: the hash of its index is wrong. Copy it again", payload->path);

  index[index_size] = 0;
  for (char *rest = index, *line; (line = strsep(&rest, "\n")) && *line;) {
    if (parse_line(payload, line)) return fail(failure, "%s: unknown line in its index: %s", payload->path, line);
  }
  return 0;
}
