/* One layer out of the file into a directory. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (128 * 1024)

struct writer {
  const struct layer *layer;
  int directory;
  int file;   /* the file being written is files[file]; -1 before the first */
  int fd;     /* -1 between files */
  off_t left; /* bytes that it still misses */
};

/* Finishes the file at hand and begins the next one: 0, or -errno. */
static int next_file(struct writer *out)
{
  const struct timespec times[2] = { { UNPACKED_TIME, 0 }, { UNPACKED_TIME, 0 } };
  if (out->fd >= 0) {
    int bad = futimens(out->fd, times) ? -errno : 0;
    if (close(out->fd) && !bad) bad = -errno;
    out->fd = -1;
    if (bad) return bad;
  }
  if (++out->file == out->layer->file_count) return 0;
  const struct payload_file *file = &out->layer->files[out->file];
  out->left = file->size;
  out->fd = openat(out->directory, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
  return out->fd < 0 || fchmod(out->fd, file->mode) ? -errno : 0;
}

/* Writes data to the files in turn: 0, or -errno; -EBADMSG when there is more than the index promises. */
static int write_out(struct writer *out, const char *data, size_t size)
{
  int synced = 0;
  for (;;) {
    while (out->left == 0 && out->file < out->layer->file_count) {
      int bad = next_file(out);
      if (bad) return bad;
    }
    if (size == 0) return 0;
    if (out->file == out->layer->file_count) return -EBADMSG;
    ssize_t n = write(out->fd, data, (off_t)size < out->left ? size : (size_t)out->left);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOSPC && !synced) { /* compression: the need is known after writing */
      synced = 1;
      syncfs(out->fd);
      continue;
    }
    if (n < 0) return -errno;
    synced = 0;
    data += n;
    size -= (size_t)n;
    out->left -= n;
  }
}

static int64_t milliseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Says what takes so long, after a second. */
static void tell_once(const char *version, const char *into)
{
  static int64_t start;
  static int told;
  if (!start) start = milliseconds();
  if (told || milliseconds() - start < 1000) return;
  told = 1;
  fprintf(stderr, "Unpacking tproxy %s into %s (once) …\n", version, into);
}

/* Decodes some bytes of a part and writes what comes out: 0, or -errno. */
static int decode(struct writer *out, lzma_stream *xz, const uint8_t *input, size_t size, int last)
{
  static uint8_t output[CHUNK];
  xz->next_in = input;
  xz->avail_in = size;
  for (;;) {
    xz->next_out = output;
    xz->avail_out = sizeof output;
    lzma_ret state = lzma_code(xz, last ? LZMA_FINISH : LZMA_RUN);
    int bad = write_out(out, (const char *)output, sizeof output - xz->avail_out);
    if (bad) return bad;
    if (state == LZMA_STREAM_END) return 0;
    if (state == LZMA_MEM_ERROR) return -ENOMEM;
    if (state != LZMA_OK && !(state == LZMA_BUF_ERROR && !last)) return -EBADMSG;
    if (xz->avail_in == 0 && xz->avail_out && !last) return 0;
  }
}

/* One part of the layer from the file into the files: 0, or -errno. */
static int unpack_part(const struct payload *payload, const struct part *part, struct writer *out, struct sha256 *hash,
                       const char *into)
{
  static uint8_t input[CHUNK];
  lzma_stream xz = LZMA_STREAM_INIT;
  int bad = 0;

  /* A window of 8 MiB is what the build allows; this is far above it. */
  if (!part->raw && lzma_stream_decoder(&xz, 64 << 20, LZMA_CONCATENATED) != LZMA_OK) return -ENOMEM;
  for (off_t at = 0; at < part->size && !bad;) {
    ssize_t n = pread(payload->fd, input, part->size - at < CHUNK ? (size_t)(part->size - at) : CHUNK,
                      part->offset + at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      bad = n ? -EIO : -EBADMSG;
      break;
    }
    at += n;
    sha256_add(hash, input, (size_t)n);
    bad = part->raw ? write_out(out, (const char *)input, (size_t)n) : decode(out, &xz, input, (size_t)n, at == part->size);
    tell_once(payload->version, into);
  }
  lzma_end(&xz);
  return bad;
}

/* Everything from the compressed bytes to the files: 0, or -errno; -EBADMSG when the bytes are not those that
 * were built, -EIO when they cannot be read. */
static int unpack_parts(const struct payload *payload, struct writer *out, const char *into)
{
  const struct layer *layer = out->layer;
  struct sha256 hash;
  uint8_t digest[32];
  int bad = 0;

  sha256_start(&hash);
  for (int i = 0; i < layer->part_count && !bad; i++) bad = unpack_part(payload, &layer->parts[i], out, &hash, into);
  if (bad) return bad;
  sha256_end(&hash, digest);
  return out->file == layer->file_count && memcmp(digest, layer->sha256, 32) == 0 ? 0 : -EBADMSG;
}

int unpack_layer(const struct payload *payload, const struct layer *layer, int directory, const char *into,
                 struct failure *failure)
{
  struct writer out = { layer, directory, -1, -1, 0 };
  int bad = unpack_parts(payload, &out, into);
  if (out.fd >= 0) close(out.fd);
  if (!bad) return 0;
  if (bad == -ENOSPC || bad == -EDQUOT) return UNPACK_NO_ROOM;
  if (bad == -EBADMSG) {
    failure->damaged = 1;
    return fail(failure, "%s is damaged: the hash of its %s is wrong. Copy it again", payload->path, layer->name);
  }
  if (bad == -EIO) return fail(failure, "cannot read %s or write to %s: %s", payload->path, into, strerror(EIO));
  return fail(failure, "cannot unpack into %s: %s", into, strerror(-bad));
}

const char *missing_file(const struct layer *layer, int directory, int unpacked)
{
  for (int i = 0; i < layer->file_count; i++) {
    const struct payload_file *file = &layer->files[i];
    struct stat found;
    if (fstatat(directory, file->name, &found, AT_SYMLINK_NOFOLLOW)) return file->name;
    if (!S_ISREG(found.st_mode) || (found.st_mode & 07777) != file->mode || found.st_size != file->size ||
        (unpacked && found.st_mtim.tv_sec != UNPACKED_TIME))
      return file->name;
  }
  return NULL;
}
