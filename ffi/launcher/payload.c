/* The payload: what scripts/build appends to the launcher.
 *
 *   packed     launcher (ELF) | layer | layer | index (text) | trailer (64 bytes)
 *   image      launcher (ELF) | zeros up to a multiple of 4 KiB | squashfs | index | trailer
 *   installed  launcher (ELF) | index | trailer
 *
 * The index says
 *   form packed|image|installed
 *   version 0.1.0
 *   image OFFSET SIZE SHA256             (the squashfs)
 *   layer NAME ID SHA256                 (hash of the bytes of its parts)
 *   file NAME MODE SIZE                  (belongs to the layer above)
 *   part xz|raw OFFSET SIZE              (as well)
 * The parts give, one after the other, the contents of the files, one after the other. `xz` is one .xz stream
 * or several: so the data blocks of a squashfs are parts too, and no squashfs needs to be read. The trailer:
 * "TPROXY2\n", offset and size of the index (little-endian 64 bits), its SHA-256, 8 zero bytes. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "TPROXY2\n"
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

/* Finds our own file. machine.c has seen that /proc is there. */
static int open_self(struct payload *payload, struct failure *failure)
{
  ssize_t length = readlink("/proc/self/exe", payload->path, sizeof payload->path - 1);
  if (length < 0) return fail(failure, "cannot find my own file: %s", strerror(errno));
  /* Replaced while we start: the new file has the same name. */
  static const char deleted[] = " (deleted)";
  payload->path[length] = 0;
  char *end = payload->path + length - (ssize_t)(sizeof deleted - 1);
  if (end > payload->path && strcmp(end, deleted) == 0) *end = 0;
  payload->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
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

static int parse_form(const char *word, enum form *form)
{
  static const char *const names[] = { "packed", "image", "installed" };
  for (int i = 0; i < 3; i++) {
    if (!strcmp(word, names[i])) {
      *form = (enum form)i;
      return 0;
    }
  }
  return -1;
}

static int parse_layer(struct payload *payload, const char *line)
{
  char hash[65];
  if (payload->layer_count == MAX_LAYERS) return -1;
  struct layer *layer = &payload->layers[payload->layer_count++];
  if (sscanf(line, "layer %63s %63s %64s", layer->name, layer->id, hash) != 3) return -1;
  if (!strcmp(layer->name, "runtime")) payload->runtime = layer;
  if (!strcmp(layer->name, "program")) payload->program = layer;
  return plain_name(layer->name) && plain_name(layer->id) ? parse_hash(hash, layer->sha256) : -1;
}

static int parse_line_of_layer(struct layer *layer, const char *line)
{
  char kind[8];
  long long offset, size;
  unsigned mode;
  if (layer->part_count < MAX_PARTS && sscanf(line, "part %7s %lld %lld", kind, &offset, &size) == 3) {
    int raw = !strcmp(kind, "raw");
    layer->parts[layer->part_count++] = (struct part){ offset, size, raw };
    return raw || !strcmp(kind, "xz") ? 0 : -1;
  }
  if (layer->file_count == MAX_FILES) return -1;
  struct payload_file *file = &layer->files[layer->file_count++];
  if (sscanf(line, "file %63s %o %lld", file->name, &mode, &size) != 3) return -1;
  file->mode = (mode_t)mode;
  file->size = size;
  layer->unpacked_size += size;
  return plain_name(file->name) ? 0 : -1;
}

static int parse_line(struct payload *payload, const char *line)
{
  char word[65];
  long long offset, size;
  if (sscanf(line, "form %64s", word) == 1) return parse_form(word, &payload->form);
  if (sscanf(line, "version %63s", payload->version) == 1) return 0;
  if (sscanf(line, "image %lld %lld %64s", &offset, &size, word) == 3) {
    payload->image = (struct part){ offset, size, 1 };
    return parse_hash(word, payload->image_sha256);
  }
  if (!strncmp(line, "layer ", 6)) return parse_layer(payload, line);
  return payload->layer_count ? parse_line_of_layer(&payload->layers[payload->layer_count - 1], line) : -1;
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
  if (!payload->runtime || !payload->program)
    return fail(failure, "%s holds no runtime or no program", payload->path);
  return 0;
}
